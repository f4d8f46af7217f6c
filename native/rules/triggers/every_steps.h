#pragma once

#include <cstdint>

#include "rules/rule.h"
#include "rules/triggers/input.h"

namespace setnet::rules {

// After every `steps` steps of a fit, all layers at once (RigL, Evci et al. 2020, and in-time over-parameterization
// count so).
struct EverySteps {
  static constexpr const char* name = "steps";
  static constexpr ParameterSpec parameters[] = {{"steps", 100, 1, 9007199254740991.0}};
  static constexpr int parameterCount = 1;
  static constexpr bool atEpochEnd = false;

  static bool fires(const double* p, const TriggerInput& input) {
    return input.stepOfFit % static_cast<uint64_t>(p[0]) == 0;
  }
};

}  // namespace setnet::rules
