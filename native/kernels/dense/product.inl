// The two dense products of a step: W x forward, and W^T dz backward.

static void denseForward(const DenseForwardArgs& a) {
  for (int64_t k = 0; k == 0 || k < a.inputs; k += kDenseDepthBlock) {
    const int64_t depth = a.inputs - k < kDenseDepthBlock ? a.inputs - k : kDenseDepthBlock;
    productBlock<kDenseRows>(a.rowEnd - a.rowBegin, a.weights + a.rowBegin * a.stride + k, a.stride, 1, a.x, k, depth,
                             a.start ? a.start + a.rowBegin : nullptr, a.y, a.rowBegin, a.vectors,
                             {k == 0, k + depth == a.inputs});
  }
}

// Columns of W lie `stride` apart for one input: 4 KB and more, each in a page of its own. A block of 48 columns is
// copied together first; then all tiles and vectors of the block read it in order.
static void denseInputGradient(const DenseInputGradientArgs& a) {
  for (int64_t i = a.inputBegin; i < a.inputEnd; i += kDenseColumnBlock) {
    const int64_t there = a.stride - i < kDenseColumnBlock ? a.stride - i : kDenseColumnBlock;
    const int64_t wanted = a.inputEnd - i < kDenseColumnBlock ? a.inputEnd - i : kDenseColumnBlock;
    for (int64_t u = 0; u == 0 || u < a.units; u += kDenseDepthBlock) {
      const int64_t depth = a.units - u < kDenseDepthBlock ? a.units - u : kDenseDepthBlock;
      for (int64_t k = 0; k < depth; ++k) {
        const float* from = a.weights + (u + k) * a.stride + i;
        for (int64_t c = 0; c < there; c += kLanes) store(a.scratch + k * kDenseColumnBlock + c, load(from + c));
      }
      productBlock<kDenseRows>(wanted, a.scratch, 1, kDenseColumnBlock, a.gradient, u, depth, nullptr, a.result, i,
                               a.vectors, {u == 0, u + depth == a.units});
    }
  }
}
