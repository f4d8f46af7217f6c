#pragma once

#include "rules/optimizers/adam.h"

namespace setnet::rules {

// Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2, with the learning rate as its schedule):
// w -= lr (direction + wd w). The decay does not go through the moments.
struct Adamw {
  static constexpr const char* name = "adamw";
  static constexpr ParameterSpec parameters[] = {{"beta1", 0.9, 0, 1, false, true},
                                                 {"beta2", 0.999, 0, 1, false, true},
                                                 {"epsilon", 1e-8, kLeastEpsilon, kNoLimit},
                                                 {"weightDecay", 0.01, 0, kNoLimit},
                                                 {"decayBias", 0, 0, 1}};
  static constexpr int parameterCount = 5;
  static constexpr int stateCount = Adam::stateCount;
  static constexpr const char* stateNames[] = {"firstMoment", "secondMoment"};
  static constexpr int coefficientCount = Adam::coefficientCount;
  static constexpr bool hasFlag = false;

  // As Adam's: only where the weight decay goes is another place.
  static void prepare(const double* p, const OptimizerStep& step, bool isBias, float* coefficients) {
    Adam::prepare(p, step, isBias, coefficients);
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool) {
    weight = madd(c[6], madd(c[7], weight, AdamMoments::direction(gradient, state, c)), weight);
  }
};

}  // namespace setnet::rules
