// Statistics that several tests of random numbers need.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace setnet::test {

// A chi-square sum as a standard normal number (Wilson and Hilferty 1931), good from few degrees of freedom on.
inline double chiSquareScore(double sum, double degrees) {
  const double variance = 2 / (9 * degrees);
  return (std::cbrt(sum / degrees) - (1 - variance)) / std::sqrt(variance);
}

// How far `counts` are from being equally likely, as a standard normal number.
inline double uniformityScore(const std::vector<uint64_t>& counts) {
  double total = 0;
  for (uint64_t count : counts) total += static_cast<double>(count);
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (uint64_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return chiSquareScore(sum, static_cast<double>(counts.size()) - 1);
}

}  // namespace setnet::test
