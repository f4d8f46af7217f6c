// Weights as a dense matrix: of masked and dense layers, and of sparse ones that are so full that it is quicker.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "core/csr.h"
#include "cpu/buffer.h"
#include "rules/optimizers.h"

namespace setnet::cpu {

// Rows are padded to a multiple of 16, and the distance of rows an odd multiple of 16 floats, so
// that the rows of a tile never fall into the same cache set. Padding holds zeros.
struct DenseForm {
  int64_t units = 0, inputs = 0;
  int64_t stride = 0;
  Buffer<float> weights;
  Buffer<float> state[rules::kMaxOptimizerState];
  Buffer<uint16_t> mask;  // one bit per weight, [rows][maskStride]; empty: no mask
  int64_t maskStride = 0;

  Status allocate(uint64_t unitCount, uint64_t inputCount, int stateCount, bool masked);
  int64_t rows() const { return (units + 15) / 16 * 16; }
  int64_t at(int64_t unit, int64_t input) const { return unit * stride + input; }
  // The mask, and the values and state of exactly these connections.
  void scatter(const core::CsrMatrix& matrix, const std::vector<std::vector<float>>& state);
  // Every weight, from an unpadded row-major array.
  void setWeights(const std::vector<float>& values);
  // Values of the cells of this topology into matrix->values, and their state.
  void gather(core::CsrMatrix* matrix, std::vector<std::vector<float>>* state) const;
};

}  // namespace setnet::cpu
