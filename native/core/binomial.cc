#include "core/binomial.h"

#include <cmath>

#include "base/real_math.h"

namespace setnet::core {
namespace {

constexpr uint64_t kFirstBlock = 3;

// In (0, 1): 53 bits of two words, moved off the ends by half a step.
double uniform(uint32_t low, uint32_t high) {
  const uint64_t bits = (static_cast<uint64_t>(high) << 32 | low) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// ln(1 + x), where 1 + x alone would round x away (Kahan's correction).
double logOfOnePlus(double x) {
  const double sum = 1 + x;
  return sum == 1 ? x : realLog(sum) * (x / (sum - 1));
}

// Walks up the distribution function from 0; about p * trials + 1 steps.
uint64_t byInversion(const RandomStream& stream, uint64_t trials, double p) {
  const PhiloxBlock block = stream.block(kFirstBlock);
  double u = uniform(block.word[0], block.word[1]);
  const double n = static_cast<double>(trials);
  const double odds = p / (1 - p);
  double probability = realExp(n * logOfOnePlus(-p));  // (1 - p)^n
  // 110 is 30 standard deviations above a mean of 10: what is left of u there is rounding.
  for (uint64_t k = 0; k < 110 && k < trials; ++k) {
    if (u < probability) return k;
    u -= probability;
    probability *= odds * ((n - static_cast<double>(k)) / (static_cast<double>(k) + 1));
  }
  return trials < 110 ? trials : 110;
}

// ln k! - [ (k + 1/2) ln(k + 1) - (k + 1) + ln sqrt(2 pi) ]: what Stirling's formula leaves out.
double stirlingRest(double k) {
  if (k < 10) {
    double factorial = 1;
    for (int i = 2; i <= static_cast<int>(k); ++i) factorial *= i;
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    return realLog(factorial) - ((k + 0.5) * realLog(k + 1) - (k + 1) + kHalfLogTwoPi);
  }
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// p <= 1/2 and trials * p >= 10. Two uniform numbers per attempt, 1.15 to 1.5 attempts on average.
uint64_t byRejection(const RandomStream& stream, uint64_t trials, double p) {
  const double n = static_cast<double>(trials);
  const double q = 1 - p;
  const double spread = std::sqrt(n * p * q);
  const double b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double acceptAtOnce = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * spread;
  const double mode = std::floor((n + 1) * p);
  const double odds = p / q;
  for (uint64_t index = kFirstBlock;; ++index) {
    const PhiloxBlock block = stream.block(index);
    const double u = uniform(block.word[0], block.word[1]) - 0.5;
    double v = uniform(block.word[2], block.word[3]);
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= acceptAtOnce) return static_cast<uint64_t>(k);
    v = realLog(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * realLog((mode + 1) / (odds * (n - mode + 1))) + stirlingRest(mode) +
                         stirlingRest(n - mode) + (n + 1) * logOfOnePlus((k - mode) / (n - k + 1)) +
                         (k + 0.5) * realLog(odds * (n - k + 1) / (k + 1)) - stirlingRest(k) - stirlingRest(n - k);
    if (v <= bound) return static_cast<uint64_t>(k);
  }
}

}  // namespace

uint64_t binomial(const RandomStream& stream, uint64_t trials, double p) {
  if (trials == 0 || !(p > 0)) return 0;
  if (p >= 1) return trials;
  // Of the two outcomes the rarer one is counted.
  if (p > 0.5) return trials - binomial(stream, trials, 1 - p);
  return static_cast<double>(trials) * p < 10 ? byInversion(stream, trials, p) : byRejection(stream, trials, p);
}

}  // namespace setnet::core
