#pragma once

#include "rules/initializers/fans.h"
#include "rules/rule.h"

namespace setnet::rules {

// N(0, sigma^2), whatever the layer's fans.
struct Normal {
  static constexpr const char* name = "normal";
  static constexpr ParameterSpec parameters[] = {{"sigma", 0.05, 0, kNoLimit, true}};
  static constexpr int parameterCount = 1;
  static constexpr bool normal = true;
  static double scale(const double* p, const Fans&) { return p[0]; }
};

}  // namespace setnet::rules
