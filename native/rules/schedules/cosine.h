#pragma once

#include "base/real_math.h"
#include "rules/rule.h"

namespace setnet::rules {

// Half a cosine from `from` to `to`: to + (from - to) / 2 * (1 + cos(pi * position / length)).
struct Cosine {
  static constexpr const char* name = "cosine";
  static constexpr ParameterSpec parameters[] = {{"from", 0.01, 0, kNoLimit}, {"to", 0, 0, kNoLimit}};
  static constexpr int parameterCount = 2;

  static double value(const double* p, double position, double length) {
    constexpr double kPi = 3.14159265358979323846;
    if (!(length > 0)) return p[0];
    return p[1] + (p[0] - p[1]) / 2 * (1 + realCos(kPi * position / length));
  }
};

}  // namespace setnet::rules
