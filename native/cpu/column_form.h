// A sparse matrix column by column, for a single sample most of whose numbers are 0.
#pragma once

#include <cstdint>
#include <vector>

#include "core/csr.h"
#include "cpu/packed_matrix.h"

namespace setnet::cpu {

// Such columns, wherever they lie.
struct ColumnsView {
  int64_t columns;
  const uint64_t* pointers;
  const uint32_t* rows;
  const float* values;
};

struct ColumnForm {
  std::vector<uint64_t> columnPointers;
  std::vector<uint32_t> rowIndices;  // ascending within a column
  std::vector<float> values;

  ColumnsView view() const {
    return {static_cast<int64_t>(columnPointers.size()) - 1, columnPointers.data(), rowIndices.data(), values.data()};
  }
  void build(const CsrView& matrix);
  uint64_t bytes() const {
    return columnPointers.size() * sizeof(uint64_t) + rowIndices.size() * sizeof(uint32_t) +
           values.size() * sizeof(float);
  }
};

}  // namespace setnet::cpu
