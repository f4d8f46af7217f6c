// The gradient of the biases (sums over the batch in the order of docs/how-it-works.md) and their update.

template <class Rule, bool Flag>
static void biasUpdateWith(const BiasUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  for (int64_t unit = a.unitBegin; unit < a.unitEnd; unit += kLanes) {
    const int64_t count = a.unitEnd - unit < kLanes ? a.unitEnd - unit : kLanes;
    Lanes chains[16];
    for (int64_t i = 0; i < kLanes; ++i) {
      Lanes sum = splat(0.0f);
      if (i < count)
        for (int64_t v = 0; v < a.vectors; ++v) sum = sum + load(a.gradient.vector(v) + (unit + i) * a.gradient.width);
      chains[i] = sum;
    }
    const Lanes gradient = treeSums(chains) + splat(0.0f);
    Lanes state[rules::kMaxOptimizerState];
    for (int i = 0; i < Rule::stateCount; ++i) state[i] = loadPart(a.state[i] + unit, count);
    Lanes bias = loadPart(a.bias + unit, count);
    Rule::update(bias, gradient, state, coefficients, Flag);
    storePart(a.bias + unit, bias, count);
    for (int i = 0; i < Rule::stateCount; ++i) storePart(a.state[i] + unit, state[i], count);
  }
}

static void biasUpdate(const BiasUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                               \
  case rules::Optimizer::Rule:                                                                           \
    flag ? biasUpdateWith<rules::Rule, rules::Rule::hasFlag>(a) : biasUpdateWith<rules::Rule, false>(a); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
