#pragma once

#include "base/lane_math.h"
#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// Gaussian error linear unit (Hendrycks and Gimpel 2016), the exact form and not the one with tanh:
//   y = z Phi(z) = z / 2 * (1 + erf(z / sqrt 2)),  dy/dz = Phi(z) + z phi(z).
// Computed from the tail on z's side, so that what is nearly 0 far left has its digits: with a = |z| and Q(a) = 1 -
// Phi(a), y = max(z, 0) - a Q(a), and dy/dz is 1 + a phi(a) - Q(a) right of 0 and Q(a) - a phi(a) left of it.
struct Gelu : NoParameters {
  static constexpr const char* name = "gelu";
  static constexpr bool needsInput = true;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = false;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V*) {
    const V zero = Splat<V>::of(0), end = Splat<V>::of(kNormalTailEnd);
    const V a = laneMagnitude(z), right = larger(zero, z);
    const V y = madd(zero - a, laneNormalTail(laneSmaller(end, a)), right);
    return wherePositive(a - end, right, y);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V z, V, const V*) {
    const V zero = Splat<V>::of(0), one = Splat<V>::of(1), end = Splat<V>::of(kNormalTailEnd);
    const V a = laneMagnitude(z), inner = laneSmaller(end, a);
    const V density = laneGauss(inner) * Splat<V>::of(0.39894228040143267794);  // 1 / sqrt(2 pi)
    const V bulge = wherePositive(a - end, zero, madd(inner, density, zero - laneNormalTail(inner)));
    return dy * wherePositive(z, one + bulge, zero - bulge);
  }
};

}  // namespace setnet::rules
