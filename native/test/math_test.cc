// The double- and single-precision functions against the platform's long double ones, and the bits of floats.
#include "base/real_math.h"

#include <cmath>
#include <limits>
#include <random>

#include "base/float_bits.h"
#include "base/flush_subnormals.h"
#include "base/lane_math.h"
#include "base/memory.h"
#include "test/check.h"
#include "test/random_network.h"

using namespace setnet;

namespace {

// The error of `value` in units of the last place of the exact result.
double ulps(double value, long double exact) {
  const double rounded = std::fabs(static_cast<double>(exact));
  const double ulp = std::nextafter(rounded, INFINITY) - rounded;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / static_cast<long double>(ulp));
}

struct Range {
  double low, high;
};

// The worst error over random points of each range.
template <class F, class Exact>
double worst(std::initializer_list<Range> ranges, F f, Exact exact) {
  std::mt19937_64 random(1);
  double result = 0;
  for (const Range& range : ranges) {
    std::uniform_real_distribution<double> in(range.low, range.high);
    for (int i = 0; i < 100000; ++i) {
      const double x = in(random);
      result = std::max(result, ulps(f(x), exact(static_cast<long double>(x))));
    }
  }
  return result;
}

// The same for a float, in units of its last place.
double floatUlps(float value, long double exact) {
  const float rounded = std::fabs(static_cast<float>(exact));
  const float ulp = std::nextafter(rounded, INFINITY) - rounded;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / static_cast<long double>(ulp));
}

// The worst error of a float function over every 997th float from `low` to `high`, both above 0.
template <class F, class Exact>
double worstFloat(float low, float high, F f, Exact exact) {
  double result = 0;
  for (uint32_t bits = bitsOf(low); bits <= bitsOf(high); bits += 997) {
    const float x = floatOf(bits);
    const double error = floatUlps(f(x), exact(static_cast<long double>(x)));
    result = error <= result ? result : error;  // a NaN stays
  }
  return result;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kSmallest = std::numeric_limits<float>::min(), kLargest = std::numeric_limits<float>::max();

}  // namespace

TEST("exp is within 2 ulp") {
  const double error = worst({{-700, 700}, {-50, 1}, {-1, 1}, {-1e-3, 1e-3}, {-1e-12, 1e-12}}, realExp,
                             [](long double x) { return std::exp(x); });
  CHECK_NEAR(error, 0, 2);
  CHECK_EQ(realExp(0), 1.0);
  CHECK_EQ(realExp(-0.0), 1.0);
}

TEST("exp is 0 below its range, infinite above it, and keeps NaN") {
  CHECK_EQ(realExp(-701), 0.0);
  CHECK_EQ(realExp(701), kInfinity);
  CHECK_EQ(realExp(kInfinity), kInfinity);
  CHECK_EQ(realExp(-kInfinity), 0.0);
  CHECK(std::isnan(realExp(NAN)));
}

TEST("log is within 2 ulp") {
  const double error =
      worst({{0, 1}, {0.5, 2}, {0.99, 1.01}, {1 - 1e-9, 1 + 1e-9}, {1, 1e9}, {1e-300, 1e-290}, {1e300, 1e308}}, realLog,
            [](long double x) { return std::log(x); });
  CHECK_NEAR(error, 0, 2);
  std::mt19937_64 random(2);
  double overAllExponents = 0;
  for (int i = 0; i < 200000; ++i) {
    const double x =
        std::ldexp(1 + static_cast<double>(random() >> 11) * 0x1p-53, static_cast<int>(random() % 2040) - 1019);
    overAllExponents = std::max(overAllExponents, ulps(realLog(x), std::log(static_cast<long double>(x))));
  }
  CHECK_NEAR(overAllExponents, 0, 2);
  CHECK_EQ(realLog(1), 0.0);
}

TEST("log knows its ends and subnormals, flushed or not") {
  CHECK_EQ(realLog(0), -kInfinity);
  CHECK_EQ(realLog(-0.0), -kInfinity);
  CHECK_EQ(realLog(kInfinity), kInfinity);
  CHECK(std::isnan(realLog(-1)));
  CHECK(std::isnan(realLog(NAN)));
  const double tiny = std::numeric_limits<double>::denorm_min();
  const double exact = static_cast<double>(std::log(static_cast<long double>(tiny)));
  CHECK_NEAR(realLog(tiny), exact, 1e-12);
  double flushed;
  {
    FlushSubnormals flush;
    flushed = realLog(tiny);
  }
  CHECK_EQ(flushed, realLog(tiny));
}

