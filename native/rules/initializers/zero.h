#pragma once

#include "rules/initializers/fans.h"
#include "rules/rule.h"

namespace setnet::rules {

// Every weight +0: the default of newcomers, who then start without disturbing what the network has learned.
struct Zero : NoParameters {
  static constexpr const char* name = "zero";
  static constexpr bool normal = false;
  static double scale(const double*, const Fans&) { return 0; }
};

}  // namespace setnet::rules
