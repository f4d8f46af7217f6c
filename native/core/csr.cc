#include "core/csr.h"

#include <algorithm>
#include <cmath>

#include "base/float_bits.h"
#include "base/memory.h"

namespace setnet::core {
namespace {

std::string number(uint64_t x) { return std::to_string(x); }

// Code::Memory where a matrix, and as much again to make it from, could never be held.
Status checkMemory(uint64_t rows, uint64_t count) {
  const uint64_t bytes = saturatedSum(saturatedProduct(saturatedSum(rows, 1), 2 * sizeof(uint64_t)),
                                      saturatedProduct(count, 2 * (sizeof(uint32_t) + sizeof(float))));
  if (bytes <= memoryLimit()) return {};
  return {Code::Memory, "a matrix of " + number(rows) + " rows with " + number(count) + " elements needs " +
                            formatBytes(bytes) + " to be made; this process's memory is " + formatBytes(memoryLimit())};
}

// From elements per row, in [row + 1], to where each row begins.
void addUp(std::vector<uint64_t>* pointers) {
  for (size_t r = 1; r < pointers->size(); ++r) (*pointers)[r] += (*pointers)[r - 1];
}

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

Status transpose(const CsrMatrix& matrix, CsrMatrix* out) {
  if (matrix.rows > kMaxColumns)
    return {Code::Shape, "the transpose of a matrix of " + number(matrix.rows) + " rows has more columns than " +
                             number(kMaxColumns)};
  SETNET_TRY(checkMemory(matrix.columns, matrix.count()));
  CsrMatrix made;
  made.rows = matrix.columns;
  made.columns = matrix.rows;
  made.rowPointers.assign(made.rows + 1, 0);
  made.columnIndices.resize(matrix.count());
  made.values.resize(matrix.count());
  for (uint32_t column : matrix.columnIndices) ++made.rowPointers[column + uint64_t{1}];
  addUp(&made.rowPointers);
  std::vector<uint64_t> next(made.rowPointers.begin(), made.rowPointers.end() - 1);
  // Rows come in ascending order, so that they ascend within each column.
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t i = matrix.rowPointers[r]; i < matrix.rowPointers[r + 1]; ++i) {
      const uint64_t to = next[matrix.columnIndices[i]]++;
      made.columnIndices[to] = static_cast<uint32_t>(r);
      made.values[to] = matrix.values[i];
    }
  }
  *out = std::move(made);
  return {};
}

Status fromDense(uint64_t rows, uint64_t columns, Span<const float> cells, double tolerance, CsrMatrix* out) {
  const auto isKept = [&](float x) { return !(std::fabs(static_cast<double>(x)) <= tolerance); };
  const uint64_t count = static_cast<uint64_t>(std::count_if(cells.begin(), cells.end(), isKept));
  SETNET_TRY(checkMemory(rows, count));
  CsrMatrix made;
  made.rows = rows;
  made.columns = columns;
  made.rowPointers.assign(rows + 1, 0);
  made.columnIndices.reserve(count);
  made.values.reserve(count);
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      const float x = cells[r * columns + c];
      if (!isKept(x)) continue;
      made.columnIndices.push_back(static_cast<uint32_t>(c));
      made.values.push_back(x);
    }
    made.rowPointers[r + 1] = made.values.size();
  }
  *out = std::move(made);
  return {};
}

Status fromCoordinates(uint64_t rows, uint64_t columns, Span<const uint32_t> rowIndices,
                       Span<const uint32_t> columnIndices, Span<const float> values, bool sum, CsrMatrix* out) {
  const uint64_t count = values.size();
  if (rowIndices.size() != count || columnIndices.size() != count)
    return {Code::Shape, "there are " + number(rowIndices.size()) + " rowIndices, " + number(columnIndices.size()) +
                             " columnIndices and " + number(count) + " values; they must be equally many"};
  SETNET_TRY(checkMemory(rows, saturatedProduct(count, 2)));
  CsrMatrix made;
  made.rows = rows;
  made.columns = columns;
  made.rowPointers.assign(rows + 1, 0);
  for (uint64_t i = 0; i < count; ++i) {
    const bool isRow = rowIndices[i] >= rows;
    if (isRow || columnIndices[i] >= columns)
      return {Code::Data, std::string(isRow ? "rowIndices" : "columnIndices") + "[" + number(i) + "] is " +
                              number(isRow ? rowIndices[i] : columnIndices[i]) + ", but the matrix has " +
                              number(isRow ? rows : columns) + (isRow ? " rows" : " columns")};
    ++made.rowPointers[rowIndices[i] + uint64_t{1}];
  }
  addUp(&made.rowPointers);

  // Positions of the elements, row by row, in the order given.
  std::vector<uint64_t> order(count);
  {
    std::vector<uint64_t> next(made.rowPointers.begin(), made.rowPointers.end() - 1);
    for (uint64_t i = 0; i < count; ++i) order[next[rowIndices[i]]++] = i;
  }
  made.columnIndices.reserve(count);
  made.values.reserve(count);
  for (uint64_t r = 0; r < rows; ++r) {
    const uint64_t end = made.rowPointers[r + 1];
    uint64_t* first = order.data() + made.rowPointers[r];
    uint64_t* last = order.data() + end;
    std::sort(first, last, [&](uint64_t a, uint64_t b) {
      return columnIndices[a] != columnIndices[b] ? columnIndices[a] < columnIndices[b] : a < b;
    });
    made.rowPointers[r] = made.values.size();
    while (first < last) {
      const uint64_t i = *first;
      const uint32_t column = columnIndices[i];
      double value = values[i];
      for (++first; first < last && columnIndices[*first] == column; ++first) {
        if (!sum)
          return {Code::Data, "row " + number(r) + ", column " + number(column) + " is given at positions " +
                                  number(i) + " and " + number(*first) + "; duplicates: 'sum' would add them"};
        value += values[*first];
      }
      made.columnIndices.push_back(column);
      made.values.push_back(static_cast<float>(value));
    }
  }
  made.rowPointers[rows] = made.values.size();
  *out = std::move(made);
  return {};
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
