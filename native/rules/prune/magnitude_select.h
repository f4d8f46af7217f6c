// The choice of connections by magnitude, one sign at a time, that several prune rules share. No sort: the threshold is
// found by a radix select over the integer bits (three counting passes of 11 + 10 + 10 bits), so the cost is linear.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/float_bits.h"
#include "base/span.h"

namespace setnet::rules {

// How many of `count` connections the fraction zeta is. The small summand heals products such as 0.3 * 10, whose double
// is below the integer that is meant.
inline uint64_t prunedCount(double zeta, uint64_t count) {
  const double wanted = std::floor(zeta * static_cast<double>(count) + 1e-9);
  if (!(wanted > 0)) return 0;
  return wanted >= static_cast<double>(count) ? count : static_cast<uint64_t>(wanted);
}

// The keys are 31 bits: magnitude bits, or their complement where the largest go first.
template <bool kLargest>
class MagnitudeSelect {
 public:
  // Marks, per sign, the prunedCount(zeta, count of that sign) connections with the lowest keys; among equal keys the
  // lower index goes first. Zeros are of neither sign and are never marked.
  static void markPerSign(Span<const float> values, double zeta, Span<uint8_t> removed) {
    Threshold threshold[2];
    findThresholds(values, zeta, threshold);
    for (size_t i = 0; i < values.size(); ++i) {
      if (isZeroBits(values[i])) continue;
      Threshold& t = threshold[hasSignBit(values[i])];
      const uint32_t key = keyOf(values[i]);
      if (key < t.key) {
        removed[i] = 1;
      } else if (key == t.key && t.ties > 0) {
        --t.ties;
        removed[i] = 1;
      }
    }
  }

 private:
  // Every key below `key` goes, and the first `ties` that are equal to it.
  struct Threshold {
    uint32_t key = 0;
    uint64_t ties = 0;
  };

  static uint32_t keyOf(float x) { return kLargest ? 0x7FFFFFFFu - magnitudeBits(x) : magnitudeBits(x); }

  // Goes to the bin in which the rank-th key (from 0) lies and makes the rank relative to it.
  static uint32_t descend(const uint64_t* bins, uint64_t* rank) {
    uint32_t bin = 0;
    while (*rank >= bins[bin]) *rank -= bins[bin++];
    return bin;
  }

  static void findThresholds(Span<const float> values, double zeta, Threshold* threshold) {
    uint64_t bins[2][2048] = {};
    uint64_t zeros = 0;
    for (float x : values) {
      ++bins[hasSignBit(x)][keyOf(x) >> 20];
      zeros += isZeroBits(x);
    }
    // Zeros were counted with the others; they all lie in one bin and are taken out again, sign by sign.
    if (zeros > 0) {
      for (float x : values)
        if (isZeroBits(x)) --bins[hasSignBit(x)][keyOf(x) >> 20];
    }

    uint64_t rank[2];
    uint32_t prefix[2];
    bool any[2];
    for (int sign = 0; sign < 2; ++sign) {
      uint64_t count = 0;
      for (uint64_t bin : bins[sign]) count += bin;
      const uint64_t wanted = prunedCount(zeta, count);
      any[sign] = wanted > 0;
      rank[sign] = any[sign] ? wanted - 1 : 0;
      prefix[sign] = any[sign] ? descend(bins[sign], &rank[sign]) : 0;
    }
    if (!any[0] && !any[1]) return;
    for (const int shift : {10, 0}) {
      for (auto& ofSign : bins)
        for (int i = 0; i < 1024; ++i) ofSign[i] = 0;
      for (float x : values) {
        const bool sign = hasSignBit(x);
        const uint32_t key = keyOf(x);
        if (key >> (shift + 10) == prefix[sign] && !isZeroBits(x)) ++bins[sign][key >> shift & 1023];
      }
      for (int sign = 0; sign < 2; ++sign) {
        if (any[sign]) prefix[sign] = prefix[sign] << 10 | descend(bins[sign], &rank[sign]);
      }
    }
    // rank is now the place among equal keys of the last one that goes.
    for (int sign = 0; sign < 2; ++sign) {
      if (any[sign]) threshold[sign] = {prefix[sign], rank[sign] + 1};
    }
  }
};

}  // namespace setnet::rules
