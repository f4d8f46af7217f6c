#pragma once

#include <algorithm>
#include <vector>

#include "base/bijection.h"
#include "rules/prune/input.h"
#include "rules/prune/magnitude_select.h"
#include "rules/rule.h"

namespace setnet::rules {

// A negative control (Mocanu et al. 2018): the fraction zeta of all connections that are not zero, whatever their
// weights. Connection number r among those (in canonical order) goes when r is one of the first values of the bijection
// over their count.
struct RandomPrune : NoParameters {
  static constexpr const char* name = "random";

  static void mark(const PruneInput& input, Span<uint8_t> removed) {
    uint64_t nonzero = 0;
    for (float x : input.values) nonzero += !isZeroBits(x);
    const uint64_t wanted = prunedCount(input.zeta, nonzero);
    if (wanted == 0) return;

    std::vector<uint8_t> goes(nonzero, 0);
    const Bijection pi(input.stream, nonzero);
    constexpr uint64_t kBatch = 1024;
    uint64_t rank[kBatch];
    for (uint64_t first = 0; first < wanted; first += kBatch) {
      const uint64_t count = std::min(kBatch, wanted - first);
      pi.fill(first, count, rank);
      for (uint64_t i = 0; i < count; ++i) goes[rank[i]] = 1;
    }
    uint64_t r = 0;
    for (size_t i = 0; i < input.values.size(); ++i) {
      if (!isZeroBits(input.values[i]) && goes[r++]) removed[i] = 1;
    }
  }
};

}  // namespace setnet::rules
