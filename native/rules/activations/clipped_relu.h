#pragma once

#include "base/lane_math.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = min(max(z, 0), max); the slope is 0 at and below 0, and at and above max.
struct ClippedRelu {
  static constexpr const char* name = "clippedRelu";
  // A float that is not 0, also where subnormals are flushed.
  static constexpr ParameterSpec parameters[] = {{"max", 6, 1.1754943508222875e-38, 3.4028234663852886e38}};
  static constexpr int parameterCount = 1;
  // Dropout scales the result: what is at max cannot be told from it.
  static constexpr bool needsInput = true;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = true;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V* p) {
    return laneSmaller(larger(z, Splat<V>::of(0)), p[0]);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V z, V, const V* p) {
    const V zero = Splat<V>::of(0);
    return wherePositive(z, wherePositive(p[0] - z, dy, zero), zero);
  }
};

}  // namespace setnet::rules
