#pragma once

#include <cstdint>

#include "base/philox.h"
#include "base/span.h"

namespace setnet::rules {

// What a prune rule chooses from.
struct PruneInput {
  Span<const float> values;  // of one layer, in canonical order
  double zeta;               // the fraction to remove, 0..1
  RandomStream stream;       // purpose RandomPrune, this layer, this evolution
  uint64_t cells = 0;        // of the layer, with or without a connection
};

}  // namespace setnet::rules
