#pragma once

#include "rules/rule.h"

namespace setnet::rules {

// A straight line from `from` to `to`: from + (to - from) * position / length.
struct LinearSchedule {
  static constexpr const char* name = "linear";
  static constexpr ParameterSpec parameters[] = {{"from", 0.01, 0, kNoLimit}, {"to", 0, 0, kNoLimit}};
  static constexpr int parameterCount = 2;

  static double value(const double* p, double position, double length) {
    if (!(length > 0)) return p[0];
    return p[0] + (p[1] - p[0]) * position / length;
  }
};

}  // namespace setnet::rules
