#pragma once

#include "rules/prune/input.h"
#include "rules/prune/magnitude_select.h"
#include "rules/rule.h"

namespace setnet::rules {

// SET's own rule (Mocanu et al. 2018): the fraction zeta of the smallest positive weights and the fraction zeta of the
// negative weights closest to zero, counted per sign and not by joint magnitude.
struct SignMagnitude : NoParameters {
  static constexpr const char* name = "signMagnitude";

  static void mark(const PruneInput& input, Span<uint8_t> removed) {
    MagnitudeSelect<false>::markPerSign(input.values, input.zeta, removed);
  }
};

}  // namespace setnet::rules
