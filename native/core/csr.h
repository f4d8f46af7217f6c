// The canonical form of a sparse matrix: rows are outputs, columns inputs. Evolution is defined on it, files hold it
// and the API shows it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "base/status.h"

namespace setnet::core {

// Columns are numbered in 32 bits, so a layer has at most 2^32 - 1 inputs; connections are counted in 64.
constexpr uint64_t kMaxColumns = 0xFFFFFFFFull;

struct CsrMatrix {
  uint64_t rows = 0;
  uint64_t columns = 0;
  std::vector<uint64_t> rowPointers;    // rows + 1, ascending from 0
  std::vector<uint32_t> columnIndices;  // ascending and distinct within a row
  std::vector<float> values;            // one per column index

  uint64_t count() const { return columnIndices.size(); }
  // Everything that code indexing with this matrix relies on; the message names row and position of what is wrong.
  // Values must be finite.
  Status validate() const;
};

// A matrix that somebody else owns.
struct CsrView {
  uint64_t rows = 0;
  uint64_t columns = 0;
  Span<const uint64_t> rowPointers;
  Span<const uint32_t> columnIndices;
  Span<const float> values;

  CsrView() = default;
  CsrView(const CsrMatrix& m)
      : rows(m.rows),
        columns(m.columns),
        rowPointers(m.rowPointers),
        columnIndices(m.columnIndices),
        values(m.values) {}
  uint64_t count() const { return columnIndices.size(); }
};

// The connections as cell numbers row * columns + column, ascending.
std::vector<uint64_t> cellsOf(const CsrMatrix& matrix);
// Connections per row (fan-in of the outputs) and per column (fan-out of the inputs).
std::vector<uint32_t> rowCounts(const CsrMatrix& matrix);
std::vector<uint32_t> columnCounts(const CsrMatrix& matrix);
// out: rows * columns, row-major; cells without a connection become 0.
void toDense(const CsrMatrix& matrix, Span<float> out);
// Columns become rows. Code::Memory; Code::Shape where there are more rows than a matrix has columns.
Status transpose(const CsrMatrix& matrix, CsrMatrix* out);
// The cells whose magnitude is above `tolerance` (0: all that are not zero, NaN among them, which no valid matrix
// holds). `cells`: rows * columns, row-major. Code::Memory.
Status fromDense(uint64_t rows, uint64_t columns, Span<const float> cells, double tolerance, CsrMatrix* out);
// Elements in any order. Those that share a cell are added in the order given, in double, and rounded once; or, without
// `sum`, are Code::Data. Code::Data where an index is out of range, Code::Memory.
Status fromCoordinates(uint64_t rows, uint64_t columns, Span<const uint32_t> rowIndices,
                       Span<const uint32_t> columnIndices, Span<const float> values, bool sum, CsrMatrix* out);
// A matrix with every cell present; values row-major.
CsrMatrix fullMatrix(uint64_t rows, uint64_t columns, std::vector<float> values);

}  // namespace setnet::core
