#pragma once

#include "base/lane_math.h"
#include "rules/activations/learned.h"
#include "rules/rule.h"

namespace setnet::rules {

// S-shaped rectified linear unit (Jin et al., AAAI 2016): the identity between two thresholds, a line of a slope of its
// own beyond either of them. A unit learns all four numbers; the right threshold is the left one plus |gap|, so that
// they never change sides. Where z lies on a threshold, the slope is the outer one, the right one if both are equal.
struct Srelu : NoParameters {
  static constexpr const char* name = "srelu";
  static constexpr bool needsInput = true;
  static constexpr bool needsOutput = false;
  static constexpr bool isCheap = false;
  static constexpr LearnedParameter learned[] = {
      {"leftThreshold", 0, 0}, {"leftSlope", 0, 1}, {"gap", 0, 5}, {"rightSlope", 1, 1}};
  static constexpr int learnedCount = 4;

  template <class V>
  SETNET_MEMBER_INLINE static V forward(V z, const V* p) {
    const V right = rightThreshold(p);
    const V above = z - right, below = z - p[0];
    const V y = wherePositive(below, z, madd(p[1], below, p[0]));
    return wherePositive(above, madd(p[3], above, right), y);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V backward(V dy, V z, V, const V* p) {
    return dy * slope(z, p);
  }
  template <class V>
  SETNET_MEMBER_INLINE static void addGradient(V dy, V z, const V* p, V* g) {
    const V zero = Splat<V>::of(0), one = Splat<V>::of(1);
    const V right = rightThreshold(p);
    // d|gap| / d gap, times what moving the right threshold does.
    const V sign = wherePositive(p[2], one, wherePositive(zero - p[2], zero - one, zero));
    const V rightShift = (one - p[3]) * sign;
    // Both thresholds move with the left one; between them moving it does nothing.
    g[0] = madd(dy, one - slope(z, p), g[0]);
    const V below = z - p[0], beforeRight = right - z;
    g[1] = madd(dy, wherePositive(below, zero, below), g[1]);
    g[2] = madd(dy, wherePositive(beforeRight, zero, rightShift), g[2]);
    g[3] = madd(dy, wherePositive(beforeRight, zero, z - right), g[3]);
  }

 private:
  template <class V>
  SETNET_MEMBER_INLINE static V rightThreshold(const V* p) {
    return p[0] + laneMagnitude(p[2]);
  }
  template <class V>
  SETNET_MEMBER_INLINE static V slope(V z, const V* p) {
    const V inner = wherePositive(z - p[0], Splat<V>::of(1), p[1]);
    return wherePositive(rightThreshold(p) - z, inner, p[3]);
  }
};

}  // namespace setnet::rules
