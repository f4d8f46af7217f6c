// The initializers of weights, for layers and (as modes of `newWeights`) for newcomers of an evolution. A rule gives
//   static constexpr bool normal        normal draws, else uniform in [-scale, scale)
//   static double scale(const double* p, const Fans& fans)   the bound or the sigma
// A scale of 0 makes zeros.
// How a cell's number becomes a weight is set in core/initialize.h.
#pragma once

#include "rules/initializers/fans.h"
#include "rules/initializers/he.h"
#include "rules/initializers/normal.h"
#include "rules/initializers/xavier.h"
#include "rules/initializers/zero.h"
#include "rules/rule.h"

#define SETNET_INITIALIZERS(X) \
  X(HeUniform)                 \
  X(HeNormal)                  \
  X(DenseHe)                   \
  X(XavierUniform)             \
  X(XavierNormal)              \
  X(DenseXavier)               \
  X(Normal)                    \
  X(Zero)

namespace setnet::rules {

enum class Initializer : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_INITIALIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kInitializers[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_INITIALIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

struct WeightScale {
  bool normal;
  double scale;
};

inline WeightScale weightScale(const RuleChoice& choice, const Fans& fans) {
  switch (static_cast<Initializer>(choice.rule)) {
#define SETNET_ENTRY(Rule) \
  case Initializer::Rule:  \
    return {Rule::normal, Rule::scale(choice.parameters, fans)};
    SETNET_INITIALIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return {false, 0};
}

}  // namespace setnet::rules
