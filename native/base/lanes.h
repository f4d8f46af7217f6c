// The few arithmetic operations that rules are written in, for plain float and double. The kernels' 16-lane vectors
// define the same names beside their type, so that one rule serves the CPU kernels, the reference and CUDA.
#pragma once

#include <cmath>

#if defined(__GNUC__) || defined(__clang__)
#define SETNET_INLINE static inline __attribute__((always_inline))
#define SETNET_MEMBER_INLINE inline __attribute__((always_inline))
#else
#define SETNET_INLINE static inline
#define SETNET_MEMBER_INLINE inline
#endif

namespace setnet {

// a * b + c, rounded once.
SETNET_INLINE float madd(float a, float b, float c) { return std::fma(a, b, c); }
SETNET_INLINE double madd(double a, double b, double c) { return std::fma(a, b, c); }
// The larger one; b where a is NaN, as the vector instructions have it.
SETNET_INLINE float larger(float a, float b) { return a > b ? a : b; }
SETNET_INLINE double larger(double a, double b) { return a > b ? a : b; }
SETNET_INLINE float squareRoot(float x) { return std::sqrt(x); }
SETNET_INLINE double squareRoot(double x) { return std::sqrt(x); }
// yes where x > 0, else no.
SETNET_INLINE float wherePositive(float x, float yes, float no) { return x > 0 ? yes : no; }
SETNET_INLINE double wherePositive(double x, double yes, double no) { return x > 0 ? yes : no; }
// The same number in every lane.
template <class V>
struct Splat {
  SETNET_MEMBER_INLINE static V of(double x) { return static_cast<V>(x); }
};

}  // namespace setnet
