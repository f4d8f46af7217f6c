// Sorting of cell numbers in linear time: many of them, in 64 bits of which the upper ones are mostly unused.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace setnet {

// Sorts v[first..] ascending. Least significant digit first, 11 bits a pass, as many passes as the largest number
// needs; short inputs go to std::sort, which is faster there.
inline void sortNumbers(std::vector<uint64_t>* v, uint64_t first = 0) {
  constexpr int kBits = 11;
  constexpr uint64_t kBins = uint64_t{1} << kBits;
  constexpr uint64_t kShort = 2048;
  const uint64_t count = v->size() - first;
  uint64_t* from = v->data() + first;
  if (count < kShort) {
    std::sort(from, from + count);
    return;
  }
  uint64_t all = 0;
  for (uint64_t i = 0; i < count; ++i) all |= from[i];
  const std::unique_ptr<uint64_t[]> other(new uint64_t[count]);  // not set to zero first, as a vector would be
  uint64_t* to = other.get();
  uint64_t start[kBins];
  for (int shift = 0; shift < 64 && all >> shift != 0; shift += kBits) {
    std::fill(start, start + kBins, 0);
    for (uint64_t i = 0; i < count; ++i) ++start[from[i] >> shift & (kBins - 1)];
    uint64_t sum = 0;
    for (uint64_t& s : start) {
      const uint64_t size = s;
      s = sum;
      sum += size;
    }
    for (uint64_t i = 0; i < count; ++i) to[start[from[i] >> shift & (kBins - 1)]++] = from[i];
    std::swap(from, to);
  }
  if (from != v->data() + first) std::copy(from, from + count, v->data() + first);
}

}  // namespace setnet
