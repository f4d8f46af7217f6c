// Functions of our own on lanes of f32 (and, for the reference, on double), built from fused multiply-adds only: the
// same bits on every instruction set with FMA.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/lanes.h"
#include "base/real_math.h"

namespace setnet {

// The two integer steps that a polynomial exp needs, for float; the kernels' vectors define the same names.
// 2^n for integral n in [-126, 127]:
SETNET_INLINE float powerOfTwo(float n) {
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}
// The nearest integer, ties to even:
SETNET_INLINE float nearestInteger(float x) { return std::nearbyint(x); }

// e^x for x <= 0, as softmax and sigmoid need it: within 2 ulp down to -87.3, 0 below, 1 at 0; NaN stays NaN.
// Cody and Waite's reduction x = n ln 2 + r, then the Taylor polynomial of degree 7 on |r| <= ln(2) / 2 (error 5e-9).
template <class V>
SETNET_INLINE V laneExp(V x) {
  const V lowest = Splat<V>::of(-87.3);
  const V bounded = larger(lowest, x);
  const V n = nearestInteger(bounded * Splat<V>::of(1.44269504088896340736));
  V r = madd(n, Splat<V>::of(-0.693359375), bounded);
  r = madd(n, Splat<V>::of(2.12194440054690583e-4), r);
  V p = Splat<V>::of(1.0 / 5040);
  p = madd(p, r, Splat<V>::of(1.0 / 720));
  p = madd(p, r, Splat<V>::of(1.0 / 120));
  p = madd(p, r, Splat<V>::of(1.0 / 24));
  p = madd(p, r, Splat<V>::of(1.0 / 6));
  p = madd(p, r, Splat<V>::of(0.5));
  p = madd(p, r, Splat<V>::of(1.0));
  p = madd(p, r, Splat<V>::of(1.0));
  return wherePositive(lowest - x, Splat<V>::of(0), p * powerOfTwo(n));
}
// The reference computes with the real thing.
SETNET_INLINE double laneExp(double x) { return realExp(x); }


// log(1 + t) for t from 0 to 1: 2 artanh(s) with s = t / (2 + t) <= 1/3 by its series up to s^15 (error 2e-9 of the
// result, below the rounding of f32); NaN stays NaN.
template <class V>
SETNET_INLINE V laneLogOnePlus(V t) {
  const V s = t / (t + Splat<V>::of(2));
  const V square = s * s;
  V p = Splat<V>::of(2.0 / 15);
  p = madd(p, square, Splat<V>::of(2.0 / 13));
  p = madd(p, square, Splat<V>::of(2.0 / 11));
  p = madd(p, square, Splat<V>::of(2.0 / 9));
  p = madd(p, square, Splat<V>::of(2.0 / 7));
  p = madd(p, square, Splat<V>::of(2.0 / 5));
  p = madd(p, square, Splat<V>::of(2.0 / 3));
  p = madd(p, square, Splat<V>::of(2.0));
  return p * s;
}
// By the logarithm of the rounded sum, corrected by what rounding took from it.
SETNET_INLINE double laneLogOnePlus(double t) {
  const double sum = 1 + t;
  return sum == 1 ? t : realLog(sum) * (t / (sum - 1));
}

}  // namespace setnet
