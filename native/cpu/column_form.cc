#include "cpu/column_form.h"

namespace setnet::cpu {

void ColumnForm::build(const CsrView& matrix) {
  const uint64_t count = matrix.count();
  columnPointers.assign(matrix.columns + 1, 0);
  rowIndices.resize(count);
  values.resize(count);
  for (uint64_t k = 0; k < count; ++k) ++columnPointers[matrix.columnIndices[k] + 1];
  for (uint64_t c = 0; c < matrix.columns; ++c) columnPointers[c + 1] += columnPointers[c];
  std::vector<uint64_t> next(columnPointers.begin(), columnPointers.end() - 1);
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t k = matrix.rowPointers[r]; k < matrix.rowPointers[r + 1]; ++k) {
      const uint64_t to = next[matrix.columnIndices[k]]++;
      rowIndices[to] = static_cast<uint32_t>(r);
      values[to] = matrix.values[k];
    }
  }
}

}  // namespace setnet::cpu
