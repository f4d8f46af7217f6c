// The sampled product by itself: a training step's weight gradient, without a network around it.
#pragma once

#include "backend/backend.h"

namespace setnet::cpu {

// backend::Backend::sampledProduct.
Status sampledProduct(const core::CsrMatrix& topology, const backend::MatrixView& a, const backend::MatrixView& b,
                      int threads, Span<float> values);

}  // namespace setnet::cpu
