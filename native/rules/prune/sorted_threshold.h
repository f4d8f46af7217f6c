#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/float_bits.h"
#include "rules/prune/input.h"
#include "rules/rule.h"

namespace setnet::rules {

// The rule of the authors' programs. All numbers v, zeros among them, are sorted: v[0 .. n-1]. i0 is the first place of
// the smallest |v|, i1 = n - (that place counted from the end), and kept are
//   v < v[int((1 - zeta) i0)]   and   v > v[min(n - 1, int(i1 + zeta (n - i1)))]
// so that what lies on a threshold goes too, with everything equal to it: one connection more than floor(zeta count) of
// a sign, or several. The places are computed in double, as those programs do.
class SortedThreshold {
 public:
  // `zeros`: how many of the n numbers are 0.
  static void mark(Span<const float> values, double zeta, uint64_t zeros, Span<uint8_t> removed) {
    std::vector<int32_t> negative, positive;
    for (const float x : values)
      if (!isZeroBits(x)) (hasSignBit(x) ? negative : positive).push_back(ordered(x));
    if (negative.empty() && positive.empty()) return;
    std::sort(negative.begin(), negative.end());
    std::sort(positive.begin(), positive.end());
    const uint64_t below = negative.size(), n = below + zeros + positive.size();
    const auto at = [&](uint64_t place) {
      if (place < below) return negative[place];
      return place < below + zeros ? 0 : positive[place - below - zeros];
    };
    uint64_t first = below, end = below + zeros;  // of the smallest magnitude
    if (zeros == 0) {
      int32_t least = positive.empty() ? -negative.back() : positive.front();
      if (!negative.empty()) least = std::min(least, -negative.back());
      first = static_cast<uint64_t>(std::lower_bound(negative.begin(), negative.end(), -least) - negative.begin());
      end = below + static_cast<uint64_t>(std::upper_bound(positive.begin(), positive.end(), least) - positive.begin());
    }
    const double upTo = static_cast<double>(end), all = static_cast<double>(n);
    const int32_t low = at(std::min(n - 1, static_cast<uint64_t>((1 - zeta) * static_cast<double>(first))));
    const int32_t high = at(std::min(n - 1, static_cast<uint64_t>(upTo + zeta * (all - upTo))));
    for (size_t i = 0; i < values.size(); ++i)
      if (!isZeroBits(values[i]) && !(ordered(values[i]) < low || ordered(values[i]) > high)) removed[i] = 1;
  }

 private:
  // Numbers in the order of floats, by their bits; the opposite of a number is that of the opposite float.
  static int32_t ordered(float x) {
    const int32_t magnitude = static_cast<int32_t>(magnitudeBits(x));
    return hasSignBit(x) ? -magnitude : magnitude;
  }
};

// As the authors' Keras program: over the whole matrix, with the zeros of cells that have no connection.
struct ThresholdOfMatrix : NoParameters {
  static constexpr const char* name = "thresholdOfMatrix";

  static void mark(const PruneInput& input, Span<uint8_t> removed) {
    uint64_t stored = 0;
    for (const float x : input.values) stored += !isZeroBits(x);
    SortedThreshold::mark(input.values, input.zeta, input.cells - stored, removed);
  }
};

// As the authors' SciPy program: over the stored numbers alone.
struct ThresholdOfStored : NoParameters {
  static constexpr const char* name = "thresholdOfStored";

  static void mark(const PruneInput& input, Span<uint8_t> removed) {
    uint64_t zeros = 0;
    for (const float x : input.values) zeros += isZeroBits(x);
    SortedThreshold::mark(input.values, input.zeta, zeros, removed);
  }
};

}  // namespace setnet::rules
