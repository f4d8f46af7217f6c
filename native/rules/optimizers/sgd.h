#pragma once

#include "base/lanes.h"
#include "rules/optimizers/step.h"
#include "rules/rule.h"

namespace setnet::rules {

// Stochastic gradient descent with momentum: g += wd w; v = mu v + g; w -= lr v, or with Nesterov w -= lr (g + mu v).
// With the decay 'unscaled' (the authors' SciPy program) g stays as it is, and w -= wd w beside that: the decay neither
// goes through v nor is multiplied by the learning rate.
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr ParameterSpec parameters[] = {{"momentum", 0.9, 0, 1},
                                                 {"weightDecay", 0, 0, kNoLimit},
                                                 {"nesterov", 0, 0, 1},
                                                 {"decayBias", 0, 0, 1},
                                                 {"decay", 0, 0, 1, false, false, "gradient|unscaled"}};
  static constexpr int parameterCount = 5;
  static constexpr int stateCount = 1;  // the velocity v
  static constexpr const char* stateNames[] = {"velocity"};
  static constexpr int coefficientCount = 5;
  static constexpr bool hasFlag = true;

  // What one step needs, computed once a step: -lr, mu, weight decay in the gradient, Nesterov or not, and minus the
  // weight decay beside it.
  static void prepare(const double* p, const OptimizerStep& step, bool isBias, float* coefficients) {
    const float decay = isBias && p[3] == 0 ? 0.0f : static_cast<float>(p[1]);
    const bool unscaled = p[4] != 0;
    coefficients[0] = -step.learningRate;
    coefficients[1] = static_cast<float>(p[0]);
    coefficients[2] = unscaled ? 0.0f : decay;
    coefficients[3] = static_cast<float>(p[2]);
    // +0 where nothing decays: a weight of -0 keeps its sign then.
    coefficients[4] = unscaled ? 0.0f - decay : 0.0f;
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool nesterov) {
    gradient = madd(c[2], weight, gradient);
    state[0] = madd(c[1], state[0], gradient);
    weight = madd(c[0], nesterov ? madd(c[1], state[0], gradient) : state[0], madd(c[4], weight, weight));
  }
};

}  // namespace setnet::rules
