// The sampled product by itself: a training step's weight gradient, without a network around it.
#pragma once

#include "backend/backend.h"
#include "cpu/sparse_features.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

// backend::Backend::sampledProduct.
Status sampledProduct(const core::CsrMatrix& topology, const backend::MatrixView& a, const backend::MatrixView& b,
                      int threads, Span<float> values);

// The same of panels: `gradient` of the rows, `x` of the columns, or of those of them that are `live` in a matrix of
// this topology which was packed in `parts` parts (null: of all). Code::Memory; throws std::bad_alloc.
Status sampledPanels(const kernels::KernelTable& kernels, const core::CsrMatrix& topology,
                     const kernels::ConstPanels& gradient, const kernels::ConstPanels& x, int64_t vectors,
                     const LiveInputs* live, int parts, Span<float> values);

}  // namespace setnet::cpu
