// Activations and their slopes, one pass over rows that a product has just written.

// The numbers that a rule calls p: the values of its specs, here, ...
constexpr int kMostActivationNumbers = rules::kMaxParameters + rules::kMaxLearned;

template <class Rule>
SETNET_INLINE void splatParameters(const double* values, Lanes* p) {
  for (int i = 0; i < Rule::parameterCount; ++i) p[i] = splat(static_cast<float>(values[i]));
}
// ... and what unit `u` has learned, behind them.
template <class Rule>
SETNET_INLINE void splatLearned(const float* learned, int64_t stride, int64_t u, Lanes* p) {
  SETNET_UNROLL
  for (int i = 0; i < rules::Learned<Rule>::count; ++i) p[Rule::parameterCount + i] = splat(learned[i * stride + u]);
}

// One unit's vectors in panels, one after the other: its first one, and how far it is from an even or odd one to the
// next.
template <class T>
struct UnitVectors {
  T* at;
  int64_t steps[2];

  SETNET_MEMBER_INLINE UnitVectors(const PanelsOf<T>& panels, int64_t unit)
      : at(panels.data + unit * panels.width),
        steps{panels.width == kLanes ? panels.stride : kLanes, panels.stride - (panels.width - kLanes)} {}
  SETNET_MEMBER_INLINE void next(int64_t v) { at += steps[v & 1]; }
};

// Unit by unit, so that a unit's parameters stay in registers.
template <class Rule>
static void learnedActivationWith(const ActivationArgs& a) {
  Lanes parameters[kMostActivationNumbers];
  splatParameters<Rule>(a.parameters, parameters);
  const int64_t vectors = a.vectors;
  for (int64_t u = a.unitBegin; u < a.unitEnd; ++u) {
    splatLearned<Rule>(a.learned, a.learnedStride, u, parameters);
    UnitVectors<const float> z(a.z, u);
    UnitVectors<float> y(a.y, u);
    for (int64_t v = 0; v < vectors; ++v, z.next(v - 1), y.next(v - 1))
      store(y.at, Rule::forward(load(z.at), parameters));
  }
}

template <class Rule>
static void activationWith(const ActivationArgs& a) {
  if constexpr (rules::Learned<Rule>::count > 0) return learnedActivationWith<Rule>(a);
  Lanes parameters[kMostActivationNumbers];
  splatParameters<Rule>(a.parameters, parameters);
  for (int64_t v = 0; v < a.vectors; ++v) {
    const float* z = a.z.vector(v);
    float* y = a.y.vector(v);
    for (int64_t u = a.unitBegin; u < a.unitEnd; ++u)
      store(y + u * a.y.width, Rule::forward(load(z + u * a.z.width), parameters));
  }
}

