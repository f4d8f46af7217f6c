// Activations and their slopes, one pass over rows that a product has just written.

template <class Rule>
static void activationWith(const ActivationArgs& a) {
  Lanes parameters[rules::kMaxParameters];
  for (int i = 0; i < Rule::parameterCount; ++i) parameters[i] = splat(static_cast<float>(a.parameters[i]));
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

template <class Rule>
static void activationVectorWith(const ActivationVectorArgs& a) {
  Lanes parameters[rules::kMaxParameters];
  for (int i = 0; i < Rule::parameterCount; ++i) parameters[i] = splat(static_cast<float>(a.parameters[i]));
  int64_t u = 0;
  for (; u + kLanes <= a.units; u += kLanes) store(a.y + u, Rule::forward(load(a.z + u), parameters));
  if (u < a.units) storePart(a.y + u, Rule::forward(loadPart(a.z + u, a.units - u), parameters), a.units - u);
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

template <class Rule>
static void activationGradientWith(const ActivationGradientArgs& a) {
  Lanes parameters[rules::kMaxParameters];
  for (int i = 0; i < Rule::parameterCount; ++i) parameters[i] = splat(static_cast<float>(a.parameters[i]));
  const Lanes scale = splat(a.keptScale);
  const Lanes zero = splat(0.0f);
  for (int64_t v = 0; v < a.vectors; ++v) {
    const float* z = a.z.vector(v);
    const float* y = a.y.vector(v);
    float* gradient = a.gradient.vector(v);
    for (int64_t u = a.unitBegin; u < a.unitEnd; ++u) {
      Lanes g = load(gradient + u * a.gradient.width);
      if (a.kept) g = whereBits(a.kept[u * a.keptStride + v], g * scale, zero);
      const Lanes input = Rule::needsInput ? load(z + u * a.z.width) : zero;
      g = Rule::backward(g, input, load(y + u * a.y.width), parameters);
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
