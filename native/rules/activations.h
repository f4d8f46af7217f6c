// The activations. A rule gives
//   forward(z, p)          the result for pre-activation z
//   backward(dy, z, y, p)  dy times the slope; y is the result AFTER dropout (a dropped unit's dy is 0 already, and a
//                          kept one's sign is unchanged); z is passed only where needsInput says so, else y again
// p: the values of its parameters, in the order of its specs, each in every lane.
#pragma once

#include "rules/activations/clipped_relu.h"
#include "rules/activations/linear.h"
#include "rules/activations/relu.h"

#define SETNET_ACTIVATIONS(X) \
  X(Linear)                   \
  X(Relu)                     \
  X(ClippedRelu)

namespace setnet::rules {

enum class Activation : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kActivations[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace setnet::rules
