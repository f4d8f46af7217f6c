// The kernels for arm64. NEON with FMA is what every such processor has, so there is no target region.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/lane_math.h"
#include "base/lanes.h"
#include "kernels/kernel_table.h"
#include "kernels/lanes/neon.h"
#include "rules/activations.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::kernels {
namespace neon {
#include "kernels/kernels.inl"
}  // namespace neon

const KernelTable kNeonTable = {"neon", true,
#define SETNET_ENTRY(name, Args) &neon::name,
                                SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace setnet::kernels

#endif
