// Which kernels this processor runs, and which of them are used.
#pragma once

#include <vector>

#include "base/status.h"
#include "kernels/kernel_table.h"

namespace setnet::kernels {

struct Isa {
  const char* name;          // avx512, avx2, neon, baseline
  bool runsHere;             // processor and operating system have it
  const KernelTable* table;  // may be called only where it runs here
};

// Everything this build contains, the best first.
const std::vector<Isa>& available();

// The table in use: the best one that runs here, or the one that the environment variable SETNET_FORCE_ISA names (read
// at the first call). Code::Option where it names one that is not known or does not run here.
Status active(const KernelTable** table);

}  // namespace setnet::kernels
