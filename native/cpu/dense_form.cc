#include "cpu/dense_form.h"

#include <cstring>
#include <string>

namespace setnet::cpu {

using core::CsrMatrix;
using StateBuffers = std::vector<std::vector<float>>;

Status DenseForm::allocate(uint64_t unitCount, uint64_t inputCount, int stateCount, bool masked) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  if (unitCount > kMost || inputCount > kMost || unitCount * 2 > kMost / inputCount)
    return Status(Code::Memory, "a dense matrix of " + std::to_string(unitCount) + " x " + std::to_string(inputCount) +
                                    " weights is too large");
  units = static_cast<int64_t>(unitCount);
  inputs = static_cast<int64_t>(inputCount);
  stride = ((inputs + 15) / 16 | 1) * 16;
  const uint64_t size = static_cast<uint64_t>(rows() * stride);
  SETNET_TRY(weights.reserve(size));
  for (int i = 0; i < stateCount; ++i) SETNET_TRY(state[i].reserve(size));
  maskStride = (inputs + 15) / 16;
  if (masked) SETNET_TRY(mask.reserve(static_cast<uint64_t>(rows() * maskStride)));
  return Status();
}

void DenseForm::scatter(const CsrMatrix& matrix, const StateBuffers& from) {
  weights.clear();
  mask.clear();
  for (size_t i = 0; i < from.size(); ++i) state[i].clear();
  for (int64_t r = 0; r < units; ++r) {
    for (uint64_t k = matrix.rowPointers[r]; k < matrix.rowPointers[r + 1]; ++k) {
      const int64_t c = matrix.columnIndices[k];
      weights[at(r, c)] = matrix.values[k];
      for (size_t i = 0; i < from.size(); ++i) state[i][at(r, c)] = from[i][k];
      if (mask.size() > 0) mask[r * maskStride + c / 16] |= static_cast<uint16_t>(1u << c % 16);
    }
  }
}

void DenseForm::setWeights(const std::vector<float>& values) {
  for (int64_t r = 0; r < units; ++r)
    std::memcpy(weights.data() + at(r, 0), values.data() + r * inputs, static_cast<size_t>(inputs) * sizeof(float));
}

void DenseForm::gather(CsrMatrix* matrix, StateBuffers* to) const {
  matrix->values.resize(matrix->count());
  for (std::vector<float>& buffer : *to) buffer.resize(matrix->count());
  for (int64_t r = 0; r < units; ++r) {
    for (uint64_t k = matrix->rowPointers[r]; k < matrix->rowPointers[r + 1]; ++k) {
      const int64_t cell = at(r, matrix->columnIndices[k]);
      matrix->values[k] = weights[cell];
      for (size_t i = 0; i < to->size(); ++i) (*to)[i][k] = state[i][cell];
    }
  }
}

}  // namespace setnet::cpu
