#pragma once

#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = z
struct Linear : NoParameters {
  static constexpr const char* name = "linear";
  static constexpr bool needsInput = false;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = true;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V*) {
    return z;
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V, V, const V*) {
    return dy;
  }
};

}  // namespace setnet::rules
