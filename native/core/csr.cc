#include "core/csr.h"

#include "base/float_bits.h"
#include "base/memory.h"

namespace setnet::core {
namespace {

std::string number(uint64_t x) { return std::to_string(x); }

}  // namespace

Status CsrMatrix::validate() const {
  if (columns > kMaxColumns)
    return {Code::Shape, "columns is " + number(columns) + ", but a matrix has at most " + number(kMaxColumns)};
  if (saturatedProduct(rows, columns) >> 63 != 0)
    return {Code::Shape, number(rows) + " rows of " + number(columns) + " columns are more than 2^63 cells"};
  if (rowPointers.size() != rows + 1)
    return {Code::Shape, "rowPointers has " + number(rowPointers.size()) + " elements, but a matrix of " +
                             number(rows) + " rows needs " + number(rows + 1)};
  if (values.size() != columnIndices.size())
    return {Code::Shape,
            "values has " + number(values.size()) + " elements, but columnIndices has " + number(columnIndices.size())};
  if (rowPointers[0] != 0)
    return {Code::Shape, "rowPointers[0] is " + number(rowPointers[0]) + ", but the first row begins at 0"};
  if (rowPointers[rows] != count())
    return {Code::Shape, "rowPointers[" + number(rows) + "] is " + number(rowPointers[rows]) + ", but there are " +
                             number(count()) + " column indices"};
  // All pointers are checked before any is used as an index.
  for (uint64_t r = 0; r < rows; ++r) {
    if (rowPointers[r] > rowPointers[r + 1])
      return {Code::Shape, "row " + number(r) + " begins at " + number(rowPointers[r]) + " and ends at " +
                               number(rowPointers[r + 1]) + ": rowPointers must not descend"};
  }
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t i = rowPointers[r]; i < rowPointers[r + 1]; ++i) {
      if (columnIndices[i] >= columns)
        return {Code::Data, "column " + number(columnIndices[i]) + " in row " + number(r) + " (position " + number(i) +
                                ") is out of range: the matrix has " + number(columns) + " columns"};
      if (i > rowPointers[r] && columnIndices[i] <= columnIndices[i - 1])
        return {Code::Data, "column " + number(columnIndices[i]) + " in row " + number(r) + " (position " + number(i) +
                                ") follows column " + number(columnIndices[i - 1]) +
                                ": columns must ascend within a row, without repetition"};
    }
  }
  const uint64_t bad = firstNonfinite(values.data(), values.size());
  if (bad < values.size()) {
    uint64_t r = 0;
    while (rowPointers[r + 1] <= bad) ++r;
    return {Code::Nonfinite, "the value in row " + number(r) + ", column " + number(columnIndices[bad]) +
                                 " (position " + number(bad) + ") is " + (isNanBits(values[bad]) ? "NaN" : "infinite")};
  }
  return {};
}

std::vector<uint64_t> cellsOf(const CsrMatrix& matrix) {
  std::vector<uint64_t> cells(matrix.count());
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    const uint64_t base = r * matrix.columns;
    for (uint64_t i = matrix.rowPointers[r]; i < matrix.rowPointers[r + 1]; ++i)
      cells[i] = base + matrix.columnIndices[i];
  }
  return cells;
}

std::vector<uint32_t> rowCounts(const CsrMatrix& matrix) {
  std::vector<uint32_t> counts(matrix.rows);
  for (uint64_t r = 0; r < matrix.rows; ++r)
    counts[r] = static_cast<uint32_t>(matrix.rowPointers[r + 1] - matrix.rowPointers[r]);
  return counts;
}

std::vector<uint32_t> columnCounts(const CsrMatrix& matrix) {
  std::vector<uint32_t> counts(matrix.columns);
  for (uint32_t column : matrix.columnIndices) ++counts[column];
  return counts;
}

void toDense(const CsrMatrix& matrix, Span<float> out) {
  for (float& x : out) x = 0;
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t i = matrix.rowPointers[r]; i < matrix.rowPointers[r + 1]; ++i)
      out[r * matrix.columns + matrix.columnIndices[i]] = matrix.values[i];
  }
}

CsrMatrix fullMatrix(uint64_t rows, uint64_t columns, std::vector<float> values) {
  CsrMatrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.rowPointers.resize(rows + 1);
  matrix.columnIndices.resize(rows * columns);
  matrix.values = std::move(values);
  for (uint64_t r = 0; r <= rows; ++r) matrix.rowPointers[r] = r * columns;
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) matrix.columnIndices[r * columns + c] = static_cast<uint32_t>(c);
  }
  return matrix;
}

}  // namespace setnet::core
