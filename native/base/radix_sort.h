// Sorting of cell numbers in linear time: many of them, in 64 bits of which the upper ones are mostly unused, and
// mostly spread evenly, as draws are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/array.h"

namespace setnet {
namespace radix {

constexpr int kMostDigitBits = 11;  // more streams of stores than that fall out of the first-level cache

inline int bitLength(uint64_t x) { return x == 0 ? 0 : 64 - __builtin_clzll(x); }

// Moves each element at most as far as the elements that are out of order go: for what is nearly sorted.
inline void sortByInsertion(uint64_t* v, uint64_t count) {
  for (uint64_t i = 1; i < count; ++i) {
    const uint64_t x = v[i];
    uint64_t k = i;
    for (; k > 0 && v[k - 1] > x; --k) v[k] = v[k - 1];
    v[k] = x;
  }
}

// Sorts from[0..count), which differ in their lowest `bits` bits only, into to[0..count). One counting pass into about
// as many bins as there are numbers; what shares a bin is put in order by insertion.
inline void sortBucket(const uint64_t* from, uint64_t* to, uint64_t count, int bits) {
  constexpr uint64_t kFew = 12, kCrowded = 24, kMost = uint64_t{1} << 31;
  if (count <= kFew || count >= kMost) {
    std::copy(from, from + count, to);
    count <= kFew ? sortByInsertion(to, count) : std::sort(to, to + count);
    return;
  }
  const int digitBits = std::min({bits, kMostDigitBits, bitLength(count - 1)});
  const int shift = bits - digitBits;
  const uint64_t bins = uint64_t{1} << digitBits;
  uint32_t start[uint64_t{1} << kMostDigitBits];
  std::fill(start, start + bins, 0);
  for (uint64_t i = 0; i < count; ++i) ++start[from[i] >> shift & (bins - 1)];
  uint32_t sum = 0, largest = 0;
  for (uint64_t bin = 0; bin < bins; ++bin) {
    const uint32_t size = start[bin];
    largest = std::max(largest, size);
    start[bin] = sum;
    sum += size;
  }
  for (uint64_t i = 0; i < count; ++i) to[start[from[i] >> shift & (bins - 1)]++] = from[i];
  if (shift == 0) return;
  if (largest > kCrowded) {
    // Not spread evenly: insertion would be quadratic. start[] holds the ends now.
    for (uint64_t bin = 0, first = 0; bin < bins; first = start[bin++]) {
      if (start[bin] - first > kCrowded) std::sort(to + first, to + start[bin]);
    }
  }
  sortByInsertion(to, count);
}

}  // namespace radix

// Sorts numbers[0..count) ascending; `spare` is memory for as many. First by the uppermost digit into buckets that fit
// into the first-level cache, then bucket by bucket.
inline void sortNumbers(uint64_t* numbers, uint64_t count, uint64_t* spare) {
  constexpr int kBucketBits = 7;  // a bucket shall hold about so many numbers, log2
  uint64_t all = 0;
  for (uint64_t i = 0; i < count; ++i) all |= numbers[i];
  const int bits = radix::bitLength(all);
  const int digitBits = std::min({bits, radix::kMostDigitBits, std::max(0, radix::bitLength(count) - kBucketBits)});
  const int shift = bits - digitBits;
  const uint64_t bins = uint64_t{1} << digitBits;
  uint64_t end[uint64_t{1} << radix::kMostDigitBits];
  std::fill(end, end + bins, 0);
  if (shift == 64) {  // no digit at all
    std::copy(numbers, numbers + count, spare);
    end[0] = count;
  } else {
    for (uint64_t i = 0; i < count; ++i) ++end[numbers[i] >> shift];
    uint64_t sum = 0;
    for (uint64_t bin = 0; bin < bins; ++bin) {
      const uint64_t size = end[bin];
      end[bin] = sum;
      sum += size;
    }
    for (uint64_t i = 0; i < count; ++i) spare[end[numbers[i] >> shift]++] = numbers[i];
  }
  for (uint64_t bin = 0, first = 0; bin < bins; first = end[bin++])
    radix::sortBucket(spare + first, numbers + first, end[bin] - first, shift);
}

// Sorts v[first..] ascending.
inline void sortNumbers(std::vector<uint64_t>* v, uint64_t first = 0) {
  Array<uint64_t> spare;
  const uint64_t count = v->size() - first;
  sortNumbers(v->data() + first, count, spare.renew(count));
}

}  // namespace setnet