TEST("cos is within 2 ulp, also beside its zeros") {
  const double error =
      worst({{-1, 1}, {-4, 4}, {-1000, 1000}, {-1e5, 1e5}}, realCos, [](long double x) { return std::cos(x); });
  CHECK_NEAR(error, 0, 2);
  // The doubles next to the zeros: cosines near 1e-16 and below, where long double's own reduction (64 bits more of
  // pi than double's) is the measure. The largest such argument is 1e5.
  double besideZeros = 0;
  for (int k = 0; k < 31830; ++k) {
    const double x = (2 * k + 1) * 1.57079632679489661923;
    besideZeros = std::max(besideZeros, ulps(realCos(x), std::cos(static_cast<long double>(x))));
  }
  CHECK_NEAR(besideZeros, 0, 2);
  CHECK_EQ(realCos(0), 1.0);
  CHECK_EQ(realCos(3.14159265358979323846), -1.0);
  CHECK(std::isnan(realCos(kInfinity)));
  CHECK(std::isnan(realCos(NAN)));
}

TEST("pow is within 2 ulp") {
  std::mt19937_64 random(3);
  double error = 0, whole = 0;
  for (int i = 0; i < 300000; ++i) {
    const double x = std::exp(std::uniform_real_distribution<double>(-20, 20)(random));
    const double y = std::uniform_real_distribution<double>(-30, 30)(random);
    error = std::max(error, ulps(realPow(x, y), std::pow(static_cast<long double>(x), static_cast<long double>(y))));
    const double factor = std::uniform_real_distribution<double>(0.1, 1.2)(random);
    const double n = static_cast<double>(random() % 120);
    whole = std::max(whole,
                     ulps(realPow(factor, n), std::pow(static_cast<long double>(factor), static_cast<long double>(n))));
  }
  CHECK_NEAR(error, 0, 2);
  CHECK_NEAR(whole, 0, 0.51);
  // Close to 1 with large exponents, as a learning rate's decay by the step has it.
  double decay = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = 1 - std::uniform_real_distribution<double>(0, 1e-3)(random);
    const double y = std::uniform_real_distribution<double>(0, 6e5)(random);
    decay = std::max(decay, ulps(realPow(x, y), std::pow(static_cast<long double>(x), static_cast<long double>(y))));
  }
  CHECK_NEAR(decay, 0, 2);
}

TEST("tanh is within 2 ulp everywhere") {
  const double error =
      worst({{-1, 1}, {-30, 30}, {-1e-3, 1e-3}, {-1e-12, 1e-12}}, realTanh, [](long double x) { return std::tanh(x); });
  CHECK_NEAR(error, 0, 2);
  CHECK_EQ(realTanh(0), 0.0);
  CHECK_EQ(realTanh(400), 1.0);
  CHECK_EQ(realTanh(-kInfinity), -1.0);
  CHECK(std::isnan(realTanh(NAN)));
}

TEST("the normal distribution's tail is within 1e-13 of its value, and 0 where it underflows") {
  const auto exact = [](long double x) { return std::erfc(x / std::sqrt(2.0L)) / 2; };
  double error = 0;
  for (double x = 0; x < 37; x += 1e-3) {
    const long double tail = exact(x);
    error = std::fmax(error, static_cast<double>(std::fabs(realNormalTail(x) - tail) / tail));
  }
  CHECK_NEAR(error, 0, 1e-13);
  CHECK_EQ(realNormalTail(0), 0.5);
  CHECK_EQ(realNormalTail(40), 0.0);
  CHECK(std::isnan(realNormalTail(NAN)));
}

TEST("exp in float is within 2 ulp from -87.3 to 0, 0 below, and keeps NaN") {
  const auto f = [](float x) { return laneExp(-x); };
  CHECK_NEAR(worstFloat(kSmallest, 87.2f, f, [](long double x) { return std::exp(-x); }), 0, 2);
  CHECK_EQ(laneExp(0.0f), 1.0f);
  for (const float x : {-87.4f, -1e10f, -kLargest, -INFINITY}) CHECK_EQ(laneExp(x), 0.0f);
  CHECK(std::isnan(laneExp(NAN)));
}

