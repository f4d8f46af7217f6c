// The double-precision functions against the platform's long double ones, and the bits of floats.
#include "base/real_math.h"

#include <cmath>
#include <limits>
#include <random>

#include "base/float_bits.h"
#include "base/flush_subnormals.h"
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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

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
