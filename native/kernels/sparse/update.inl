// The sampled product: the weight gradient on the connections that exist, and the optimizer applied to them at once.
// Lanes are samples while summing (that makes them the 16 chains of docs/how-it-works.md) and connections from the tree
// of sums on.
//
// A group is walked in pieces of up to 16 steps. For one of its four rows after the other the row's gradient is loaded
// once and the chains of its 16 connections are summed in registers; the four results are then woven into the order in
// which the connections lie.

constexpr int64_t kPieceSteps = 16;

// chains[i] += the products of N vectors of samples for connection i < Count of one row. A few chains side by side hide
// the latency of the multiply-add.
template <int N, int Width, int Count>
SETNET_INLINE void sampledProducts(const uint16_t* columns, const float* x, int64_t xStride, const Lanes (&g)[N],
                                   Lanes* chains) {
  SETNET_UNROLL
  for (int i = 0; i < Count; i += kSampledRows) {
    const float* source[kSampledRows];
    SETNET_UNROLL
    for (int j = 0; j < kSampledRows; ++j) source[j] = x + static_cast<uint64_t>(columns[kGroupRows * (i + j)]) * Width;
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) {
      SETNET_UNROLL
      for (int j = 0; j < kSampledRows; ++j)
        chains[i + j] = madd(g[v], load(source[j] + v / 2 * xStride + v % 2 * kLanes), chains[i + j]);
    }
  }
}

template <int N>
SETNET_INLINE void loadGradient(const float* gradient, int64_t stride, Lanes (&g)[N]) {
  SETNET_UNROLL
  for (int v = 0; v < N; ++v) g[v] = load(gradient + v / 2 * stride + v % 2 * kLanes);
}

// Vectors from kSampledVectors on, for batches whose row of the gradient does not fit into the registers.
template <int N, int Count>
SETNET_INLINE void sampledRest(const SparseUpdateArgs& a, const uint16_t* columns, int64_t first, int64_t count,
                               const float* x, const float* gradient, Lanes* chains) {
  if constexpr (N > 1) {
    if (count < N) return sampledRest<N - 1, Count>(a, columns, first, count, x, gradient, chains);
  }
  Lanes g[N];
  loadGradient(gradient + first / 2 * a.gradient.stride, a.gradient.stride, g);
  sampledProducts<N, 32, Count>(columns, x + first / 2 * a.x.stride, a.x.stride, g, chains);
}

// The gradients of Count connections of one row, one per lane.
template <int N, int Width, int Count>
static Lanes rowGradients(const SparseUpdateArgs& a, const uint16_t* columns, const float* x, const float* gradient) {
  Lanes g[N];
  loadGradient(gradient, a.gradient.stride, g);
  Lanes chains[16];
  SETNET_UNROLL
  for (int i = 0; i < 16; ++i) chains[i] = splat(0.0f);
  sampledProducts<N, Width, Count>(columns, x, a.x.stride, g, chains);
  if constexpr (N == kSampledVectors) {
    for (int64_t v = N; v < a.vectors; v += N) sampledRest<N, Count>(a, columns, v, a.vectors - v, x, gradient, chains);
  }
  return treeSums(chains) + splat(0.0f);
}

