// y = start + W x for a dense W and a single sample. Lanes are rows, so that each is one chain: blocks of 16 x 16
// weights are transposed in registers.

template <int T>
static void denseVectorTiles(const DenseVectorArgs& a, int64_t row) {
  Lanes sum[T];
  SETNET_UNROLL
  for (int t = 0; t < T; ++t) {
    const int64_t first = row + t * kLanes;
    sum[t] = a.start ? loadPart(a.start + first, a.rowEnd - first < kLanes ? a.rowEnd - first : kLanes) : splat(0.0f);
  }
  const float* weights = a.weights + row * a.stride;
  for (int64_t c = 0; c < a.inputs; c += kLanes) {
    Lanes block[T][16];
    SETNET_UNROLL
    for (int t = 0; t < T; ++t) {
      SETNET_UNROLL
      for (int i = 0; i < 16; ++i) block[t][i] = load(weights + (t * kLanes + i) * a.stride + c);
      transpose16(block[t]);
    }
    SETNET_UNROLL
    for (int j = 0; j < 16; ++j) {
      const Lanes x = splat(a.x[c + j]);
      SETNET_UNROLL
      for (int t = 0; t < T; ++t) sum[t] = madd(block[t][j], x, sum[t]);
    }
  }
  SETNET_UNROLL
  for (int t = 0; t < T; ++t) store(a.y + row + t * kLanes, sum[t] + splat(0.0f));
}

static void denseVector(const DenseVectorArgs& a) {
  int64_t row = a.rowBegin;
  if constexpr (kDenseTiles == 2) {
    for (; row + kLanes < a.rowEnd; row += 2 * kLanes) denseVectorTiles<2>(a, row);
  }
  for (; row < a.rowEnd; row += kLanes) denseVectorTiles<1>(a, row);
}
