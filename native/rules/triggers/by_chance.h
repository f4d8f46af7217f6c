#pragma once

#include <cstdint>

#include "base/philox.h"
#include "rules/rule.h"
#include "rules/triggers/input.h"

namespace setnet::rules {

// After every step each layer by itself, with the probability p / (number of layers that evolve): the variant of the
// Synapses library, which draws in every training forward. The draw is a 32-bit word below p / layers * 2^32, rounded.
struct ByChance {
  static constexpr const char* name = "probability";
  static constexpr ParameterSpec parameters[] = {{"probability", 0.05, 0, 1}};
  static constexpr int parameterCount = 1;
  static constexpr bool atEpochEnd = false;

  static bool fires(const double* p, const TriggerInput& input) {
    const double limit = p[0] / static_cast<double>(input.evolvedLayers) * 0x1p32 + 0.5;
    const uint32_t word = RandomStream{input.seed, Purpose::Trigger, input.layer, input.step}.block(0).word[0];
    return static_cast<uint64_t>(word) < static_cast<uint64_t>(limit);
  }
};

}  // namespace setnet::rules
