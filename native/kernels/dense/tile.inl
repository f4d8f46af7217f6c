// The register tile that all dense kernels are made of: R x V vectors of sums, each one chain of multiply-adds.
//   sum[r][v] += a[r * aRow + k * aStep] * b[v * bVector + k * bStep ...], k ascending

template <int R, int V>
SETNET_INLINE void tileProducts(const float* a, int64_t aRow, int64_t aStep, const float* b, int64_t bVector,
                                int64_t bStep, int64_t count, Lanes (&sum)[R][V]) {
  for (int64_t k = 0; k < count; ++k) {
    Lanes x[V];
    SETNET_UNROLL
    for (int v = 0; v < V; ++v) x[v] = load(b + v * bVector);
    SETNET_UNROLL
    for (int r = 0; r < R; ++r) {
      const Lanes w = splat(a[r * aRow]);
      SETNET_UNROLL
      for (int v = 0; v < V; ++v) sum[r][v] = madd(w, x[v], sum[r][v]);
    }
    a += aStep;
    b += bStep;
  }
}

// How a tile of the result begins and ends.
struct TileEnds {
  bool first;  // begin at start (or 0), else at the stored value
  bool last;   // add +0.0f, so that -0 never leaves a finished chain
};

// R rows from `y` on, `width` floats apart, V vectors each.
template <int R, int V>
SETNET_INLINE void productTile(const float* a, int64_t aRow, int64_t aStep, const float* b, int64_t bStep,
                               int64_t count, const float* start, float* y, int64_t width, TileEnds ends) {
  Lanes sum[R][V];
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    SETNET_UNROLL
    for (int v = 0; v < V; ++v)
      sum[r][v] = ends.first ? splat(start ? start[r] : 0.0f) : load(y + r * width + v * kLanes);
  }
  tileProducts<R, V>(a, aRow, aStep, b, kLanes, bStep, count, sum);
  const Lanes zero = splat(0.0f);
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    SETNET_UNROLL
    for (int v = 0; v < V; ++v) store(y + r * width + v * kLanes, ends.last ? sum[r][v] + zero : sum[r][v]);
  }
}

// R rows for all vectors of the batch.
template <int R>
static void productRows(const float* a, int64_t aRow, int64_t aStep, const ConstPanels& x, int64_t xFirst,
                        int64_t count, const float* start, const Panels& y, int64_t yFirst, int64_t vectors,
                        TileEnds ends) {
  for (int64_t v = 0; v < vectors;) {
    const float* b = x.vector(v) + xFirst * x.width;
    float* to = y.vector(v) + yFirst * y.width;
    if constexpr (kDenseVectors == 2) {
      if (v + 2 <= vectors && x.width == 2 * kLanes) {
        productTile<R, 2>(a, aRow, aStep, b, x.width, count, start, to, y.width, ends);
        v += 2;
        continue;
      }
    }
    productTile<R, 1>(a, aRow, aStep, b, x.width, count, start, to, y.width, ends);
    ++v;
  }
}

// `rows` rows: tiles of R rows while there are as many, then smaller ones.
template <int R>
SETNET_INLINE void productBlock(int64_t rows, const float* a, int64_t aRow, int64_t aStep, const ConstPanels& x,
                                int64_t xFirst, int64_t count, const float* start, const Panels& y, int64_t yFirst,
                                int64_t vectors, TileEnds ends) {
  while (rows >= R) {
    productRows<R>(a, aRow, aStep, x, xFirst, count, start, y, yFirst, vectors, ends);
    rows -= R;
    a += R * aRow;
    if (start) start += R;
    yFirst += R;
  }
  if constexpr (R > 1) {
    if (rows > 0) productBlock<R / 2>(rows, a, aRow, aStep, x, xFirst, count, start, y, yFirst, vectors, ends);
  }
}
