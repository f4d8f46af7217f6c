// The optimizers. A rule gives
//   stateCount, stateNames    buffers kept per connection and per bias; all start at 0
//   coefficientCount          numbers that one step needs, equal for all connections
//   prepare(p, settings, isBias, coefficients)
//   hasFlag                    coefficient[3] is a flag; else it is a number like the others
//   update(weight, gradient, state, c, flag)   one connection in every lane; `flag` is coefficient[3] != 0, passed as a
//                                               bool so that the loop over connections has no branch in it
// A name with a dot is a variant that an option of the rule before the dot chooses; it has the same parameters.
// Where weight, gradient and state are +0, update must leave them +0: what pads a packed matrix, or lies outside a
// mask, goes through it like everything else.
#pragma once

#include "rules/optimizers/adam.h"
#include "rules/optimizers/adam_birth.h"
#include "rules/optimizers/adamw.h"
#include "rules/optimizers/sgd.h"

#define SETNET_OPTIMIZERS(X) X(Sgd) X(Adam) X(Adamw) X(AdamBirth) X(AdamwBirth)

namespace setnet::rules {

constexpr int kMaxOptimizerState = 3;
constexpr int kMaxCoefficients = 9;

enum class Optimizer : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kOptimizers[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline int stateCountOf(int optimizer) {
  static constexpr int counts[] = {
#define SETNET_ENTRY(Rule) Rule::stateCount,
      SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  };
  return counts[optimizer];
}

inline const char* const* stateNamesOf(int optimizer) {
  static constexpr const char* const* names[] = {
#define SETNET_ENTRY(Rule) Rule::stateNames,
      SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  };
  return names[optimizer];
}

inline void prepareOptimizer(const RuleChoice& choice, const OptimizerStep& step, bool isBias, float* coefficients) {
  for (int i = 0; i < kMaxCoefficients; ++i) coefficients[i] = 0;
  switch (static_cast<Optimizer>(choice.rule)) {
#define SETNET_ENTRY(Rule)                                        \
  case Optimizer::Rule:                                           \
    Rule::prepare(choice.parameters, step, isBias, coefficients); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

}  // namespace setnet::rules
