#pragma once

#include "rules/rule.h"
#include "rules/triggers/input.h"

namespace setnet::rules {

// SET as published (Mocanu et al. 2018): at the end of every training epoch.
struct EveryEpoch : NoParameters {
  static constexpr const char* name = "epoch";
  static constexpr bool atEpochEnd = true;

  static bool fires(const double*, const TriggerInput&) { return false; }
};

}  // namespace setnet::rules
