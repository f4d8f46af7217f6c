// The sampled product: the weight gradient on the connections that exist, 16 of them at a time, and the optimizer applied
// to them at once. Lanes are samples while summing (that makes them the 16 chains of kernels.md section 0) and
// connections from the tree of sums on. A group of 16 runs over the ends of rows.

struct SparseSums {
  alignas(64) float chains[16][16];  // [connection of the group][sample mod 16]
};

// Adds the products of N vectors of samples to the chains of `count` connections of one row.
template <int N, int Width, bool First>
static void sampledProducts(const uint32_t* columns, int64_t count, const float* x, int64_t xStride,
                            const float* gradient, int64_t gradientStride, float* chains) {
  Lanes g[N];
  SETNET_UNROLL
  for (int v = 0; v < N; ++v) g[v] = load(gradient + v / 2 * gradientStride + v % 2 * kLanes);
  for (int64_t k = 0; k < count; ++k) {
    const float* source = x + static_cast<uint64_t>(columns[k]) * Width;
    Lanes sum = First ? splat(0.0f) : load(chains + k * kLanes);
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) sum = madd(g[v], load(source + v / 2 * xStride + v % 2 * kLanes), sum);
    store(chains + k * kLanes, sum);
  }
}

using SampledProducts = void (*)(const uint32_t*, int64_t, const float*, int64_t, const float*, int64_t, float*);

template <int N, bool First>
SETNET_INLINE SampledProducts sampledProductsOf(int64_t count) {
  if constexpr (N > 1) {
    if (count < N) return sampledProductsOf<N - 1, First>(count);
  }
  return &sampledProducts<N, 32, First>;
}

template <class Rule, bool Flag>
SETNET_INLINE void updateSums(const SparseSums& sums, int64_t count, float* values, float* const* state,
                              const Lanes* coefficients) {
  Lanes chains[16];
  SETNET_UNROLL
  for (int i = 0; i < 16; ++i) chains[i] = load(sums.chains[i]);
  const Lanes gradient = treeSums(chains) + splat(0.0f);
  Lanes s[rules::kMaxOptimizerState];
  if (count == kLanes) {
    Lanes weight = load(values);
    for (int i = 0; i < Rule::stateCount; ++i) s[i] = load(state[i]);
    Rule::update(weight, gradient, s, coefficients, Flag);
    store(values, weight);
    for (int i = 0; i < Rule::stateCount; ++i) store(state[i], s[i]);
  } else {
    Lanes weight = loadPart(values, count);
    for (int i = 0; i < Rule::stateCount; ++i) s[i] = loadPart(state[i], count);
    Rule::update(weight, gradient, s, coefficients, Flag);
    storePart(values, weight, count);
    for (int i = 0; i < Rule::stateCount; ++i) storePart(state[i], s[i], count);
  }
}

template <class Rule, bool Flag>
static void sparseUpdateWith(const SparseUpdateArgs& a) {
  Lanes coefficients[rules::kMaxCoefficients];
  for (int i = 0; i < Rule::coefficientCount; ++i) coefficients[i] = splat(a.optimizer.coefficients[i]);
  const uint64_t begin = a.rowPointers[a.rowBegin], end = a.rowPointers[a.rowEnd];
  const int64_t firstCount = a.vectors < kSparseVectors ? a.vectors : kSparseVectors;
  const SampledProducts first =
      a.x.width == kLanes ? &sampledProducts<1, 16, true> : sampledProductsOf<kSparseVectors, true>(firstCount);

  SparseSums sums = {};
  uint64_t group = begin;  // the first connection of the running group
  int64_t row = a.rowBegin;
  for (uint64_t k = begin; k < end;) {
    while (a.rowPointers[row + 1] <= k) ++row;
    uint64_t stop = group + kLanes;
    if (stop > a.rowPointers[row + 1]) stop = a.rowPointers[row + 1];
    const int64_t count = static_cast<int64_t>(stop - k);
    float* chains = sums.chains[k - group];
    const float* gradient = a.gradient.data + row * a.gradient.width;
    first(a.columns + k, count, a.x.data, a.x.stride, gradient, a.gradient.stride, chains);
    for (int64_t v = firstCount; v < a.vectors; v += kSparseVectors) {
      const int64_t panel = v / 2;  // more than 16 samples: the width is 32
      const int64_t left = a.vectors - v;
      sampledProductsOf<kSparseVectors, false>(left < kSparseVectors ? left : kSparseVectors)(
          a.columns + k, count, a.x.data + panel * a.x.stride, a.x.stride, gradient + panel * a.gradient.stride,
          a.gradient.stride, chains);
    }
    k = stop;
    if (k == group + kLanes || k == end) {
      float* state[rules::kMaxOptimizerState];
      for (int i = 0; i < Rule::stateCount; ++i) state[i] = a.state[i] + group;
      updateSums<Rule, Flag>(sums, static_cast<int64_t>(k - group), a.values + group, state, coefficients);
      group = k;
    }
  }
}

static void sparseUpdate(const SparseUpdateArgs& a) {
  if (a.rowBegin >= a.rowEnd) return;
  const bool flag = a.optimizer.coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(a.optimizer.rule)) {
#define SETNET_ENTRY(Rule)                                                                           \
  case rules::Optimizer::Rule:                                                                       \
    flag ? sparseUpdateWith<rules::Rule, true>(a) : sparseUpdateWith<rules::Rule, false>(a);         \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
