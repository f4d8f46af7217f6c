#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/bijection.h"
#include "base/radix_sort.h"
#include "rules/grow/input.h"
#include "rules/rule.h"

namespace setnet::rules {

// SET's own rule (Mocanu et al. 2018): uniformly over the free cells. The newcomers are the first `count` cells of
// pi(0), pi(1), ... that are free, so they depend on the stream and on which cells are occupied and on nothing else.
struct RandomGrow : NoParameters {
  static constexpr const char* name = "random";

  static void choose(const GrowInput& input, std::vector<uint64_t>* cells) {
    const uint64_t occupied = input.occupied.size();
    const uint64_t wanted = std::min(input.count, input.cells - occupied);
    if (wanted == 0) return;
    const uint64_t before = cells->size();
    const Bijection pi(input.stream, input.cells);
    const double freeFraction = 1 - static_cast<double>(occupied) / static_cast<double>(input.cells);

    uint64_t position = 0;
    for (uint64_t found = 0; found < wanted;) {
      // pi(0), ..., pi(cells - 1) are all cells, so the free ones that are missing come before `position` gets there.
      const uint64_t missing = wanted - found;
      const uint64_t draws = std::min(batchSize(missing, freeFraction), input.cells - position);
      const uint64_t tail = before + found;
      cells->resize(tail + draws);
      pi.fill(position, draws, cells->data() + tail);
      position += draws;
      sortNumbers(cells, tail);
      removeSorted(input.occupied, cells, tail);
      if (cells->size() - tail > missing) {
        removeSorted(lastFree(input.occupied, pi, position, cells->size() - tail - missing), cells, tail);
      }
      std::inplace_merge(cells->begin() + before, cells->begin() + tail, cells->end());
      found = cells->size() - before;
    }
  }

 private:
  // So many draws that the batch almost surely (three standard deviations) holds all that are missing; never more than
  // a few times as many as are missing, because memory has to be linear in them, and never very few.
  static uint64_t batchSize(uint64_t missing, double freeFraction) {
    const double need = static_cast<double>(missing);
    const double draws = need / freeFraction;
    const double slack = 3 * std::sqrt(draws * (1 - freeFraction) / freeFraction);
    const double most = std::max(4 * need, 65536.0);
    return static_cast<uint64_t>(std::ceil(std::min(draws + slack, most)));
  }

  // Takes the elements of `gone` out of (*cells)[first..]; both ascend.
  static void removeSorted(Span<const uint64_t> gone, std::vector<uint64_t>* cells, uint64_t first) {
    if (gone.empty()) return;
    const uint64_t count = cells->size();
    uint64_t* cell = cells->data();
    uint64_t kept = first;
    if (count - first < gone.size() / 32) {
      for (uint64_t i = first; i < count; ++i) {
        const uint64_t c = cell[i];
        if (!std::binary_search(gone.begin(), gone.end(), c)) cell[kept++] = c;
      }
    } else {
      const uint64_t* g = gone.begin();
      for (uint64_t i = first; i < count; ++i) {
        const uint64_t c = cell[i];
        while (g != gone.end() && *g < c) ++g;
        cell[kept] = c;
        kept += g == gone.end() || *g != c;
      }
    }
    cells->resize(kept);
  }

  // The last `count` free cells before pi(end), ascending: those that a batch found beyond what was missing. Drawing
  // them a second time costs less than keeping the order of all draws.
  static std::vector<uint64_t> lastFree(Span<const uint64_t> occupied, const Bijection& pi, uint64_t end,
                                        uint64_t count) {
    std::vector<uint64_t> found;
    found.reserve(count);
    constexpr uint64_t kBlock = 256;
    uint64_t block[kBlock];
    while (found.size() < count) {
      const uint64_t size = std::min(kBlock, end);
      end -= size;
      pi.fill(end, size, block);
      for (uint64_t i = size; i > 0 && found.size() < count; --i) {
        if (!std::binary_search(occupied.begin(), occupied.end(), block[i - 1])) found.push_back(block[i - 1]);
      }
    }
    sortNumbers(&found);
    return found;
  }
};

}  // namespace setnet::rules
