#pragma once

#include <cstdint>

#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// All-ReLU, alternated left ReLU (Curci et al. 2021, arXiv 2102.01732): y = z above 0; elsewhere -slope * z in the
// first layer, slope * z in the second, and so on in turns. The paper says it by the layer's number l, where the inputs
// are l = 1 and the first layer with weights l = 2: -slope where l is even. The slope at 0 is that of the negative
// side.
struct AllRelu {
  static constexpr const char* name = "allRelu";
  static constexpr ParameterSpec parameters[] = {{"slope", 0.6, 0, 3.4028234663852886e38}};
  static constexpr int parameterCount = 1;
  // In every other layer y is above 0 on both sides.
  static constexpr bool needsInput = true;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = true;

  static void place(double* p, uint64_t layer) { p[0] = layer % 2 == 0 ? -p[0] : p[0]; }

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V* p) {
    return wherePositive(z, z, p[0] * z);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V z, V, const V* p) {
    return wherePositive(z, dy, p[0] * dy);
  }
};

}  // namespace setnet::rules
