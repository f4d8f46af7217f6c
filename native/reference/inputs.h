// From rows of raw features to the numbers that enter the first layer.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"

namespace setnet::reference {

// Code::Shape where the rows asked for do not lie in the matrix or do not have `inputs` columns.
Status checkRows(const backend::RowSet& rows, uint64_t inputs);

// Row `row` of the matrix, scaled: (float(x) - mean) * scale with two roundings to f32, a missing value becomes 0.
// Code::Nonfinite names row and column where the result is not finite.
Status readInputs(const backend::MatrixView& matrix, uint64_t row, const core::Scaling& scaling,
                  std::vector<double>* x);

}  // namespace setnet::reference
