#pragma once

#include <cmath>

#include "base/lane_math.h"
#include "base/real_math.h"
#include "rules/optimizers/adam.h"
#include "rules/optimizers/adamw.h"

namespace setnet::rules {

// Adam and AdamW with the bias correction of every connection counted from its own birth: t is the number of steps
// since its first gradient that was not 0, where the plain rules take the steps of the fit. A newcomer of an evolution
// then takes the first steps that Adam takes, of at most the learning rate, and not up to 6.6 times as large ones.
// Costs one more number for each connection, and two exponentials a step.
struct BirthMoments {
  static constexpr int stateCount = 3;  // m, v and the age in steps, exact up to 2^24
  static constexpr const char* stateNames[] = {"firstMoment", "secondMoment", "age"};

  // c[0..6]: beta1, 1 - beta1, beta2, 1 - beta2, their logarithms, epsilon.
  static constexpr int coefficientCount = 7;
  static void prepare(double beta1, double beta2, double epsilon, float* c) {
    const double b1 = AdamMoments::rounded(beta1), b2 = AdamMoments::rounded(beta2);
    c[0] = static_cast<float>(b1);
    c[1] = static_cast<float>(1 - b1);
    c[2] = static_cast<float>(b2);
    c[3] = static_cast<float>(1 - b2);
    // A beta of 0 keeps nothing: its power is 0 at once.
    c[4] = static_cast<float>(b1 > 0 ? realLog(b1) : -1e30);
    c[5] = static_cast<float>(b2 > 0 ? realLog(b2) : -1e30);
    c[6] = static_cast<float>(epsilon);
  }

  template <class V>
  SETNET_MEMBER_INLINE static V direction(V gradient, V* state, const V* c) {
    const V one = Splat<V>::of(1);
    state[0] = madd(c[0], state[0], c[1] * gradient);
    state[1] = madd(c[2], state[1], c[3] * gradient * gradient);
    // Born with its first gradient; what pads a matrix is never born.
    state[2] = wherePositive(state[1], state[2] + one, state[2]);
    const V age = larger(state[2], one);
    const V seen1 = one - laneExp(age * c[4]), seen2 = one - laneExp(age * c[5]);
    // (m / seen1) / (sqrt(v / seen2) + epsilon)
    return state[0] / (seen1 * (squareRoot(state[1] / seen2) + c[6]));
  }
};

struct AdamBirth {
  static constexpr const char* name = "adam.birthStep";
  static constexpr const ParameterSpec* parameters = Adam::parameters;
  static constexpr int parameterCount = Adam::parameterCount;
  static constexpr int stateCount = BirthMoments::stateCount;
  static constexpr const char* const* stateNames = BirthMoments::stateNames;
  static constexpr int coefficientCount = BirthMoments::coefficientCount + 2;
  static constexpr bool hasFlag = false;

  static void prepare(const double* p, const OptimizerStep& step, bool isBias, float* coefficients) {
    BirthMoments::prepare(p[0], p[1], p[2], coefficients);
    coefficients[7] = -step.learningRate;
    coefficients[8] = isBias && p[4] == 0 ? 0.0f : static_cast<float>(p[3]);
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool) {
    weight = madd(c[7], BirthMoments::direction(madd(c[8], weight, gradient), state, c), weight);
  }
};

struct AdamwBirth {
  static constexpr const char* name = "adamw.birthStep";
  static constexpr const ParameterSpec* parameters = Adamw::parameters;
  static constexpr int parameterCount = Adamw::parameterCount;
  static constexpr int stateCount = BirthMoments::stateCount;
  static constexpr const char* const* stateNames = BirthMoments::stateNames;
  static constexpr int coefficientCount = AdamBirth::coefficientCount;
  static constexpr bool hasFlag = false;

  static void prepare(const double* p, const OptimizerStep& step, bool isBias, float* coefficients) {
    AdamBirth::prepare(p, step, isBias, coefficients);
  }

  template <class V>
  SETNET_MEMBER_INLINE static void update(V& weight, V gradient, V* state, const V* c, bool) {
    weight = madd(c[7], madd(c[8], weight, BirthMoments::direction(gradient, state, c)), weight);
  }
};

}  // namespace setnet::rules
