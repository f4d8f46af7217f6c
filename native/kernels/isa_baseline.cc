// The kernels for whatever the compiler was told to compile for: no target region, no FMA asked for.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/lane_math.h"
#include "base/lanes.h"
#include "kernels/kernel_table.h"
#include "kernels/lanes/baseline.h"
#include "rules/activations.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::kernels {
namespace baseline {
#include "kernels/kernels.inl"
}  // namespace baseline

const KernelTable kBaselineTable = {"baseline", false,
#define SETNET_ENTRY(name, Args) &baseline::name,
                                    SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace setnet::kernels
