#include "reference/inputs.h"

#include <cmath>
#include <string>

namespace setnet::reference {

using backend::DataType;
using backend::MatrixView;
using backend::RowSet;

namespace {

template <class T>
double elementAs(const MatrixView& matrix, uint64_t index) {
  return static_cast<const T*>(matrix.data)[index];
}

// Every data type fits into a double without loss.
double element(const MatrixView& matrix, uint64_t row, uint64_t column) {
  const uint64_t index = row * matrix.columns + column;
  switch (matrix.type) {
    case DataType::Float32:
      return elementAs<float>(matrix, index);
    case DataType::Float64:
      return elementAs<double>(matrix, index);
    case DataType::Uint8:
      return elementAs<uint8_t>(matrix, index);
    case DataType::Int8:
      return elementAs<int8_t>(matrix, index);
    case DataType::Uint16:
      return elementAs<uint16_t>(matrix, index);
    case DataType::Int16:
      return elementAs<int16_t>(matrix, index);
  }
  return 0;
}

// Compared as f32, so that 0.1 means the 0.1 of a Float32Array as well.
bool isMissing(const core::Scaling& scaling, float x) {
  if (!scaling.hasMissing) return false;
  return std::isnan(scaling.missing) ? std::isnan(x) : x == static_cast<float>(scaling.missing);
}

// Leaves *x as it is where the value is missing.
Status readInput(double raw, uint64_t row, uint64_t column, const core::Scaling& scaling, double* x) {
  float value = static_cast<float>(raw);
  if (isMissing(scaling, value)) return Status();
  if (scaling.kind != core::Scaling::Kind::None) {
    // One mean and one scale serve all features where the scaling is global.
    const float mean = scaling.mean[scaling.mean.size() == 1 ? 0 : column];
    const float scale = scaling.scale[scaling.scale.size() == 1 ? 0 : column];
    const float centred = value - mean;
    value = centred * scale;
  }
  if (!std::isfinite(value))
    return Status(Code::Nonfinite,
                  "the feature in row " + std::to_string(row) + ", column " + std::to_string(column) + " is " +
                      std::to_string(raw) +
                      (std::isfinite(static_cast<float>(raw))
                           ? " and leaves the finite f32 numbers when scaled"
                           : "; features must be finite f32 numbers (mark unknown values with `missing`)"));
  *x = value;
  return Status();
}

}  // namespace

Status checkRows(const RowSet& rows, uint64_t inputs) {
  if (rows.matrix.columns != inputs)
    return Status(Code::Shape, "the rows have " + std::to_string(rows.matrix.columns) + " columns; the network has " +
                                   std::to_string(inputs) + " inputs");
  for (uint64_t k = 0; k < rows.count; ++k)
    if (rows.row(k) >= rows.matrix.rows)
      return Status(Code::Shape, "position " + std::to_string(k) + " of the batch asks for row " +
                                     std::to_string(rows.row(k)) + "; the matrix has " +
                                     std::to_string(rows.matrix.rows) + " rows");
  return Status();
}

Status readInputs(const MatrixView& matrix, uint64_t row, const core::Scaling& scaling, std::vector<double>* x) {
  x->assign(matrix.columns, 0);
  if (matrix.isSparse()) {
    const backend::SparseRow sparse = matrix.sparseRow(row);
    for (uint64_t k = 0; k < sparse.count; ++k)
      SETNET_TRY(readInput(sparse.values[k], row, sparse.columns[k], scaling, &(*x)[sparse.columns[k]]));
    return Status();
  }
  for (uint64_t column = 0; column < matrix.columns; ++column)
    SETNET_TRY(readInput(element(matrix, row, column), row, column, scaling, &(*x)[column]));
  return Status();
}

}  // namespace setnet::reference
