#pragma once

#include <cmath>

#include "base/real_math.h"
#include "rules/rule.h"

namespace setnet::rules {

// Multiplied by `factor` at the end of every `every` epochs: from * factor^floor(position / every).
struct StepSchedule {
  static constexpr const char* name = "step";
  static constexpr ParameterSpec parameters[] = {
      {"from", 0.01, 0, kNoLimit}, {"factor", 0.1, 0, kNoLimit, true}, {"every", 10, 0, kNoLimit, true}};
  static constexpr int parameterCount = 3;

  static double value(const double* p, double position, double) {
    return p[0] * realPow(p[1], std::floor(position / p[2]));
  }
};

}  // namespace setnet::rules
