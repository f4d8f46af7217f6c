// The choice of connections by magnitude, one sign at a time, that several prune rules share. No sort: a histogram over
// the sign and the uppermost 11 bits of the magnitude tells in which bin the threshold of each sign lies; one pass
// marks what is beyond that bin, and the few connections in it are looked at again, 10 bits at a time. The cost is
// linear, whatever the weights are.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/array.h"
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
    Cut cuts[2];
    const uint64_t undecided = findBins(values, zeta, cuts);
    if (cuts[0].any || cuts[1].any) decide(values, cuts, markBeyond(values, cuts, undecided, removed), removed);
  }

 private:
  static constexpr int kBins = 2048;  // of each sign: 11 bits

  // Where one sign is cut. Lower bins go entirely; of the connections in `bin`, those up to the rank-th (from 0) go.
  struct Cut {
    bool any = false;
    uint32_t bin = 0;
    uint64_t rank = 0;
  };

  static uint32_t keyOf(float x) { return kLargest ? 0x7FFFFFFFu - magnitudeBits(x) : magnitudeBits(x); }

  // Goes to the bin in which the rank-th key (from 0) lies and makes the rank relative to it.
  static uint32_t descend(const uint64_t* bins, uint64_t* rank) {
    uint32_t bin = 0;
    while (*rank >= bins[bin]) *rank -= bins[bin++];
    return bin;
  }

  // Returns how many connections lie in the bins of the cuts, zeros included.
  static uint64_t findBins(Span<const float> values, double zeta, Cut* cuts) {
    // Counted by the bits themselves, sign first, and twice alternately: neighbours often share a bin, and an increment
    // has to wait for the one before.
    constexpr int kAll = 2 * kBins;
    std::vector<uint64_t> counted(2 * kAll);
    uint64_t* even = counted.data();
    uint64_t* odd = even + kAll;
    const size_t count = values.size();
    for (size_t i = 0; i + 1 < count; i += 2) {
      ++even[bitsOf(values[i]) >> 20];
      ++odd[bitsOf(values[i + 1]) >> 20];
    }
    if (count % 2 != 0) ++even[bitsOf(values[count - 1]) >> 20];

    uint64_t undecided = 0;
    for (int sign = 0; sign < 2; ++sign) {
      uint64_t bins[kBins];
      uint64_t total = 0;
      for (int i = 0; i < kBins; ++i) {
        const int at = sign * kBins + (kLargest ? kBins - 1 - i : i);
        bins[i] = even[at] + odd[at];
        total += bins[i];
      }
      // The zeros of this sign were counted with the others and are taken out again.
      uint64_t& binOfZeros = bins[kLargest ? kBins - 1 : 0];
      const uint64_t zeros = binOfZeros > 0 ? countBits(values, sign != 0 ? 0x80000000u : 0u) : 0;
      binOfZeros -= zeros;
      const uint64_t wanted = prunedCount(zeta, total - zeros);
      cuts[sign].any = wanted > 0;
      if (wanted == 0) continue;
      cuts[sign].rank = wanted - 1;
      cuts[sign].bin = descend(bins, &cuts[sign].rank);
      undecided += bins[cuts[sign].bin] + (&bins[cuts[sign].bin] == &binOfZeros ? zeros : 0);
    }
    return undecided;
  }

  static uint64_t countBits(Span<const float> values, uint32_t bits) {
    uint64_t total = 0;
    constexpr size_t kBlock = 4096;
    for (size_t first = 0; first < values.size(); first += kBlock) {
      const size_t end = values.size() - first < kBlock ? values.size() : first + kBlock;
      uint32_t equal = 0;  // 32 bits: as wide as what is compared
      for (size_t i = first; i < end; ++i) equal += bitsOf(values[i]) == bits ? 1u : 0u;
      total += equal;
    }
    return total;
  }

  // Marks the connections in lower bins than their sign's cut; returns the indices of those in its bin, ascending.
  static Array<uint64_t> markBeyond(Span<const float> values, const Cut* cuts, uint64_t undecided,
                                    Span<uint8_t> removed) {
    // "Its key lies below the bin, and it is not zero" as one range of magnitudes: first[sign] <= m < first + width.
    uint32_t first[2], width[2], prefix[2];
    for (int sign = 0; sign < 2; ++sign) {
      const uint32_t limit = cuts[sign].any ? cuts[sign].bin << 20 : 0;
      first[sign] = kLargest ? 0x80000000u - limit : 1;
      width[sign] = kLargest || limit == 0 ? limit : limit - 1;
      const uint32_t bin = kLargest ? kBins - 1 - cuts[sign].bin : cuts[sign].bin;
      prefix[sign] = cuts[sign].any ? bin + static_cast<uint32_t>(sign * kBins) : ~0u;
    }
    Array<uint64_t> inBin;
    uint64_t* index =
        inBin.renew(undecided + 1);  // one more, because each place is written before it is known to count
    uint64_t found = 0;
    // Block by block, so that each loop has no branch but its own: few connections are in the bin.
    constexpr size_t kBlock = 512, kGroup = 8;
    alignas(kGroup) uint8_t isInBin[kBlock] = {};
    for (size_t begin = 0; begin < values.size(); begin += kBlock) {
      const float* x = values.data() + begin;
      uint8_t* goes = removed.data() + begin;
      const size_t count = values.size() - begin < kBlock ? values.size() - begin : kBlock;
      for (size_t i = 0; i < count; ++i) {
        const uint32_t bits = bitsOf(x[i]);
        const uint32_t negative = 0u - (bits >> 31);
        const uint32_t from = first[0] ^ (negative & (first[0] ^ first[1]));
        const uint32_t size = width[0] ^ (negative & (width[0] ^ width[1]));
        goes[i] |= static_cast<uint8_t>((bits & 0x7FFFFFFFu) - from < size);
      }
      for (size_t i = 0; i < count; ++i) {
        const uint32_t upper = bitsOf(x[i]) >> 20;
        isInBin[i] = static_cast<uint8_t>((upper == prefix[0]) | (upper == prefix[1]));
      }
      for (size_t group = 0; group < count; group += kGroup) {
        uint64_t any;
        std::memcpy(&any, isInBin + group, kGroup);
        if (any == 0) continue;
        const size_t end = count - group < kGroup ? count : group + kGroup;
        for (size_t i = group; i < end; ++i) {
          index[found] = begin + i;
          found += isInBin[i];
        }
      }
    }
    inBin.resize(found);
    return inBin;
  }

  // Goes down the remaining 20 bits of the keys with the connections that lie in the bins of the cuts.
  static void decide(Span<const float> values, const Cut* cuts, const Array<uint64_t>& inBin, Span<uint8_t> removed) {
    uint32_t prefix[2] = {cuts[0].bin, cuts[1].bin};
    uint64_t rank[2] = {cuts[0].rank, cuts[1].rank};
    for (const int shift : {10, 0}) {
      uint64_t bins[2][1024] = {};
      for (const uint64_t i : inBin) {
        const bool sign = hasSignBit(values[i]);
        const uint32_t key = keyOf(values[i]);
        if (key >> (shift + 10) == prefix[sign] && !isZeroBits(values[i])) ++bins[sign][key >> shift & 1023];
      }
      for (int sign = 0; sign < 2; ++sign) {
        if (cuts[sign].any) prefix[sign] = prefix[sign] << 10 | descend(bins[sign], &rank[sign]);
      }
    }
    // rank is now the place among equal keys of the last one that goes.
    uint64_t ties[2] = {rank[0] + 1, rank[1] + 1};
    for (const uint64_t i : inBin) {
      if (isZeroBits(values[i])) continue;
      const bool sign = hasSignBit(values[i]);
      const uint32_t key = keyOf(values[i]);
      if (key > prefix[sign] || (key == prefix[sign] && ties[sign] == 0)) continue;
      ties[sign] -= key == prefix[sign];
      removed[i] = 1;
    }
  }
};

}  // namespace setnet::rules