// The gradients of a piece in the order of its connections: steps 4 h to 4 h + 3 in woven[h].
template <int N, int Width>
SETNET_INLINE void pieceGradients(const SparseUpdateArgs& a, const uint32_t* rows, const uint16_t* columns,
                                  int64_t steps, const float* x, Lanes (&woven)[4]) {
  Lanes gradients[kGroupRows];
  for (int r = 0; r < kGroupRows; ++r) {
    const float* gradient = a.gradient.data + static_cast<int64_t>(rows[r]) * Width;
    if (steps > 12)
      gradients[r] = rowGradients<N, Width, 16>(a, columns + r, x, gradient);
    else if (steps > 8)
      gradients[r] = rowGradients<N, Width, 12>(a, columns + r, x, gradient);
    else if (steps > 4)
      gradients[r] = rowGradients<N, Width, 8>(a, columns + r, x, gradient);
    else
      gradients[r] = rowGradients<N, Width, 4>(a, columns + r, x, gradient);
  }
  weave(gradients, woven);
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

// Asks for values in a state in which they can be written: other cores have read them in the products, and a store
// waits until their copies are gone. A prefetch beyond the end does no harm.
constexpr int64_t kUpdateAhead = 128;
SETNET_INLINE void prefetchForUpdate(const float* values, int64_t steps) {
  constexpr int kWrite = 1;
  for (int64_t i = 0; i < kGroupRows * steps; i += kLanes) __builtin_prefetch(values + i, kWrite);
}

template <class Rule, bool Flag, int N, int Width>
static void sparseUpdateRows(const SparseUpdateArgs& a) {
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
  for (int64_t block = 0; block < a.w.blocks; ++block) {
    const float* x = a.x.data + firstRowOfX(a.w, block) * Width;
    for (int64_t group = 0; group < a.w.groups; ++group, rows += kGroupRows, lengths += kGroupRows) {
      const int64_t count = *steps++;
      for (int64_t k = 0; k < count; k += kPieceSteps) {
        const int64_t piece = count - k < kPieceSteps ? count - k : kPieceSteps;
        prefetchForUpdate(values + kUpdateAhead, piece);
        Lanes woven[4];
        pieceGradients<N, Width>(a, rows, columns, piece, x, woven);
        columns += kGroupRows * piece;
        SETNET_UNROLL
        for (int h = 0; h < 4; ++h) {
          const int64_t left = kGroupRows * (piece - 4 * h);
          if (left <= 0) break;
          // What pads a group stays 0, and so does its state.
          const uint16_t there = stepBits(lengths, k + 4 * h);
          const Lanes gradient = there == 0xFFFF ? woven[h] : whereBits(there, woven[h], zero);
          Lanes s[rules::kMaxOptimizerState];
          if (left >= kLanes) {
            Lanes weight = load(values);
            for (int i = 0; i < Rule::stateCount; ++i) s[i] = load(state[i]);
            Rule::update(weight, gradient, s, coefficients, Flag);
            store(values, weight);
            for (int i = 0; i < Rule::stateCount; ++i) store(state[i], s[i]);
          } else {
            Lanes weight = loadPart(values, left);
            for (int i = 0; i < Rule::stateCount; ++i) s[i] = loadPart(state[i], left);
            Rule::update(weight, gradient, s, coefficients, Flag);
            storePart(values, weight, left);
            for (int i = 0; i < Rule::stateCount; ++i) storePart(state[i], s[i], left);
          }
          const int64_t done = left < kLanes ? left : kLanes;
          values += done;
          for (int i = 0; i < Rule::stateCount; ++i) state[i] += done;
        }
      }
    }
  }
}

template <class Rule, bool Flag, int N>
SETNET_INLINE void sparseUpdateVectors(const SparseUpdateArgs& a) {
  if constexpr (N > 0) {
    if (a.vectors >= N)
      sparseUpdateRows<Rule, Flag, N, 32>(a);
    else
      sparseUpdateVectors<Rule, Flag, N - 1>(a);
  }
}

template <class Rule, bool Flag>
SETNET_INLINE void sparseUpdateWith(const SparseUpdateArgs& a) {
  if (a.x.width == kLanes)
    sparseUpdateRows<Rule, Flag, 1, 16>(a);
  else
    sparseUpdateVectors<Rule, Flag, kSampledVectors>(a);
}

static void sparseUpdate(const SparseUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                                   \
  case rules::Optimizer::Rule:                                                                               \
    flag ? sparseUpdateWith<rules::Rule, rules::Rule::hasFlag>(a) : sparseUpdateWith<rules::Rule, false>(a); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
