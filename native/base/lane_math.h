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
// 2^n for integral n in [-126, 127]; 1 where n is not a number (what laneExp multiplies by it is none either, and a
// conversion would be undefined):
SETNET_INLINE float powerOfTwo(float n) {
  const int32_t whole = n >= -126 ? static_cast<int32_t>(n) : 0;
  const uint32_t bits = static_cast<uint32_t>(whole + 127) << 23;
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
// The reference computes with the real thing, here and below.
SETNET_INLINE double laneExp(double x) { return realExp(x); }

// |x|; NaN stays NaN.
template <class V>
SETNET_INLINE V laneMagnitude(V x) {
  return larger(x, Splat<V>::of(0) - x);
}
// The smaller one, which is the larger of the negative ones: a change of sign is exact. b where a is NaN.
template <class V>
SETNET_INLINE V laneSmaller(V a, V b) {
  const V zero = Splat<V>::of(0);
  return zero - larger(zero - a, zero - b);
}

// 1 / (1 + e^-x) where e = e^-|x|.
template <class V>
SETNET_INLINE V laneSigmoid(V x, V e) {
  const V one = Splat<V>::of(1);
  return wherePositive(x, one, e) / (one + e);
}
// 1 / (1 + e^-x), within 3 ulp from -87.3 on, 0 below; NaN stays NaN. By e^-|x|, which never overflows.
template <class V>
SETNET_INLINE V laneSigmoid(V x) {
  return laneSigmoid(x, laneExp(Splat<V>::of(0) - laneMagnitude(x)));
}

// tanh x, within 2 ulp; NaN stays NaN. Up to 0.55 an odd polynomial of degree 11 (minimax, error 4e-9), beyond it
// (1 - e) / (1 + e) with e = e^-2|x|, which does not cancel there.
template <class V>
SETNET_INLINE V laneTanh(V x) {
  const V zero = Splat<V>::of(0), one = Splat<V>::of(1);
  const V square = x * x;
  V p = Splat<V>::of(-0.0066212860673);
  p = madd(p, square, Splat<V>::of(0.0213160909783));
  p = madd(p, square, Splat<V>::of(-0.0539106992078));
  p = madd(p, square, Splat<V>::of(0.133331214445));
  p = madd(p, square, Splat<V>::of(-0.333333320814));
  const V near = madd(x * square, p, x);
  const V a = laneMagnitude(x);
  const V e = laneExp(zero - (a + a));
  const V far = (one - e) / (one + e);
  return wherePositive(a - Splat<V>::of(0.55), wherePositive(x, far, zero - far), near);
}
SETNET_INLINE double laneTanh(double x) { return realTanh(x); }

// e^(-x^2 / 2) for 0 <= x <= 13, within 2 ulp: what rounding took from the square comes back as a factor.
template <class V>
SETNET_INLINE V laneGauss(V x) {
  const V half = Splat<V>::of(-0.5);
  const V square = x * x;
  const V lost = madd(x, x, Splat<V>::of(0) - square);
  const V e = laneExp(half * square);
  return madd(e, half * lost, e);
}
SETNET_INLINE double laneGauss(double x) { return realExp(-0.5 * x * x); }

// erfc(x / sqrt 2) / 2, the normal distribution's tail beyond x, for 0 <= x <= kNormalTailEnd, where it still is a
// normal float (2.2e-38); within 6 ulp. The tail over e^(-x^2 / 2), times x + 3, is smooth in (x - 3) / (x + 3), which
// is from -1 to 1: a polynomial of degree 10 in it (minimax) has an error of 2e-9.
constexpr double kNormalTailEnd = 12.9;
template <class V>
SETNET_INLINE V laneNormalTail(V x) {
  const V three = Splat<V>::of(3);
  const V t = Splat<V>::of(1) / (x + three);
  const V q = (x - three) * t;
  V p = Splat<V>::of(5.24419111228e-05);
  p = madd(p, q, Splat<V>::of(0.000127352963598));
  p = madd(p, q, Splat<V>::of(-0.000244926593279));
  p = madd(p, q, Splat<V>::of(-0.00102928045668));
  p = madd(p, q, Splat<V>::of(0.00102576952044));
  p = madd(p, q, Splat<V>::of(0.00696838054323));
  p = madd(p, q, Splat<V>::of(-0.0104628266261));
  p = madd(p, q, Splat<V>::of(-0.0472625851534));
  p = madd(p, q, Splat<V>::of(0.230017725754));
  p = madd(p, q, Splat<V>::of(-0.509331994767));
  p = madd(p, q, Splat<V>::of(0.729083690062));
  return p * t * laneGauss(x);
}
SETNET_INLINE double laneNormalTail(double x) { return realNormalTail(x); }

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
