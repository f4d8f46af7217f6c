#pragma once

#include "rules/rule.h"

namespace setnet::rules {

// The same number throughout.
struct Constant {
  static constexpr const char* name = "constant";
  static constexpr ParameterSpec parameters[] = {{"value", 0.01, 0, kNoLimit}};
  static constexpr int parameterCount = 1;

  static double value(const double* p, double, double) { return p[0]; }
};

}  // namespace setnet::rules
