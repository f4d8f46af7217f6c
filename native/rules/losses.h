// The losses. A rule gives gradient(), sampleLoss() and probabilities(), as losses/softmax_cross_entropy.h documents.
#pragma once

#include "rules/losses/softmax_cross_entropy.h"

#define SETNET_LOSSES(X) X(SoftmaxCrossEntropy)

namespace setnet::rules {

constexpr int kLossTerms = 3;

enum class Loss : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kLosses[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline double sampleLoss(int loss, const double* terms) {
  switch (static_cast<Loss>(loss)) {
#define SETNET_ENTRY(Rule) \
  case Loss::Rule:         \
    return Rule::sampleLoss(terms);
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return 0;
}

}  // namespace setnet::rules
