// From which density on dense kernels are quicker than sparse ones on this machine.
#pragma once

#include "kernels/kernel_table.h"

namespace setnet::cpu {

// The density above which a layer is executed as a dense matrix: measured once per process, at its first call (about a
// millisecond), on a panel of 32 samples. At least 0.3; above 1 where sparse kernels always win. What a layer is does
// not depend on it, nor does any result: both sum in the same order.
double crossoverDensity(const kernels::KernelTable& kernels);

}  // namespace setnet::cpu
