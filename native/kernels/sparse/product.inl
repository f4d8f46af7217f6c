// y = start + W x for a sparse W in CSR form: the forward product, and with the transposed form the input gradient.
// A row is walked once for up to kSparseVectors vectors of samples: index and value are loaded once for all of them,
// and their independent chains hide the latency of the multiply-add.

// Adds the products of connections [k, end) of one row for N vectors; Width is the panels' width.
template <int N, int Width>
SETNET_INLINE void sparseChain(const SparseProductArgs& a, const float* x, uint64_t k, uint64_t end, Lanes (&sum)[N]) {
  const int64_t stride = a.x.stride;
  for (; k < end; ++k) {
    const float* source = x + static_cast<uint64_t>(a.columns[k]) * Width;
    const Lanes value = splat(a.values[k]);
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) sum[v] = madd(value, load(source + v / 2 * stride + v % 2 * kLanes), sum[v]);
  }
}

// N vectors of R rows from the panel at x on. With few vectors a row alone would wait for its own multiply-adds: R rows
// go side by side as far as the shortest one reaches, then each by itself.
template <int N, int Width, int R>
SETNET_INLINE void sparseRowGroup(const SparseProductArgs& a, const float* x, float* y, int64_t row) {
  Lanes sum[R][N];
  uint64_t begin[R];
  uint64_t common = ~uint64_t{0};
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    const Lanes start = splat(a.start ? a.start[row + r] : 0.0f);
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) sum[r][v] = start;
    begin[r] = a.rowPointers[row + r];
    const uint64_t length = a.rowPointers[row + r + 1] - begin[r];
    common = length < common ? length : common;
  }
  if constexpr (R > 1) {
    const int64_t stride = a.x.stride;
    for (uint64_t k = 0; k < common; ++k) {
      SETNET_UNROLL
      for (int r = 0; r < R; ++r) {
        const float* source = x + static_cast<uint64_t>(a.columns[begin[r] + k]) * Width;
        const Lanes value = splat(a.values[begin[r] + k]);
        SETNET_UNROLL
        for (int v = 0; v < N; ++v) sum[r][v] = madd(value, load(source + v / 2 * stride + v % 2 * kLanes), sum[r][v]);
      }
    }
  } else {
    common = 0;
  }
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    sparseChain<N, Width>(a, x, begin[r] + common, a.rowPointers[row + r + 1], sum[r]);
    float* target = y + (row + r) * Width;
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) store(target + v / 2 * a.y.stride + v % 2 * kLanes, sum[r][v] + splat(0.0f));
  }
}

template <int N, int Width>
static void sparseRows(const SparseProductArgs& a, const float* x, float* y) {
  constexpr int R = N * 2 <= kSparseVectors ? (N == 1 && kSparseVectors >= 4 ? 4 : 2) : 1;
  int64_t row = a.rowBegin;
  for (; row + R <= a.rowEnd; row += R) sparseRowGroup<N, Width, R>(a, x, y, row);
  for (; row < a.rowEnd; ++row) sparseRowGroup<N, Width, 1>(a, x, y, row);
}

template <int N>
SETNET_INLINE void sparseVectors(const SparseProductArgs& a, int64_t first, int64_t count) {
  if constexpr (N > 0) {
    if (count == N)
      sparseRows<N, 32>(a, a.x.vector(first), a.y.vector(first));
    else
      sparseVectors<N - 1>(a, first, count);
  }
}

static void sparseProduct(const SparseProductArgs& a) {
  if (a.rowBegin >= a.rowEnd) return;
  for (int64_t v = 0; v < a.vectors;) {
    if (a.x.width == kLanes) {
      sparseRows<1, 16>(a, a.x.vector(v), a.y.vector(v));
      ++v;
      continue;
    }
    const int64_t count = a.vectors - v < kSparseVectors ? a.vectors - v : kSparseVectors;
    sparseVectors<kSparseVectors>(a, v, count);
    v += count;
  }
}

static void gather(const GatherArgs& a) {
  for (int64_t k = a.begin; k < a.end; ++k) a.to[k] = a.from[a.positions[k]];
}
