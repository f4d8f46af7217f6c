// The kernels for AVX-512 (F, BW, DQ, VL).
//
// Standard headers come before the target region: an inline function of theirs compiled for this instruction set could
// be picked by the linker for the whole program. Inside the region there is only static or always-inlined code.
#if defined(__x86_64__) && !defined(SETNET_WITHOUT_AVX512)

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2,prfchw"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2,prfchw,prefer-vector-width=512")
// GCC 12's own headers begin some intrinsics with an undefined vector, on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "base/lane_math.h"
#include "base/lanes.h"
#include "kernels/kernel_table.h"
#include "kernels/lanes/avx512.h"
#include "rules/activations.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::kernels {
namespace avx512 {
#include "kernels/kernels.inl"
}  // namespace avx512

const KernelTable kAvx512Table = {"avx512", true,
#define SETNET_ENTRY(name, Args) &avx512::name,
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
