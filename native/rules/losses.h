// The losses. A rule gives gradient(), sampleLoss() and probabilities(), as losses/softmax_cross_entropy.h documents.
#pragma once

#include "rules/losses/binary_cross_entropy.h"
#include "rules/losses/mean_squared_error.h"
#include "rules/losses/softmax_cross_entropy.h"

#define SETNET_LOSSES(X) \
  X(SoftmaxCrossEntropy) \
  X(BinaryCrossEntropy)  \
  X(MeanSquaredError)

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

SETNET_INLINE Target targetOf(int loss) {
  switch (static_cast<Loss>(loss)) {
#define SETNET_ENTRY(Rule) \
  case Loss::Rule:         \
    return Rule::target;
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return Target::Class;
}

// What the gradient of one sample's loss is divided by, for the mean over the batch and, where the loss has one, over
// outputs: one number, so that there is one multiplication by its inverse, rounded once.
inline double lossDivisor(int loss, uint64_t samples, uint64_t units) {
  const double outputs = targetOf(loss) == Target::Class ? 1 : static_cast<double>(units);
  return static_cast<double>(samples) * outputs;
}

// Of one sample, from the terms that its rule's gradient() gave.
inline double sampleLoss(int loss, const double* terms, int64_t units) {
  switch (static_cast<Loss>(loss)) {
#define SETNET_ENTRY(Rule) \
  case Loss::Rule:         \
    return Rule::sampleLoss(terms, units);
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return 0;
}

}  // namespace setnet::rules
