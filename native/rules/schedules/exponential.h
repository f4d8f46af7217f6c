#pragma once

#include "base/real_math.h"
#include "rules/rule.h"

namespace setnet::rules {

// Multiplied by `factor` every epoch, smoothly within it: from * factor^position.
struct Exponential {
  static constexpr const char* name = "exponential";
  static constexpr ParameterSpec parameters[] = {{"from", 0.01, 0, kNoLimit}, {"factor", 0.95, 0, kNoLimit, true}};
  static constexpr int parameterCount = 2;

  static double value(const double* p, double position, double) { return p[0] * realPow(p[1], position); }
};

}  // namespace setnet::rules
