#pragma once

#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// y = max(z, 0); the slope at 0 is 0.
struct Relu : NoParameters {
  static constexpr const char* name = "relu";
  static constexpr bool needsInput = false;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = true;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V*) {
    return larger(z, Splat<V>::of(0));
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V, V y, const V*) {
    return wherePositive(y, dy, Splat<V>::of(0));
  }
};

}  // namespace setnet::rules
