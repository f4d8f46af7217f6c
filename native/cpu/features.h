// From rows of raw features to panels: the edge where user data enters.
#pragma once

#include <cstdint>

#include "backend/backend.h"
#include "core/model.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

// Where nothing has been learned or given yet, raw features cannot become inputs: Code::State.
Status checkScaling(const core::Scaling& scaling);

// Code::Shape where the rows asked for do not lie in the matrix or do not have `inputs` columns.
Status checkRows(const backend::RowSet& rows, uint64_t inputs);

// Positions [first, first + count) of the rows into panels, scaled; the lanes of the last vector beyond `count` become
// zeros. Code::Nonfinite names row and column of the first feature that is not finite. The rows have been checked.
// `threads`: large ones are cut by columns. A sparse matrix's scaling has no mean (core::checkSparseScaling).
Status packFeatures(const kernels::KernelTable& kernels, const core::Scaling& scaling, const backend::RowSet& rows,
                    uint64_t first, uint64_t count, const kernels::Panels& out, int threads = 1);

// Columns [begin, end) of a matrix that is not sparse alone; the first of them lies first in `out`.
Status packColumns(const kernels::KernelTable& kernels, const core::Scaling& scaling, const backend::RowSet& rows,
                   uint64_t first, uint64_t count, int64_t begin, int64_t end, const kernels::Panels& out);

}  // namespace setnet::cpu
