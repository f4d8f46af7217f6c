// Losses over panels: lanes are samples, units are walked in ascending order.

// What a loss functor sees of one vector of samples (rules/losses.h).
struct LossPanel {
  const float* z;
  int64_t zWidth;
  float* result;
  int64_t resultWidth;
  Words classes;

  SETNET_MEMBER_INLINE Lanes logit(int64_t u) const { return load(z + u * zWidth); }
  SETNET_MEMBER_INLINE Lanes target(int64_t u) const {
    return whereEqual(classes, splatWords(static_cast<uint32_t>(u)), splat(1.0f), splat(0.0f));
  }
  SETNET_MEMBER_INLINE void set(int64_t u, Lanes value) { store(result + u * resultWidth, value); }
  SETNET_MEMBER_INLINE Lanes get(int64_t u) const { return load(result + u * resultWidth); }
};

// The same where every output has a target of its own: they lie where the gradient is written.
struct NumbersPanel : LossPanel {
  SETNET_MEMBER_INLINE Lanes target(int64_t u) const { return get(u); }
};

SETNET_INLINE Words largestUnits(const LossPanel& panel, int64_t units) {
  Words best = splatWords(0);
  Lanes top = panel.logit(0);
  for (int64_t u = 1; u < units; ++u) {
    const Lanes logit = panel.logit(u);
    const Lanes above = logit - top;
    best = wherePositive(above, splatWords(static_cast<uint32_t>(u)), best);
    top = wherePositive(above, logit, top);
  }
  return best;
}

// What the gradients of the `count` samples of vector `v` are multiplied by.
SETNET_INLINE Lanes gradientFactors(const LossArgs& a, int64_t v, int64_t count) {
  if (!a.weights) return splat(a.scale);
  alignas(64) float weights[16];
  for (int64_t i = 0; i < kLanes; ++i) weights[i] = i < count ? a.weights[v * kLanes + i] : 0.0f;
  return splat(a.scale) * load(weights);
}

static void loss(const LossArgs& a) {
  const Lanes zero = splat(0.0f);
  const bool byClass = rules::targetOf(a.loss) == rules::Target::Class;
  for (int64_t v = 0; v < a.vectors; ++v) {
    const int64_t count = a.samples - v * kLanes < kLanes ? a.samples - v * kLanes : kLanes;
    alignas(64) uint32_t classes[16];
    for (int64_t i = 0; i < kLanes; ++i)
      classes[i] = byClass && i < count ? static_cast<uint32_t>(a.classes[v * kLanes + i]) : 0xFFFFFFFFu;
    LossPanel panel{a.z.vector(v), a.z.width, a.gradient.vector(v), a.gradient.width, loadWords(classes)};
    if (byClass) storeWords(a.predicted + v * kLanes, largestUnits(panel, a.units));
    NumbersPanel numbers{panel};
    const Lanes factors = gradientFactors(a, v, count);
    Lanes terms[rules::kLossTerms];
    for (int i = 0; i < rules::kLossTerms; ++i) terms[i] = zero;
    switch (static_cast<rules::Loss>(a.loss)) {
#define SETNET_ENTRY(Rule)                                     \
  case rules::Loss::Rule:                                      \
    if constexpr (rules::Rule::target == rules::Target::Class) \
      rules::Rule::gradient(panel, a.units, factors, terms);   \
    else                                                       \
      rules::Rule::gradient(numbers, a.units, factors, terms); \
    break;
      SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
    for (int i = 0; i < rules::kLossTerms; ++i) store(a.terms + i * a.termStride + v * kLanes, terms[i]);
    // Lanes beyond the batch's end must not reach any sum over samples.
    if (count < kLanes) {
      const uint16_t there = static_cast<uint16_t>((1u << count) - 1);
      for (int64_t u = 0; u < a.units; ++u) panel.set(u, whereBits(there, panel.get(u), zero));
    }
  }
}

static void probabilities(const ProbabilitiesArgs& a) {
  for (int64_t v = 0; v < a.vectors; ++v) {
    LossPanel panel{a.y.vector(v), a.y.width, a.y.vector(v), a.y.width, splatWords(0xFFFFFFFFu)};
    switch (static_cast<rules::Loss>(a.loss)) {
#define SETNET_ENTRY(Rule)                                      \
  case rules::Loss::Rule:                                       \
    rules::Rule::template probabilities<Lanes>(panel, a.units); \
    break;
      SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
  }
}
