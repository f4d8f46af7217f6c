#pragma once

#include <cmath>

#include "base/lanes.h"
#include "base/real_math.h"
#include "rules/optimizers/step.h"
#include "rules/rule.h"

namespace setnet::rules {

// The least epsilon of Adam. Gradients so small that their squares underflow (below 1e-16 whatever beta2 is) still give
// steps that are far smaller than the learning rate.
constexpr double kLeastEpsilon = 1e-15;

// What Adam and AdamW share: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; and the direction
//   (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//     = m / (sqrt(v) (1 - beta1^t) / sqrt(1 - beta2^t) + epsilon (1 - beta1^t))
// at step t. All that does not depend on the weight is computed in double and rounded once; a weight costs
// multiply-adds, one square root and one division. Where m and v are 0 the direction is 0: epsilon (1 - beta1^t) is
// not.
struct AdamMoments {
  static constexpr int coefficientCount = 6;

  // A beta as the weights see it, in f32 and below 1; all else follows from that, so that bias correction and moments
  // belong to the same average.
  static double rounded(double beta) {
    const float nearest = static_cast<float>(beta);
    return nearest < 1 ? nearest : 1 - 0x1p-24f;
  }

  // c[0..5] from beta1, beta2 and epsilon.
  static void prepare(double beta1, double beta2, double epsilon, uint64_t step, float* c) {
    const double b1 = rounded(beta1), b2 = rounded(beta2), t = static_cast<double>(step);
    const double seen1 = 1 - realPow(b1, t), seen2 = 1 - realPow(b2, t);
    c[0] = static_cast<float>(b1);
    c[1] = static_cast<float>(1 - b1);
    c[2] = static_cast<float>(b2);
    c[3] = static_cast<float>(1 - b2);
    c[4] = static_cast<float>(seen1 / std::sqrt(seen2));
    c[5] = static_cast<float>(seen1 * epsilon);
  }

  template <class V>
  SETNET_MEMBER_INLINE static V direction(V gradient, V* state, const V* c) {
    state[0] = madd(c[0], state[0], c[1] * gradient);
    state[1] = madd(c[2], state[1], c[3] * gradient * gradient);
    return state[0] / madd(c[4], squareRoot(state[1]), c[5]);
  }
};

// Adam (Kingma & Ba 2015, algorithm 1). Weight decay is of the kind that is added to the gradient: g += wd w.
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr ParameterSpec parameters[] = {{"beta1", 0.9, 0, 1, false, true},
                                                 {"beta2", 0.999, 0, 1, false, true},
                                                 {"epsilon", 1e-8, kLeastEpsilon, kNoLimit},
                                                 {"weightDecay", 0, 0, kNoLimit},
                                                 {"decayBias", 0, 0, 1}};
  static constexpr int parameterCount = 5;
  static constexpr int stateCount = 2;  // m and v
  static constexpr const char* stateNames[] = {"firstMoment", "secondMoment"};
  static constexpr int coefficientCount = AdamMoments::coefficientCount + 2;
  static constexpr bool hasFlag = false;

  // -lr and the weight decay behind what the moments need.
  static void prepare(const double* p, const OptimizerStep& step, bool isBias, float* coefficients) {
    AdamMoments::prepare(p[0], p[1], p[2], step.number, coefficients);
    coefficients[6] = -step.learningRate;
    coefficients[7] = isBias && p[4] == 0 ? 0.0f : static_cast<float>(p[3]);
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool) {
    weight = madd(c[6], AdamMoments::direction(madd(c[7], weight, gradient), state, c), weight);
  }
};

}  // namespace setnet::rules
