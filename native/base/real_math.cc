// Argument reductions after Cody and Waite, then Taylor polynomials long enough that what they leave out is below a
// tenth of an ulp. Nothing here depends on libm except fma, floor and rounding, which are exact everywhere.
#include "base/real_math.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace setnet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

uint64_t bits(double x) {
  uint64_t b;
  std::memcpy(&b, &x, sizeof b);
  return b;
}
double fromBits(uint64_t b) {
  double x;
  std::memcpy(&x, &b, sizeof x);
  return x;
}

// 2^n, -1022 <= n <= 1023.
double powerOfTwo(int n) { return fromBits(static_cast<uint64_t>(n + 1023) << 52); }

// A number as the unevaluated sum of two doubles, about 106 bits.
struct Double2 {
  double high;
  double low;
};

Double2 twoSum(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
// |a| >= |b|, or a is 0.
Double2 quickTwoSum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}
Double2 twoProduct(double a, double b) {
  const double product = a * b;
  return {product, std::fma(a, b, -product)};
}
Double2 add(Double2 a, Double2 b) {
  const Double2 sum = twoSum(a.high, b.high);
  return quickTwoSum(sum.high, sum.low + (a.low + b.low));
}
Double2 multiply(Double2 a, Double2 b) {
  const Double2 product = twoProduct(a.high, b.high);
  return quickTwoSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

// ln 2 = kLn2High + kLn2Low + ...; the high part ends in 21 zero bits, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// e^(x + low), |low| far below an ulp of x, |x| <= 708.
double expOfSum(double x, double low) {
  const double n = std::nearbyint(x * 1.44269504088896340736);
  const double high = x - n * kLn2High;
  const double correction = n * kLn2Low - low;
  const double r = high - correction;           // |r| <= 0.35
  const double lost = (high - r) - correction;  // what the subtraction rounded off
  double p = 1.0 / 87178291200;                 // 1 / 14!
  p = p * r + 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 1.0 / 2;
  // 1 + (r + (r^2 p + lost)), the small parts first.
  const double result = 1 + (r + (r * r * p + lost));
  return result * powerOfTwo(static_cast<int>(n));
}

// x = 2^exponent * mantissa with mantissa in [sqrt(1/2), sqrt(2)). By integers: a processor that flushes subnormals
// would read them as zero.
struct Split {
  int exponent;
  double mantissa;
};

Split split(double x) {
  uint64_t b = bits(x);
  int exponent = static_cast<int>(b >> 52) - 1023;
  uint64_t fraction = b & 0xFFFFFFFFFFFFFull;
  if (exponent == -1023) {
    exponent = -1022;
    while (fraction >> 52 == 0) {
      fraction <<= 1;
      --exponent;
    }
    fraction &= 0xFFFFFFFFFFFFFull;
  }
  constexpr uint64_t kRootOfTwo = 0x6A09E667F3BCDull;  // the fraction of sqrt(2)
  const bool upper = fraction >= kRootOfTwo;
  return {exponent + upper, fromBits(static_cast<uint64_t>(1023 - upper) << 52 | fraction)};
}

// ln x to about 2^-66, relative. With s = f / (2 + f) the logarithm of 1 + f is 2 s + 2/3 s^3 + 2/5 s^5 + ...; the
// first two terms are taken in double-double, the others are too small to need it.
Double2 logOf(double x) {
  const Split parts = split(x);
  const double f = parts.mantissa - 1;  // exact
  const Double2 divisor = twoSum(parts.mantissa, 1);
  const double sHigh = f / divisor.high;
  const double rest = std::fma(-sHigh, divisor.high, f) - sHigh * divisor.low;
  const Double2 s = {sHigh, rest / divisor.high};
  const Double2 z = multiply(s, s);
  double p = 0;
  for (int k = 15; k >= 2; --k) p = p * z.high + 2.0 / (2 * k + 1);
  const Double2 twoThirds = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
  const Double2 series = multiply(multiply(s, z), add(twoThirds, {p * z.high, 0}));
  const Double2 ofMantissa = add({2 * s.high, 2 * s.low}, series);
  const double k = parts.exponent;
  const Double2 low = twoProduct(k, kLn2Low);
  return add(add({k * kLn2High, 0}, low), ofMantissa);
}

// x^n for a whole n in [1, 1023], by squaring in double-double, where no step can leave the range of doubles.
double wholePower(double x, int n) {
  Double2 result = {1, 0};
  Double2 square = {x, 0};
  for (;;) {
    if (n & 1) result = multiply(result, square);
    n >>= 1;
    if (n == 0) return result.high + result.low;
    square = multiply(square, square);
  }
}

// cos and sin of high + low, |high| <= 0.8.
double cosKernel(Double2 r) {
  const double z = r.high * r.high;
  double p = 1.0 / 6402373705728000;  // 1 / 18!
  p = 1.0 / 20922789888000 - p * z;
  p = 1.0 / 87178291200 - p * z;
  p = 1.0 / 479001600 - p * z;
  p = 1.0 / 3628800 - p * z;
  p = 1.0 / 40320 - p * z;
  p = 1.0 / 720 - p * z;
  p = 1.0 / 24 - p * z;
  const double half = 0.5 * z;
  const double top = 1 - half;
  return top + (((1 - top) - half) + (z * z * p - r.high * r.low));
}

double sinKernel(Double2 r) {
  const double z = r.high * r.high;
  double p = 1.0 / 121645100408832000;  // 1 / 19!
  p = 1.0 / 355687428096000 - p * z;
  p = 1.0 / 1307674368000 - p * z;
  p = 1.0 / 6227020800 - p * z;
  p = 1.0 / 39916800 - p * z;
  p = 1.0 / 362880 - p * z;
  p = 1.0 / 5040 - p * z;
  p = 1.0 / 120 - p * z;
  p = 1.0 / 6 - p * z;
  return r.high + (r.low * (1 - 0.5 * z) - r.high * z * p);
}

}  // namespace