static void activation(const ActivationArgs& a) {
  switch (static_cast<rules::Activation>(a.rule)) {
#define SETNET_ENTRY(Rule)          \
  case rules::Activation::Rule:     \
    activationWith<rules::Rule>(a); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

// Lanes are units here.
template <class Rule>
static void activationVectorWith(const ActivationVectorArgs& a) {
  Lanes parameters[kMostActivationNumbers];
  splatParameters<Rule>(a.parameters, parameters);
  for (int64_t u = 0; u < a.units; u += kLanes) {
    const int64_t count = a.units - u < kLanes ? a.units - u : kLanes;
    SETNET_UNROLL
    for (int i = 0; i < rules::Learned<Rule>::count; ++i)
      parameters[Rule::parameterCount + i] = loadPart(a.learned + i * a.learnedStride + u, count);
    if (count == kLanes)
      store(a.y + u, Rule::forward(load(a.z + u), parameters));
    else
      storePart(a.y + u, Rule::forward(loadPart(a.z + u, count), parameters), count);
  }
}

static void activationVector(const ActivationVectorArgs& a) {
  switch (static_cast<rules::Activation>(a.rule)) {
#define SETNET_ENTRY(Rule)                \
  case rules::Activation::Rule:           \
    activationVectorWith<rules::Rule>(a); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

// One unit's dL/dy after dropout.
template <bool Dropped>
SETNET_INLINE Lanes keptGradient(Lanes dy, uint16_t kept, Lanes scale) {
  return Dropped ? whereBits(kept, dy * scale, splat(0.0f)) : dy;
}

// The results as a rule's backward takes them: without dropout's factor where their size counts. Dropped ones are 0.
template <class Rule>
struct Results {
  Lanes inverse;

  SETNET_MEMBER_INLINE explicit Results(const ActivationGradientArgs& a)
      : inverse(splat(a.kept ? 1.0f / a.keptScale : 1.0f)) {}
  SETNET_MEMBER_INLINE Lanes at(const float* y) const { return Rule::needsOutput ? load(y) * inverse : load(y); }
};

template <class Rule, bool Dropped>
static void learnedGradientWith(const ActivationGradientArgs& a) {
  Lanes parameters[kMostActivationNumbers];
  splatParameters<Rule>(a.parameters, parameters);
  const Lanes scale = splat(a.keptScale);
  const Results<Rule> results(a);
  const int64_t vectors = a.vectors;
  for (int64_t u = a.unitBegin; u < a.unitEnd; ++u) {
    splatLearned<Rule>(a.learned, a.learnedStride, u, parameters);
    UnitVectors<const float> z(a.z, u), y(a.y, u), dy(a.dy, u);
    UnitVectors<float> gradient(a.gradient, u);
    const uint16_t* kept = Dropped ? a.kept + u * a.keptStride : nullptr;
    for (int64_t v = 0; v < vectors; ++v) {
      const Lanes g = keptGradient<Dropped>(load(dy.at), Dropped ? kept[v] : uint16_t{0}, scale);
      store(gradient.at, Rule::backward(g, load(z.at), results.at(y.at), parameters));
      dy.next(v);
      z.next(v);
      y.next(v);
      gradient.next(v);
    }
  }
}

template <class Rule>
static void activationGradientWith(const ActivationGradientArgs& a) {
  if constexpr (rules::Learned<Rule>::count > 0)
    return a.kept ? learnedGradientWith<Rule, true>(a) : learnedGradientWith<Rule, false>(a);
  Lanes parameters[kMostActivationNumbers];
  splatParameters<Rule>(a.parameters, parameters);
  const Lanes scale = splat(a.keptScale);
  const Lanes zero = splat(0.0f);
  const Results<Rule> results(a);
  for (int64_t v = 0; v < a.vectors; ++v) {
    const float* z = a.z.vector(v);
    const float* y = a.y.vector(v);
    const float* dy = a.dy.vector(v);
    float* gradient = a.gradient.vector(v);
    for (int64_t u = a.unitBegin; u < a.unitEnd; ++u) {
      Lanes g = load(dy + u * a.dy.width);
      if (a.kept) g = whereBits(a.kept[u * a.keptStride + v], g * scale, zero);
      const Lanes input = Rule::needsInput ? load(z + u * a.z.width) : zero;
      g = Rule::backward(g, input, results.at(y + u * a.y.width), parameters);
      store(gradient + u * a.gradient.width, g);
    }
  }
}

static void activationGradient(const ActivationGradientArgs& a) {
  switch (static_cast<rules::Activation>(a.rule)) {
#define SETNET_ENTRY(Rule)                  \
  case rules::Activation::Rule:             \
    activationGradientWith<rules::Rule>(a); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

// The 16 chains of each parameter's gradient for one unit.
template <class Rule, bool Dropped>
SETNET_INLINE void parameterChains(const ActivationUpdateArgs& a, int64_t unit, Lanes* parameters,
                                   Lanes (&chains)[rules::Learned<Rule>::count]) {
  const Lanes scale = splat(a.keptScale);
  splatLearned<Rule>(a.learned, a.learnedStride, unit, parameters);
  SETNET_UNROLL
  for (int i = 0; i < rules::Learned<Rule>::count; ++i) chains[i] = splat(0.0f);
  UnitVectors<const float> dy(a.dy, unit), z(a.z, unit);
  const uint16_t* kept = Dropped ? a.kept + unit * a.keptStride : nullptr;
  const int64_t vectors = a.vectors;
  for (int64_t v = 0; v < vectors; ++v) {
    const Lanes g = keptGradient<Dropped>(load(dy.at), Dropped ? kept[v] : uint16_t{0}, scale);
    Rule::addGradient(g, load(z.at), parameters, chains);
    dy.next(v);
    z.next(v);
  }
}

// The same for up to 16 units: chains[i][unit].
template <class Rule>
static void unitsChains(const ActivationUpdateArgs& a, int64_t unit, int64_t count, Lanes (*chains)[16]) {
  constexpr int learned = rules::Learned<Rule>::count;
  if constexpr (learned > 0) {
    Lanes parameters[kMostActivationNumbers];
    splatParameters<Rule>(a.parameters, parameters);
    for (int64_t k = 0; k < kLanes; ++k) {
      Lanes sums[learned];
      if (k < count) {
        a.kept ? parameterChains<Rule, true>(a, unit + k, parameters, sums)
               : parameterChains<Rule, false>(a, unit + k, parameters, sums);
      } else {
        for (int i = 0; i < learned; ++i) sums[i] = splat(0.0f);
      }
      for (int i = 0; i < learned; ++i) chains[i][k] = sums[i];
    }
  }
}

// From the chains to the gradients, and the optimizer's update; lanes are units from here on.
template <class Rule, bool Flag>
static void updateLearned(const ActivationUpdateArgs& a, int64_t unit, int64_t count, int learned,
                          const Lanes (*chains)[16]) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  for (int i = 0; i < learned; ++i) {
    const int64_t at = i * a.learnedStride + unit;
    const Lanes gradient = treeSums(chains[i]) + splat(0.0f);
    Lanes state[rules::kMaxOptimizerState];
    for (int s = 0; s < Rule::stateCount; ++s) state[s] = loadPart(a.state[s] + at, count);
    Lanes parameter = loadPart(a.learned + at, count);
    Rule::update(parameter, gradient, state, coefficients, Flag);
    storePart(a.learned + at, parameter, count);
    for (int s = 0; s < Rule::stateCount; ++s) storePart(a.state[s] + at, state[s], count);
  }
}

static void activationUpdate(const ActivationUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  for (int64_t unit = a.unitBegin; unit < a.unitEnd; unit += kLanes) {
    const int64_t count = a.unitEnd - unit < kLanes ? a.unitEnd - unit : kLanes;
    Lanes chains[rules::kMaxLearned][16];
    int learned = 0;
    switch (static_cast<rules::Activation>(a.rule)) {
#define SETNET_ENTRY(Rule)                            \
  case rules::Activation::Rule:                       \
    unitsChains<rules::Rule>(a, unit, count, chains); \
    learned = rules::Learned<rules::Rule>::count;     \
    break;
      SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
    switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                   \
  case rules::Optimizer::Rule:                                                               \
    flag ? updateLearned<rules::Rule, rules::Rule::hasFlag>(a, unit, count, learned, chains) \
         : updateLearned<rules::Rule, false>(a, unit, count, learned, chains);               \
    break;
      SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
  }
}
