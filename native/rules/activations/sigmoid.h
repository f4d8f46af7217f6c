#pragma once

#include "base/lane_math.h"
#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = 1 / (1 + e^-z); dy/dz = y (1 - y)
struct Sigmoid : NoParameters {
  static constexpr const char* name = "sigmoid";
  static constexpr bool needsInput = false;
  static constexpr bool needsOutput = true;
  static constexpr bool isCheap = false;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V*) {
    return laneSigmoid(z);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V, V y, const V*) {
    // Without its dropout y may be a hair above 1.
    return dy * (y * larger(Splat<V>::of(0), Splat<V>::of(1) - y));
  }
};

}  // namespace setnet::rules
