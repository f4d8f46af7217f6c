// The kernels for AVX2 with FMA.
//
// Standard headers come before the target region: an inline function of theirs compiled for this instruction set could
// be picked by the linker for the whole program. Inside the region there is only static or always-inlined code.
#if defined(__x86_64__) && !defined(SETNET_WITHOUT_AVX2)

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2,prfchw"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2,prfchw")
#endif

#include "base/lane_math.h"
#include "base/lanes.h"
#include "kernels/kernel_table.h"
#include "kernels/lanes/avx2.h"
#include "rules/activations.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::kernels {
namespace avx2 {
#include "kernels/kernels.inl"
}  // namespace avx2

const KernelTable kAvx2Table = {"avx2", true,
#define SETNET_ENTRY(name, Args) &avx2::name,
                                SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace setnet::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
