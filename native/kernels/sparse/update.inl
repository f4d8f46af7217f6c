// The sampled product: the weight gradient on the connections that exist, and the optimizer applied to them at once.
// Lanes are samples while summing (that makes them the 16 chains of docs/how-it-works.md) and connections from the tree
// of sums on.
//
// A group is walked in pieces of up to 8 steps, which are 32 connections. For one of its four rows after the other the
// row's gradient is loaded once and up to 8 connections are summed side by side, which hides the latency of the
// multiply-add; their chains go to a small buffer in the order of the connections, where the tree finds them.

constexpr int kPieceSteps = 8;
constexpr int64_t kPieceConnections = kPieceSteps * kGroupRows;

// The chains of C connections of one row: N vectors of samples, added to what is there unless `fresh`.
template <int N, int C, int Width>
SETNET_INLINE void sampledChains(const uint16_t* columns, const float* x, int64_t xStride, const Lanes (&g)[N],
                                 bool fresh, Lanes* chains) {
  Lanes sum[C];
  const float* source[C];
  SETNET_UNROLL
  for (int i = 0; i < C; ++i) {
    source[i] = x + static_cast<uint64_t>(columns[kGroupRows * i]) * Width;
    sum[i] = fresh ? splat(0.0f) : chains[kGroupRows * i];
  }
  SETNET_UNROLL
  for (int v = 0; v < N; ++v) {
    SETNET_UNROLL
    for (int i = 0; i < C; ++i) sum[i] = madd(g[v], load(source[i] + v / 2 * xStride + v % 2 * kLanes), sum[i]);
  }
  SETNET_UNROLL
  for (int i = 0; i < C; ++i) chains[kGroupRows * i] = sum[i];
}

// `count` connections (at most C, at least one; what lies behind the last one is readable) of one row.
template <int N, int C, int Width>
SETNET_INLINE void sampledRow(const uint16_t* columns, int64_t count, const float* x, int64_t xStride,
                              const Lanes (&g)[N], bool fresh, Lanes* chains) {
  if constexpr (C > 2) {
    if (count <= C / 2) return sampledRow<N, C / 2, Width>(columns, count, x, xStride, g, fresh, chains);
  }
  sampledChains<N, C, Width>(columns, x, xStride, g, fresh, chains);
}

// The chains of `steps` steps of a group for N vectors of samples, beginning with the panels at x and gradient.
template <int N, int Width>
static void sampledPiece(const uint32_t* rows, const uint16_t* columns, int64_t steps, const float* x, int64_t xStride,
                         const float* gradient, int64_t gradientStride, bool fresh, Lanes* chains) {
  SETNET_UNROLL
  for (int r = 0; r < kGroupRows; ++r) {
    const float* from = gradient + static_cast<int64_t>(rows[r]) * Width;
    Lanes g[N];
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) g[v] = load(from + v / 2 * gradientStride + v % 2 * kLanes);
    for (int64_t k = 0; k < steps; k += kSampledRows)
      sampledRow<N, kSampledRows, Width>(columns + r + kGroupRows * k, steps - k, x, xStride, g, fresh,
                                         chains + r + kGroupRows * k);
  }
}

template <int N>
SETNET_INLINE void sampledVectors(int64_t vectors, const uint32_t* rows, const uint16_t* columns, int64_t steps,
                                  const float* x, int64_t xStride, const float* gradient, int64_t gradientStride,
                                  bool fresh, Lanes* chains) {
  if constexpr (N > 1) {
    if (vectors < N)
      return sampledVectors<N - 1>(vectors, rows, columns, steps, x, xStride, gradient, gradientStride, fresh, chains);
  }
  sampledPiece<N, 32>(rows, columns, steps, x, xStride, gradient, gradientStride, fresh, chains);
}

// Which of the 16 connections of steps [k, k + 4) exist.
SETNET_INLINE uint16_t stepBits(const uint16_t* lengths, int64_t k) {
  uint32_t bits = 0;
  SETNET_UNROLL
  for (int r = 0; r < kGroupRows; ++r) {
    const int64_t left = lengths[r] - k;
    const uint32_t there = left >= 4 ? 4 : left > 0 ? static_cast<uint32_t>(left) : 0;
    bits |= (0x1111u << r) & ((1u << 4 * there) - 1);
  }
  return static_cast<uint16_t>(bits);
}

template <class Rule, bool Flag>
static void sparseUpdateWith(const SparseUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  const Lanes zero = splat(0.0f);
  const uint16_t* columns = a.w.columns;
  const uint32_t* rows = a.w.rows;
  const uint16_t* lengths = a.w.lengths;
  const uint32_t* steps = a.w.steps;
  float* values = a.w.values;
  float* state[rules::kMaxOptimizerState];
  for (int i = 0; i < Rule::stateCount; ++i) state[i] = a.state[i];
  Lanes chains[kPieceConnections];
  for (Lanes& chain : chains) chain = zero;
  for (int64_t block = 0; block < a.w.blocks; ++block) {
    const float* x = a.x.data + block * a.w.blockWidth * a.x.width;
    for (int64_t group = 0; group < a.w.groups; ++group, rows += kGroupRows, lengths += kGroupRows) {
      const int64_t count = *steps++;
      for (int64_t k = 0; k < count; k += kPieceSteps) {
        const int64_t piece = count - k < kPieceSteps ? count - k : kPieceSteps;
        if (a.x.width == kLanes) {
          sampledPiece<1, 16>(rows, columns, piece, x, a.x.stride, a.gradient.data, a.gradient.stride, true, chains);
        } else {
          for (int64_t v = 0; v < a.vectors; v += kSampledVectors)
            sampledVectors<kSampledVectors>(a.vectors - v, rows, columns, piece, x + v / 2 * a.x.stride, a.x.stride,
                                            a.gradient.data + v / 2 * a.gradient.stride, a.gradient.stride, v == 0,
                                            chains);
        }
        for (int64_t h = 0; h < piece; h += 4) {
          const int64_t part = piece - h < 4 ? kGroupRows * (piece - h) : kLanes;
          const uint16_t there = stepBits(lengths, k + h);
          // Chains beyond the piece were not written in this turn; whatever they hold is not used.
          Lanes gradient = treeSums(chains + kGroupRows * h) + zero;
          // What pads a group stays 0, and so does its state.
          if (there != 0xFFFF) gradient = whereBits(there, gradient, zero);
          Lanes s[rules::kMaxOptimizerState];
          Lanes weight;
          if (part == kLanes) {
            weight = load(values);
            for (int i = 0; i < Rule::stateCount; ++i) s[i] = load(state[i]);
            Rule::update(weight, gradient, s, coefficients, Flag);
            store(values, weight);
            for (int i = 0; i < Rule::stateCount; ++i) store(state[i], s[i]);
          } else {
            weight = loadPart(values, part);
            for (int i = 0; i < Rule::stateCount; ++i) s[i] = loadPart(state[i], part);
            Rule::update(weight, gradient, s, coefficients, Flag);
            storePart(values, weight, part);
            for (int i = 0; i < Rule::stateCount; ++i) storePart(state[i], s[i], part);
          }
          values += part;
          for (int i = 0; i < Rule::stateCount; ++i) state[i] += part;
        }
        columns += kGroupRows * piece;
      }
    }
  }
}

static void sparseUpdate(const SparseUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                   \
  case rules::Optimizer::Rule:                                                               \
    flag ? sparseUpdateWith<rules::Rule, true>(a) : sparseUpdateWith<rules::Rule, false>(a); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
