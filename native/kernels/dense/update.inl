// The dense weight gradient, mask, optimizer and update in one pass; the gradient never leaves the registers.
//
// Lanes are inputs here, not samples: each of the 16 chains of kernels.md section 0 is a whole tile of its own, and the
// chains' tiles are added as the tree says. Taken in the order 0, 8, 4, 12, 2, ... (bit-reversed), chain after chain can
// be folded into partial sums like carries of a binary counter: at most four tiles wait. There is no transposition, and
// batches that are no multiple of 16 cost nothing.

template <int R, int V>
struct WaitingTiles {
  Lanes level[4][R][V];
};

template <int R, int V>
SETNET_INLINE void chainTile(const float* gradient, const float* x, int64_t tileStride, int64_t chain, int64_t samples,
                             Lanes (&sum)[R][V]) {
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    SETNET_UNROLL
    for (int v = 0; v < V; ++v) sum[r][v] = splat(0.0f);
  }
  const int64_t terms = samples > chain ? (samples - chain + kLanes - 1) / kLanes : 0;
  tileProducts<R, V>(gradient + chain * kLanes, 1, kLanes * kLanes, x + chain * kLanes, tileStride, kLanes * kLanes,
                     terms, sum);
}

// The gradient of a tile of R units and 16 V inputs.
template <int R, int V>
SETNET_INLINE void gradientTile(const float* gradient, const float* x, int64_t tileStride, int64_t samples,
                                WaitingTiles<R, V>* waiting, Lanes (&sum)[R][V]) {
  constexpr int64_t kOrder[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
  for (int turn = 0; turn < 16; ++turn) {
    chainTile<R, V>(gradient, x, tileStride, kOrder[turn], samples, sum);
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
  WaitingTiles<R, V> waiting;
  Lanes sum[R][V];
  gradientTile<R, V>(a.gradient + unit / kLanes * a.tileStride + unit % kLanes, a.x + input / kLanes * a.tileStride,
                     a.tileStride, a.samples, &waiting, sum);
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
#define SETNET_ENTRY(Rule)                                                                         \
  case rules::Optimizer::Rule:                                                                     \
    flag ? denseUpdateWith<rules::Rule, true>(a) : denseUpdateWith<rules::Rule, false>(a);         \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
