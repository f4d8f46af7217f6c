// Where dense kernels are quicker than sparse ones on this machine: measured, never assumed.
#pragma once

#include "base/status.h"
#include "cpu/dense_form.h"
#include "cpu/packed_matrix.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

// The density above which a layer is executed as a dense matrix: measured once per process, at its first call (about a
// millisecond), on a panel of 32 samples. At least 0.3; above 1 where sparse kernels always win. What a layer is does
// not depend on it, nor does any result: both sum in the same order.
double crossoverDensity(const kernels::KernelTable& kernels);

// Times a single sample on both forms of one matrix, one thread. Code::Memory.
Status compareSingles(const kernels::KernelTable& kernels, const PackedMatrix& packed, const DenseForm& dense,
                      bool* isDenseQuicker);

}  // namespace setnet::cpu
