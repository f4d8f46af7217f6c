// y = start + W x for a sparse W in CSR form: the forward product, and with the transposed form the input gradient.
// A row is walked once for up to kSparseVectors vectors of samples: index and value are loaded once for all of them,
// and their independent chains hide the latency of the multiply-add.

// N vectors from the panel at x on; Width is the panels' width.
template <int N, int Width>
static void sparseRows(const SparseProductArgs& a, const float* x, float* y) {
  const int64_t xStride = a.x.stride, yStride = a.y.stride;
  uint64_t k = a.rowPointers[a.rowBegin];
  for (int64_t r = a.rowBegin; r < a.rowEnd; ++r) {
    Lanes sum[N];
    const Lanes start = splat(a.start ? a.start[r] : 0.0f);
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) sum[v] = start;
    const uint64_t end = a.rowPointers[r + 1];
    for (; k < end; ++k) {
      const float* source = x + static_cast<uint64_t>(a.columns[k]) * Width;
      const Lanes value = splat(a.values[k]);
      SETNET_UNROLL
      for (int v = 0; v < N; ++v) sum[v] = madd(value, load(source + v / 2 * xStride + v % 2 * kLanes), sum[v]);
    }
    float* target = y + r * Width;
    SETNET_UNROLL
    for (int v = 0; v < N; ++v) store(target + v / 2 * yStride + v % 2 * kLanes, sum[v] + splat(0.0f));
  }
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