TEST("the sigmoid in float is within 3 ulp from -87.3 on, 0 below, 1 far above, and keeps NaN") {
  const auto exact = [](long double x) { return 1 / (1 + std::exp(-x)); };
  CHECK_NEAR(worstFloat(
                 kSmallest, 100, [](float x) { return laneSigmoid(x); }, exact),
             0, 3);
  CHECK_NEAR(worstFloat(
                 kSmallest, 87.2f, [](float x) { return laneSigmoid(-x); }, [&](long double x) { return exact(-x); }),
             0, 3);
  CHECK_EQ(laneSigmoid(0.0f), 0.5f);
  for (const float x : {1e-45f, -1e-45f, kSmallest, -kSmallest}) CHECK_EQ(laneSigmoid(x), 0.5f);
  for (const float x : {40.0f, 1e10f, kLargest, INFINITY}) CHECK_EQ(laneSigmoid(x), 1.0f);
  for (const float x : {-87.4f, -1e10f, -kLargest, -INFINITY}) CHECK_EQ(laneSigmoid(x), 0.0f);
  CHECK(std::isnan(laneSigmoid(NAN)));
}

TEST("tanh in float is within 2 ulp everywhere, odd, and keeps NaN") {
  const auto f = [](float x) { return laneTanh(x); };
  CHECK_NEAR(worstFloat(kSmallest, kLargest, f, [](long double x) { return std::tanh(x); }), 0, 2);
  for (uint32_t bits = bitsOf(kSmallest); bits < bitsOf(100.0f); bits += 4099)
    CHECK_EQ(laneTanh(-floatOf(bits)), -laneTanh(floatOf(bits)));
  CHECK_EQ(laneTanh(0.0f), 0.0f);
  CHECK_EQ(laneTanh(1e-45f), 1e-45f);
  CHECK_EQ(laneTanh(INFINITY), 1.0f);
  CHECK_EQ(laneTanh(-INFINITY), -1.0f);
  CHECK(std::isnan(laneTanh(NAN)));
}

TEST("the bell curve in float is within 2 ulp, the tail of the normal distribution within 6") {
  const float end = static_cast<float>(kNormalTailEnd);
  CHECK_NEAR(
      worstFloat(
          kSmallest, 13, [](float x) { return laneGauss(x); }, [](long double x) { return std::exp(-x * x / 2); }),
      0, 2);
  CHECK_NEAR(worstFloat(
                 kSmallest, end, [](float x) { return laneNormalTail(x); },
                 [](long double x) { return std::erfc(x / std::sqrt(2.0L)) / 2; }),
             0, 6);
  CHECK_EQ(laneGauss(0.0f), 1.0f);
  CHECK(laneNormalTail(end) > kSmallest);
  CHECK(std::isnan(laneGauss(NAN)) && std::isnan(laneNormalTail(NAN)));
}

TEST("pow is exact where the result is a double that anyone would expect") {
  CHECK_EQ(realPow(0.1, 0), 1.0);
  CHECK_EQ(realPow(0.1, 1), 0.1);
  CHECK_EQ(realPow(0.5, 3), 0.125);
  CHECK_EQ(realPow(0.5, -3), 8.0);
  CHECK_EQ(realPow(2, 1000), std::ldexp(1.0, 1000));
  CHECK_EQ(realPow(10, 22), 1e22);
  CHECK_EQ(realPow(3, 33), 5559060566555523.0);
  CHECK_EQ(realPow(4, 0.5), 2.0);
  CHECK_EQ(realPow(1, 1e300), 1.0);
  CHECK_EQ(realPow(0, 2), 0.0);
  CHECK_EQ(realPow(0, -2), kInfinity);
  CHECK_EQ(realPow(0.5, 5000), 0.0);
  CHECK_EQ(realPow(2, 5000), kInfinity);
  CHECK_EQ(realPow(0.5, kInfinity), 0.0);
  CHECK_EQ(realPow(0.5, -kInfinity), kInfinity);
  CHECK_EQ(realPow(kInfinity, -1.5), 0.0);
  CHECK(std::isnan(realPow(-2, 3)));
  CHECK(std::isnan(realPow(NAN, 3)));
  CHECK(std::isnan(realPow(2, NAN)));
}

TEST("sign, zero and order of a float come from its bits, whatever the flush mode") {
  volatile float subnormal = std::numeric_limits<float>::denorm_min();
  const float tiny = subnormal, minusTiny = -tiny;
  const auto check = [&] {
    CHECK(!isZeroBits(tiny));
    CHECK(!isZeroBits(minusTiny));
    CHECK(isZeroBits(0.0f));
    CHECK(isZeroBits(-0.0f));
    CHECK(hasSignBit(minusTiny) && hasSignBit(-0.0f) && !hasSignBit(tiny) && !hasSignBit(0.0f));
    CHECK_EQ(magnitudeBits(minusTiny), 1u);
    CHECK(magnitudeBits(tiny) < magnitudeBits(std::numeric_limits<float>::min()));
  };
  check();
  FlushSubnormals flush;
  check();
}