double realExp(double x) {
  if (x != x) return x;
  if (x > 700) return kInfinity;
  if (x < -700) return 0;
  return expOfSum(x, 0);
}

double realLog(double x) {
  if (x != x || bits(x) == 0x7FF0000000000000ull) return x;
  if (bits(x) << 1 == 0) return -kInfinity;
  if (bits(x) >> 63 != 0) return kNan;
  const Split parts = split(x);
  const double f = parts.mantissa - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  double p = 0;
  for (int k = 11; k >= 1; --k) p = p * z + 2.0 / (2 * k + 1);
  p *= z;
  // ln(1 + f) = 2 s + s p = f - s (f - p) = f - (f^2 / 2 - s (f^2 / 2 + p)): f, the large term, enters unrounded.
  const double half = 0.5 * f * f;
  const double k = parts.exponent;
  return k * kLn2High - ((half - (s * (half + p) + k * kLn2Low)) - f);
}

double realCos(double x) {
  if (!(std::fabs(x) < kInfinity)) return kNan;
  // pi / 2 in three parts of 33 bits (their products with n are exact) and a tail: 150 bits, because x may lie close
  // to a zero of the cosine.
  constexpr double kPart1 = 0x1.921fb54400000p+0;
  constexpr double kPart2 = 0x1.0b4611a600000p-34;
  constexpr double kPart3 = 0x1.3198a2e000000p-69;
  constexpr double kTail = 0x1.b839a252049c1p-104;
  const double n = std::nearbyint(x * 0.63661977236758134308);
  Double2 r = twoSum(x - n * kPart1, -n * kPart2);
  const Double2 next = twoSum(r.high, -n * kPart3);
  r = twoSum(next.high, next.low + r.low - n * kTail);
  switch (static_cast<int64_t>(n) & 3) {
    case 0:
      return cosKernel(r);
    case 1:
      return -sinKernel(r);
    case 2:
      return -cosKernel(r);
    default:
      return sinKernel(r);
  }
}

double realPow(double x, double y) {
  if (x != x || y != y) return kNan;
  if (y == 0 || x == 1) return 1;
  if (bits(x) << 1 == 0) return y > 0 ? 0 : kInfinity;
  if (x < 0) return kNan;
  if (std::fabs(y) == kInfinity) return (x > 1) == (y > 0) ? kInfinity : 0;
  if (x == kInfinity) return y > 0 ? kInfinity : 0;
  if (y == 1) return x;
  // Whole exponents (a step schedule's) are correct to the last bit in all but a few of a million cases.
  const double whole = std::fabs(y);
  if (whole < 1024 && std::floor(whole) == whole && (std::abs(split(x).exponent) + 1) * whole < 900) {
    const double power = wholePower(x, static_cast<int>(whole));
    return y > 0 ? power : 1 / power;
  }
  const Double2 logarithm = logOf(x);
  const double product = y * logarithm.high;
  if (product > 700) return kInfinity;
  if (product < -700) return 0;
  return expOfSum(product, std::fma(y, logarithm.high, -product) + y * logarithm.low);
}

double realTanh(double x) {
  const double a = std::fabs(x);
  if (a < 1) {
    // Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))), from its end.
    double f = 23;
    for (int k = 21; k >= 1; k -= 2) f = k + x * x / f;
    return x / f;
  }
  const double e = realExp(-2 * a);
  const double y = (1 - e) / (1 + e);
  return x < 0 ? -y : y;
}

double realNormalTail(double x) {
  const double density = 0.39894228040143267794 * realExp(-0.5 * x * x);
  if (x < 2) {
    // 1/2 minus density * (x + x^3 / 3 + x^5 / (3 * 5) + ...)
    double term = x, sum = x;
    for (int k = 3; k < 81; k += 2) {
      term *= x * x / k;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // Laplace's continued fraction density / (x + 1 / (x + 2 / (x + 3 / ...))), from its end.
  double f = x;
  for (int k = 120; k >= 1; --k) f = x + k / f;
  return density / f;
}

}  // namespace setnet
