#pragma once

#include "base/lane_math.h"
#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = tanh z; dy/dz = 1 - y^2
struct Tanh : NoParameters {
  static constexpr const char* name = "tanh";
  static constexpr bool needsInput = false;
  static constexpr bool needsOutput = true;
  static constexpr bool isCheap = false;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V*) {
    return laneTanh(z);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V, V y, const V*) {
    const V zero = Splat<V>::of(0);
    // Without its dropout y may be a hair above 1 or below -1.
    return dy * larger(zero, madd(zero - y, y, Splat<V>::of(1)));
  }
};

}  // namespace setnet::rules
