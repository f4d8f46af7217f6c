// The activations. A rule gives
//   forward(z, p)          the result for pre-activation z
//   backward(dy, z, y, p)  dy times the slope; y is the result AFTER dropout (a dropped unit's dy is 0 already, and a
//                          kept one's sign is unchanged), but without its factor where needsOutput says that y's size
//                          counts; z is passed only where needsInput says so, else y after dropout again
//   isCheap                one or two instructions: then it is applied to sums while they are in registers
// p: the values of its parameters, in the order of its specs, each in every lane. A rule may also have parameters that
// every unit learns (rules/activations/learned.h); they follow in p. A rule whose functions are not the same in every
// layer says how (rules/activations/placed.h).
#pragma once

#include "rules/activations/all_relu.h"
#include "rules/activations/clipped_relu.h"
#include "rules/activations/gelu.h"
#include "rules/activations/leaky_relu.h"
#include "rules/activations/linear.h"
#include "rules/activations/placed.h"
#include "rules/activations/relu.h"
#include "rules/activations/sigmoid.h"
#include "rules/activations/srelu.h"
#include "rules/activations/tanh.h"

#define SETNET_ACTIVATIONS(X) \
  X(Linear)                   \
  X(Relu)                     \
  X(ClippedRelu)              \
  X(Srelu)                    \
  X(LeakyRelu)                \
  X(AllRelu)                  \
  X(Sigmoid)                  \
  X(Tanh)                     \
  X(Gelu)

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

// The choice as the rule's functions want it in layer `layer` (0: the first). Whoever computes calls this once;
// definitions and files keep what the user said.
inline RuleChoice placed(RuleChoice activation, uint64_t layer) {
  switch (static_cast<Activation>(activation.rule)) {
#define SETNET_ENTRY(Rule)                                  \
  case Activation::Rule:                                    \
    placeParameters<Rule>(activation.parameters, layer, 0); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return activation;
}

// What an activation learns per unit, in the order of its functions' p; empty for most, and for what is no activation.
inline Span<const LearnedParameter> learnedOf(int activation) {
  constexpr const LearnedParameter* parameters[] = {
#define SETNET_ENTRY(Rule) Learned<Rule>::parameters(),
      SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  };
  constexpr int counts[] = {
#define SETNET_ENTRY(Rule) Learned<Rule>::count,
      SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  };
  if (activation < 0 || static_cast<size_t>(activation) >= sizeof counts / sizeof counts[0]) return {};
  return {parameters[activation], static_cast<size_t>(counts[activation])};
}

}  // namespace setnet::rules
