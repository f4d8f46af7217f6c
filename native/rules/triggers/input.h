#pragma once

#include <cstdint>

namespace setnet::rules {

// When a trigger is asked: after a step of training, for one layer that evolves.
struct TriggerInput {
  uint64_t seed = 0;
  uint32_t layer = 0;
  uint64_t evolvedLayers = 1;  // of the network
  uint64_t step = 0;           // of the network's life, before this one: keys random triggers
  uint64_t stepOfFit = 1;      // of this fit, this one included
};

}  // namespace setnet::rules
