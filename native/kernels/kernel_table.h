// The kernels of one instruction set.
#pragma once

#include "kernels/kernel_args.h"
#include "kernels/kernel_list.h"

namespace setnet::kernels {

struct KernelTable {
  const char* name;
  bool fused;  // multiplies and adds in one rounding: then the bits are those of every other such table
#define SETNET_ENTRY(name, Args) void (*name)(const Args&);
  SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

// Each is defined by the file isa_NAME.cc of an architecture that has it.
extern const KernelTable kAvx512Table;
extern const KernelTable kAvx2Table;
extern const KernelTable kNeonTable;
extern const KernelTable kBaselineTable;

}  // namespace setnet::kernels
