// The dense weight gradient, mask, optimizer and update in one pass; the gradient never leaves the registers.
//
// Lanes are inputs here, not samples: each of the 16 chains of docs/how-it-works.md is a whole tile of its own, and the
// chains' tiles are added as the tree says. Taken in the order kChainOrder (bit-reversed), chain after chain can be
// folded into partial sums like carries of a binary counter: at most four tiles wait. Nothing is transposed here, and
// batches that are no multiple of 16 cost nothing.

template <int R, int V>
struct WaitingTiles {
  Lanes level[4][R][V];
};

// The gradient of a tile of R units and 16 V inputs.
template <int R, int V>
SETNET_INLINE void gradientTile(const DenseUpdateArgs& a, const float* gradient, const float* x,
                                WaitingTiles<R, V>* waiting, Lanes (&sum)[R][V]) {
  for (int turn = 0; turn < 16; ++turn) {
    SETNET_UNROLL
    for (int r = 0; r < R; ++r) {
      SETNET_UNROLL
      for (int v = 0; v < V; ++v) sum[r][v] = splat(0.0f);
    }
    const int64_t chain = kChainOrder[turn];
    const int64_t terms = a.samples > chain ? (a.samples - chain + kLanes - 1) / kLanes : 0;
    tileProducts<R, V>(gradient, 1, kLanes, x, a.tileStride, kLanes, terms, sum);
    gradient += a.vectors * kLanes;
    x += a.vectors * kLanes;

    int level = 0;
    for (; turn >> level & 1; ++level) {
      SETNET_UNROLL
      for (int r = 0; r < R; ++r) {
        SETNET_UNROLL
        for (int v = 0; v < V; ++v) sum[r][v] = waiting->level[level][r][v] + sum[r][v];
      }
    }
    if (turn == 15) break;
    SETNET_UNROLL
    for (int r = 0; r < R; ++r) {
      SETNET_UNROLL
      for (int v = 0; v < V; ++v) waiting->level[level][r][v] = sum[r][v];
    }
  }
}

template <class Rule, bool Flag, int R, int V>
static void updateTile(const DenseUpdateArgs& a, int64_t unit, int64_t input, const Lanes* coefficients) {
  // Weights and state come from memory or the last cache; the sums take long enough for them to arrive.
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      const int64_t at = (unit + r) * a.stride + input + v * kLanes;
      __builtin_prefetch(a.weights + at, 1);
      for (int i = 0; i < Rule::stateCount; ++i) __builtin_prefetch(a.state[i] + at, 1);
    }
  }
  WaitingTiles<R, V> waiting;
  Lanes sum[R][V];
  gradientTile<R, V>(a, a.gradient + unit / kLanes * a.tileStride + unit % kLanes, a.x + input / kLanes * a.tileStride,
                     &waiting, sum);
  const Lanes zero = splat(0.0f);
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    SETNET_UNROLL
    for (int v = 0; v < V; ++v) {
      const int64_t at = (unit + r) * a.stride + input + v * kLanes;
      Lanes gradient = sum[r][v] + zero;
      if (a.mask) gradient = whereBits(a.mask[(unit + r) * a.maskStride + input / kLanes + v], gradient, zero);
      Lanes state[rules::kMaxOptimizerState];
      for (int i = 0; i < Rule::stateCount; ++i) state[i] = load(a.state[i] + at);
      Lanes weight = load(a.weights + at);
      Rule::update(weight, gradient, state, coefficients, Flag);
      store(a.weights + at, weight);
      for (int i = 0; i < Rule::stateCount; ++i) store(a.state[i] + at, state[i]);
    }
  }
}

template <class Rule, bool Flag, int V>
SETNET_INLINE void updateColumns(const DenseUpdateArgs& a, int64_t unit, int64_t input, const Lanes* coefficients) {
  for (; input + (V - 1) * kLanes < a.inputs; input += V * kLanes)
    updateTile<Rule, Flag, kUpdateRows, V>(a, unit, input, coefficients);
  if constexpr (V > 1) updateColumns<Rule, Flag, V - 1>(a, unit, input, coefficients);
}

template <class Rule, bool Flag>
static void denseUpdateWith(const DenseUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  // Rows beyond the last unit exist, have gradients of 0 and stay 0.
  for (int64_t unit = a.rowBegin; unit < a.rowEnd; unit += kUpdateRows)
    updateColumns<Rule, Flag, kUpdateVectors>(a, unit, 0, coefficients);
}

static void denseUpdate(const DenseUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                                 \
  case rules::Optimizer::Rule:                                                                             \
    flag ? denseUpdateWith<rules::Rule, rules::Rule::hasFlag>(a) : denseUpdateWith<rules::Rule, false>(a); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
