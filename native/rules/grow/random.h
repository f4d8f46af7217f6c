#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/bijection.h"
#include "base/radix_sort.h"
#include "rules/grow/free_cells.h"
#include "rules/grow/input.h"
#include "rules/rule.h"

namespace setnet::rules {

// SET's own rule (Mocanu et al. 2018): uniformly over the free cells. The newcomers are the first `count` cells of
// pi(0), pi(1), ... that are free, so they depend on the stream and on which cells are occupied and on nothing else.
struct RandomGrow : NoParameters {
  static constexpr const char* name = "random";

  static void choose(const GrowInput& input, GrowMemory* memory, CellList* cells) {
    const OccupiedCells& occupied = input.occupied;
    const uint64_t all = occupied.cells();
    const uint64_t wanted = std::min(input.count, all - occupied.count);
    if (wanted == 0) return;
    const uint64_t before = cells->size();
    const Bijection pi(input.stream, all);
    const double freeFraction = 1 - static_cast<double>(occupied.count) / static_cast<double>(all);

    uint64_t position = 0;
    for (uint64_t found = 0; found < wanted;) {
      // pi(0), ..., pi(cells - 1) are all cells, so the free ones that are missing come before `position` gets there.
      const uint64_t missing = wanted - found;
      const uint64_t draws = std::min(batchSize(missing, freeFraction), all - position);
      cells->resize(before + found + draws + 1);
      uint64_t* drawn = cells->data() + before + found;
      pi.fill(position, draws, drawn);
      position += draws;
      input.lap("draw");
      sortNumbers(drawn, draws, memory->cells.renew(draws));
      input.lap("sort");
      uint64_t free = keepFree(occupied, drawn, draws, &memory->marks);
      input.lap("keep free");
      if (free > missing) {
        const uint64_t excess = free - missing;
        findLastFree(occupied, pi, position, excess, &memory->cells);
        free = takeOut(memory->cells, drawn, free);
      }
      std::inplace_merge(cells->data() + before, drawn, drawn + free);
      input.lap("cut");
      found += free;
    }
    cells->resize(before + wanted);
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

  // The last `count` free cells before pi(end), ascending: those that a batch found beyond what was missing. Drawing
  // them a second time costs less than keeping the order of all draws.
  static void findLastFree(const OccupiedCells& occupied, const Bijection& pi, uint64_t end, uint64_t count,
                           CellList* last) {
    uint64_t* found = last->renew(count);
    constexpr uint64_t kBlock = 256;
    uint64_t block[kBlock];
    for (uint64_t have = 0; have < count;) {
      const uint64_t size = std::min(kBlock, end);
      end -= size;
      pi.fill(end, size, block);
      for (uint64_t i = size; i > 0 && have < count; --i) {
        if (!occupied.contains(block[i - 1])) found[have++] = block[i - 1];
      }
    }
    std::sort(found, found + count);
  }

  // Takes the elements of `gone`, all of which are there, out of cells[0..count); both ascend. Returns what is left.
  static uint64_t takeOut(const CellList& gone, uint64_t* cells, uint64_t count) {
    uint64_t* const end = cells + count;
    uint64_t* kept = cells;
    uint64_t* from = cells;
    const auto keepUpTo = [&](uint64_t* to) {
      std::memmove(kept, from, static_cast<size_t>(to - from) * sizeof(uint64_t));
      kept += to - from;
    };
    for (const uint64_t cell : gone) {
      uint64_t* const at = std::lower_bound(from, end, cell);
      keepUpTo(at);
      from = at + 1;
    }
    keepUpTo(end);
    return static_cast<uint64_t>(kept - cells);
  }
};

}  // namespace setnet::rules
