// The update of numbers whose gradients are known and only have to be scaled: after the gradients of a whole network
// have been measured.

template <class Rule, bool Flag>
static void scaledUpdateWith(const ScaledUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  const Lanes scale = splat(a.scale);
  for (int64_t first = 0; first < a.count; first += kLanes) {
    const int64_t count = a.count - first < kLanes ? a.count - first : kLanes;
    Lanes state[rules::kMaxOptimizerState];
    for (int i = 0; i < Rule::stateCount; ++i) state[i] = loadPart(a.state[i] + first, count);
    Lanes value = loadPart(a.values + first, count);
    Rule::update(value, loadPart(a.gradient + first, count) * scale, state, coefficients, Flag);
    storePart(a.values + first, value, count);
    for (int i = 0; i < Rule::stateCount; ++i) storePart(a.state[i] + first, state[i], count);
  }
}

static void scaledUpdate(const ScaledUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                                   \
  case rules::Optimizer::Rule:                                                                               \
    flag ? scaledUpdateWith<rules::Rule, rules::Rule::hasFlag>(a) : scaledUpdateWith<rules::Rule, false>(a); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
