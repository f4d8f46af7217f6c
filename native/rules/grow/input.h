#pragma once

#include <cstdint>

#include "base/philox.h"
#include "base/span.h"

namespace setnet::rules {

// What a grow rule chooses from.
struct GrowInput {
  uint64_t cells;                 // n_out * n_in; cell = out * n_in + in
  Span<const uint64_t> occupied;  // the cells that are not free, ascending
  uint64_t count;                 // how many are wanted
  RandomStream stream;            // purpose Topology, this layer, this evolution (0: the first topology)
};

}  // namespace setnet::rules
