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
    const size_t before = cells->size();
    const Bijection pi(input.stream, input.cells);
    const double freeFraction = 1 - static_cast<double>(occupied) / static_cast<double>(input.cells);

    std::vector<uint64_t> draws, fresh;
    uint64_t position = 0;
    for (uint64_t found = 0; found < wanted;) {
      // pi(0), ..., pi(cells - 1) are all cells, so the free ones that are missing come before `position` ends.
      const uint64_t size = std::min(batchSize(wanted - found, freeFraction), input.cells - position);
      draws.resize(size);
      pi.fill(position, size, draws.data());
      position += size;
      keepFree(input.occupied, draws, &fresh);
      if (fresh.size() > wanted - found) cut(input.occupied, draws, fresh.size() - (wanted - found), &fresh);
      cells->insert(cells->end(), fresh.begin(), fresh.end());
      std::inplace_merge(cells->begin() + before, cells->begin() + before + found, cells->end());
      found += fresh.size();
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

  // The draws that are not occupied, ascending.
  static void keepFree(Span<const uint64_t> occupied, const std::vector<uint64_t>& draws,
                       std::vector<uint64_t>* fresh) {
    fresh->assign(draws.begin(), draws.end());
    sortNumbers(fresh);
    if (occupied.empty()) return;
    uint64_t kept = 0;
    if (fresh->size() < occupied.size() / 32) {
      for (uint64_t cell : *fresh) {
        if (!std::binary_search(occupied.begin(), occupied.end(), cell)) (*fresh)[kept++] = cell;
      }
    } else {
      const uint64_t* o = occupied.begin();
      for (uint64_t cell : *fresh) {
        while (o != occupied.end() && *o < cell) ++o;
        if (o == occupied.end() || *o != cell) (*fresh)[kept++] = cell;
      }
    }
    fresh->resize(kept);
  }

  // Takes the `excess` free draws that came last out of `fresh`: the newcomers are the first ones in the order of pi.
  static void cut(Span<const uint64_t> occupied, const std::vector<uint64_t>& draws, uint64_t excess,
                  std::vector<uint64_t>* fresh) {
    std::vector<uint64_t> late;
    late.reserve(excess);
    for (size_t i = draws.size(); late.size() < excess; --i) {
      if (!std::binary_search(occupied.begin(), occupied.end(), draws[i - 1])) late.push_back(draws[i - 1]);
    }
    sortNumbers(&late);
    const uint64_t* l = late.data();
    const uint64_t* lEnd = l + late.size();
    uint64_t kept = 0;
    for (uint64_t cell : *fresh) {
      if (l != lEnd && *l == cell) {
        ++l;
      } else {
        (*fresh)[kept++] = cell;
      }
    }
    fresh->resize(kept);
  }
};

}  // namespace setnet::rules