TEST("subnormal results and operands count as zero while they are flushed, and not afterwards") {
  volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f, subnormal = 1e-40f, large = 1e30f;
  volatile double smallestDouble = std::numeric_limits<double>::min(), halfDouble = 0.5;
  {
    FlushSubnormals flush;
    CHECK_EQ(bitsOf(smallest * half), 0u);
    CHECK_EQ(bitsOf(-smallest * half), 0x80000000u);  // a zero keeps the sign
    CHECK_EQ(bitsOf(subnormal * large), 0u);
    CHECK(smallestDouble * halfDouble == 0);
  }
  CHECK(smallest * half > 0);
  CHECK(subnormal * large > 0);
  CHECK(smallestDouble * halfDouble > 0);
}

TEST("finite, infinite and NaN are told apart by bits") {
  for (const float x : {0.0f, -0.0f, 1.0f, -3.4e38f, 1e-45f}) CHECK(isFiniteBits(x) && !isNanBits(x));
  CHECK(!isFiniteBits(INFINITY) && !isFiniteBits(-INFINITY) && !isFiniteBits(NAN));
  CHECK(!isNanBits(INFINITY) && isNanBits(NAN) && isNanBits(-NAN));
  CHECK_EQ(floatOf(bitsOf(-1.5f)), -1.5f);
}

TEST("bfloat16 is the nearest upper half, ties to even, and stays finite") {
  // By search: the nearest of the two halves around x, in double.
  test::Random random(3);
  for (int round = 0; round < 100000; ++round) {
    const float x = floatOf(static_cast<uint32_t>(random.next()));
    if (!isFiniteBits(x)) continue;
    const uint16_t down = static_cast<uint16_t>(bitsOf(x) >> 16), up = static_cast<uint16_t>(down + 1);
    const double below = std::fabs(double{x} - double{fromBfloat16(down)});
    const double above = isFiniteBits(fromBfloat16(up)) ? std::fabs(double{fromBfloat16(up)} - double{x}) : INFINITY;
    const uint16_t expected = below < above ? down : above < below ? up : down % 2 == 0 ? down : up;
    CHECK_EQ(toBfloat16(x), expected);
  }
  CHECK_EQ(fromBfloat16(toBfloat16(1.0f)), 1.0f);
  CHECK_EQ(toBfloat16(-0.0f), 0x8000);
  CHECK_EQ(toBfloat16(std::numeric_limits<float>::max()), 0x7F7F);
  CHECK_EQ(toBfloat16(-std::numeric_limits<float>::max()), 0xFF7F);
  CHECK_EQ(toBfloat16(INFINITY), 0x7F80);
  CHECK(isNanBits(fromBfloat16(toBfloat16(NAN))));
}

TEST("the first value that is not finite is found at every place") {
  std::vector<float> x(1000, 3.4e38f);
  CHECK_EQ(firstNonfinite(x.data(), x.size()), x.size());
  CHECK_EQ(firstNonfinite(nullptr, 0), 0);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = i % 2 ? NAN : -INFINITY;
    if (i + 5 < x.size()) x[i + 5] = INFINITY;
    CHECK_EQ(firstNonfinite(x.data(), x.size()), i);
    CHECK_EQ(firstNonfinite(x.data(), i), i);
    x[i] = 0;
    if (i + 5 < x.size()) x[i + 5] = 0;
  }
}

TEST("sizes saturate instead of wrapping around") {
  CHECK_EQ(saturatedProduct(1ull << 31, 1ull << 31), 1ull << 62);
  CHECK_EQ(saturatedProduct(1ull << 32, 1ull << 32), ~uint64_t{0});
  CHECK_EQ(saturatedProduct(0, ~uint64_t{0}), 0);
  CHECK_EQ(saturatedSum(~uint64_t{0}, 1), ~uint64_t{0});
  CHECK_EQ(saturatedSum(40, 2), 42);
  CHECK(memoryLimit() > 1u << 20);
  CHECK_EQ(formatBytes(999), std::string("999 bytes"));
  CHECK_EQ(formatBytes(12345678901ull), std::string("12.3 GB"));
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
