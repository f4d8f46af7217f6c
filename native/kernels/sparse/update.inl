// The sampled product: the weight gradient on the connections that exist, 16 of them at a time, and the optimizer
// applied to them at once. Lanes are samples while summing (that makes them the 16 chains of docs/how-it-works.md) and
// connections from the tree of sums on. Groups of 16 begin anew in every row: then the row's gradient stays in
// registers and the length of the inner loop is known, which is worth more than full groups.

// chains[i] += the products of N vectors of samples for connection i < Count. A few chains side by side hide the
// latency of the multiply-add.
template <int N, int Width, int Count>
SETNET_INLINE void sampledProducts(const uint32_t* columns, const float* x, int64_t xStride, const Lanes (&g)[N],
                                   Lanes* chains) {
  SETNET_UNROLL
  for (int i = 0; i < Count; i += kSampledRows) {
    const float* source[kSampledRows];
    SETNET_UNROLL
    for (int j = 0; j < kSampledRows; ++j) source[j] = x + static_cast<uint64_t>(columns[i + j]) * Width;
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

// The same with the gradient's vectors from memory: N vectors at the panels that x and gradient point to.
template <int N, int Count>
SETNET_INLINE void sampledVectors(const SparseUpdateArgs& a, const uint32_t* columns, int64_t count, const float* x,
                                  const float* gradient, Lanes* chains) {
  if constexpr (N > 1) {
    if (count < N) return sampledVectors<N - 1, Count>(a, columns, count, x, gradient, chains);
  }
  Lanes g[N];
  loadGradient(gradient, a.gradient.stride, g);
  sampledProducts<N, 32, Count>(columns, x, a.x.stride, g, chains);
}

// Vectors from kSparseVectors on, for batches whose row of the gradient does not fit into the registers.
template <int Count>
static void sampledRest(const SparseUpdateArgs& a, const uint32_t* columns, const float* gradient, Lanes* chains) {
  for (int64_t v = kSparseVectors; v < a.vectors; v += kSparseVectors)
    sampledVectors<kSparseVectors, Count>(a, columns, a.vectors - v, a.x.data + v / 2 * a.x.stride,
                                          gradient + v / 2 * a.gradient.stride, chains);
}

// The gradients of Count connections of one row, one per lane.
template <int N, int Width, int Count>
SETNET_INLINE Lanes sampledGradients(const SparseUpdateArgs& a, const uint32_t* columns, const float* gradient,
                                     const Lanes (&g)[N]) {
  Lanes chains[16];
  SETNET_UNROLL
  for (int i = 0; i < 16; ++i) chains[i] = splat(0.0f);
  sampledProducts<N, Width, Count>(columns, a.x.data, a.x.stride, g, chains);
  if constexpr (N == kSparseVectors) {
    if (a.vectors > N) sampledRest<Count>(a, columns, gradient, chains);
  }
  return treeSums(chains) + splat(0.0f);
}

// The end of a row: fewer than 16 connections, computed in steps of 4. Columns that are read beyond the row's end are
// the last one's again; what is computed for them is not stored.
template <int N, int Width>
static Lanes lastGradients(const SparseUpdateArgs& a, uint64_t k, int64_t count, const float* gradient,
                           const Lanes (&g)[N]) {
  uint32_t columns[16];
  for (int64_t i = 0; i < (count + 3) / 4 * 4; ++i)
    columns[i] = a.columns[k + static_cast<uint64_t>(i < count ? i : count - 1)];
  if (count > 12) return sampledGradients<N, Width, 16>(a, columns, gradient, g);
  if (count > 8) return sampledGradients<N, Width, 12>(a, columns, gradient, g);
  if (count > 4) return sampledGradients<N, Width, 8>(a, columns, gradient, g);
  return sampledGradients<N, Width, 4>(a, columns, gradient, g);
}

template <class Rule, bool Flag, int N, int Width>
static void sparseUpdateRows(const SparseUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  for (int64_t row = a.rowBegin; row < a.rowEnd; ++row) {
    uint64_t k = a.rowPointers[row];
    const uint64_t end = a.rowPointers[row + 1];
    if (k == end) continue;
    const float* gradient = a.gradient.data + row * Width;
    Lanes g[N];
    loadGradient(gradient, a.gradient.stride, g);
    Lanes state[rules::kMaxOptimizerState];
    for (; k + kLanes <= end; k += kLanes) {
      const Lanes sums = sampledGradients<N, Width, 16>(a, a.columns + k, gradient, g);
      Lanes weight = load(a.values + k);
      for (int i = 0; i < Rule::stateCount; ++i) state[i] = load(a.state[i] + k);
      Rule::update(weight, sums, state, coefficients, Flag);
      store(a.values + k, weight);
      for (int i = 0; i < Rule::stateCount; ++i) store(a.state[i] + k, state[i]);
    }
    if (k == end) continue;
    const int64_t count = static_cast<int64_t>(end - k);
    const Lanes sums = lastGradients<N, Width>(a, k, count, gradient, g);
    Lanes weight = loadPart(a.values + k, count);
    for (int i = 0; i < Rule::stateCount; ++i) state[i] = loadPart(a.state[i] + k, count);
    Rule::update(weight, sums, state, coefficients, Flag);
    storePart(a.values + k, weight, count);
    for (int i = 0; i < Rule::stateCount; ++i) storePart(a.state[i] + k, state[i], count);
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

static void sparseUpdate(const SparseUpdateArgs& a) {
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                                   \
  case rules::Optimizer::Rule:                                                                               \
    if (a.x.width == kLanes)                                                                                 \
      flag ? sparseUpdateRows<rules::Rule, true, 1, 16>(a) : sparseUpdateRows<rules::Rule, false, 1, 16>(a); \
    else                                                                                                     \
      flag ? sparseUpdateVectors<rules::Rule, true, kSparseVectors>(a)                                       \
           : sparseUpdateVectors<rules::Rule, false, kSparseVectors>(a);                                     \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
