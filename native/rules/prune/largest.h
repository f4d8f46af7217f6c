#pragma once

#include "rules/prune/input.h"
#include "rules/prune/magnitude_select.h"
#include "rules/rule.h"

namespace setnet::rules {

// A negative control (Mocanu et al. 2018): the LARGEST weights of each sign go. A network evolved so must not learn.
struct Largest : NoParameters {
  static constexpr const char* name = "largest";

  static void mark(const PruneInput& input, Span<uint8_t> removed) {
    MagnitudeSelect<true>::markPerSign(input.values, input.zeta, removed);
  }
};

}  // namespace setnet::rules
