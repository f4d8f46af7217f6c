#pragma once

#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = z above 0, slope * z elsewhere (Maas et al. 2013); the slope at 0 is that of the negative side.
struct LeakyRelu {
  static constexpr const char* name = "leakyRelu";
  // Not below 0: the sign of y says on which side z was.
  static constexpr ParameterSpec parameters[] = {{"slope", 0.01, 0, 3.4028234663852886e38}};
  static constexpr int parameterCount = 1;
  static constexpr bool needsInput = false;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = true;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V* p) {
    return wherePositive(z, z, p[0] * z);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V, V y, const V* p) {
    return wherePositive(y, dy, p[0] * dy);
  }
};

}  // namespace setnet::rules
