#pragma once

#include "base/lanes.h"
#include "rules/rule.h"

namespace setnet::rules {

// Stochastic gradient descent with momentum: g += wd w; v = mu v + g; w -= lr v, or with Nesterov w -= lr (g + mu v).
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr ParameterSpec parameters[] = {
      {"momentum", 0.9, 0, 1}, {"weightDecay", 0, 0, kNoLimit}, {"nesterov", 0, 0, 1}, {"decayBias", 0, 0, 1}};
  static constexpr int parameterCount = 4;
  static constexpr int stateCount = 1;  // the velocity v
  static constexpr const char* stateNames[] = {"velocity"};
  static constexpr int coefficientCount = 4;

  // What one step needs, computed once a step: -lr, mu, weight decay, Nesterov or not.
  static void prepare(const double* p, float learningRate, bool isBias, float* coefficients) {
    coefficients[0] = -learningRate;
    coefficients[1] = static_cast<float>(p[0]);
    coefficients[2] = isBias && p[3] == 0 ? 0.0f : static_cast<float>(p[1]);
    coefficients[3] = static_cast<float>(p[2]);
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool nesterov) {
    gradient = madd(c[2], weight, gradient);
    state[0] = madd(c[1], state[0], gradient);
    weight = madd(c[0], nesterov ? madd(c[1], state[0], gradient) : state[0], weight);
  }
};

}  // namespace setnet::rules
