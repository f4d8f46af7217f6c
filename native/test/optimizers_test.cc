// The optimizers' arithmetic on single numbers, against the papers' formulas written out in double, and what kernels
// rely on: 0 stays 0, and nothing but a sum of multiply-adds, a root and a division decides a bit.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/float_bits.h"
#include "rules/optimizers.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using rules::Optimizer;

// One step of one number in f32 or double, as kernels and reference take it.
template <class T>
void step(const rules::RuleChoice& choice, double learningRate, uint64_t number, bool isBias, T gradient, T* weight,
          T* state) {
  float coefficients[rules::kMaxCoefficients];
  rules::prepareOptimizer(choice, {static_cast<float>(learningRate), number}, isBias, coefficients);
  T c[rules::kMaxCoefficients];
  for (int i = 0; i < rules::kMaxCoefficients; ++i) c[i] = coefficients[i];
  switch (static_cast<Optimizer>(choice.rule)) {
#define SETNET_ENTRY(Rule)                                                  \
  case Optimizer::Rule:                                                     \
    rules::Rule::update(*weight, gradient, state, c, coefficients[3] != 0); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

// Kingma & Ba 2015, algorithm 1, and Loshchilov & Hutter 2019, algorithm 2, line by line.
struct AdamModel {
  double beta1, beta2, epsilon, decay;
  bool decoupled;
  double m = 0, v = 0;

  double next(double w, double g, double rate, int t) {
    if (!decoupled) g += decay * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double mHat = m / (1 - std::pow(beta1, t)), vHat = v / (1 - std::pow(beta2, t));
    const double direction = mHat / (std::sqrt(vHat) + epsilon);
    return w - rate * (decoupled ? direction + decay * w : direction);
  }
};

TEST("adam and adamw follow the papers' formulas over 3,000 steps, in f32 and in double") {
  const double rate = 0.001953125;  // exact in f32
  const double betas[][2] = {{0.9, 0.999}, {0, 0.99}, {0.5, 0.9}, {0.99, 0.9999}};
  for (Optimizer optimizer : {Optimizer::Adam, Optimizer::Adamw, Optimizer::AdamBirth, Optimizer::AdamwBirth})
    for (const double* beta : betas)
      for (double decay : {0.0, 0.01, 0.5})
        for (double scale : {1.0, 1e-4, 1e4}) {
          // Small gradients against a decay in the gradient: w wavers about 0 there, and a rounding decides which way.
          const bool decoupled = optimizer == Optimizer::Adamw || optimizer == Optimizer::AdamwBirth;
          if (scale < 1 && decay > 0 && !decoupled) continue;
          const rules::RuleChoice choice = adam(optimizer, 1e-8, decay, false, beta[0], beta[1]).optimizer;
          AdamModel model{beta[0], beta[1], 1e-8, decay, decoupled};
          Random random(11);
          float single = 0.75f, singleState[rules::kMaxOptimizerState] = {};
          double exact = 0.75, exactState[rules::kMaxOptimizerState] = {}, expected = 0.75;
          for (int t = 1; t <= 3000; ++t) {
            // Exact in f32, with a direction, so that steps do not only cancel.
            const float g = static_cast<float>(scale * random.uniform(-0.5, 1));
            const double before = expected;
            expected = model.next(expected, g, rate, t);
            step(choice, rate, static_cast<uint64_t>(t), false, g, &single, singleState);
            step(choice, rate, static_cast<uint64_t>(t), false, double{g}, &exact, exactState);
            CHECK(std::fabs(expected - before) < 20 * rate);  // the model itself takes Adam's steps
            CHECK_NEAR(exact, expected, 4e-6 * (1 + t * rate));
            CHECK_NEAR(single, expected, 4e-6 * (1 + t * rate) + 1e-7 * t);
            const double size = scale + decay;
            CHECK_NEAR(exactState[0], model.m, 1e-5 * size);
            CHECK_NEAR(exactState[1], model.v, 1e-4 * size * size);
          }
        }
}

TEST("the first step of adam is the learning rate in the gradient's direction, whatever the gradient's size") {
  for (float g : {1e-5f, -0.25f, 3.0f, -1e6f, 1e15f}) {
    float weight = 0, state[rules::kMaxOptimizerState] = {};
    step(adam(Optimizer::Adam).optimizer, 0.25, 1, false, g, &weight, state);
    CHECK_NEAR(weight, g > 0 ? -0.25 : 0.25, 0.25 * 2e-3);
  }
}

TEST(
    "a connection that is born late takes the steps that Adam takes at first, where the plain rule takes larger ones") {
  for (const bool decoupled : {false, true}) {
    const Optimizer plain = decoupled ? Optimizer::Adamw : Optimizer::Adam;
    const Optimizer birth = decoupled ? Optimizer::AdamwBirth : Optimizer::AdamBirth;
    float old = 0, oldState[rules::kMaxOptimizerState] = {}, late = 0, lateState[rules::kMaxOptimizerState] = {};
    float first = 0, firstState[rules::kMaxOptimizerState] = {};
    for (uint64_t t = 0; t < 5; ++t) {
      step(adam(plain).optimizer, 0.25, 1000 + t, false, 1.0f, &old, oldState);
      step(adam(birth).optimizer, 0.25, 1000 + t, false, 1.0f, &late, lateState);
      step(adam(plain).optimizer, 0.25, 1 + t, false, 1.0f, &first, firstState);
      CHECK_NEAR(late, first, 1e-3);
      CHECK_EQ(lateState[2], static_cast<float>(t + 1));
    }
    // (1 - beta1) / sqrt(1 - beta2) = 3.2 times the rate at the first step.
    CHECK(old < -1.5f * 5 * 0.25f);
    // Without a gradient it is not born yet.
    float never = 0, neverState[rules::kMaxOptimizerState] = {};
    step(adam(birth).optimizer, 0.25, 7, false, 0.0f, &never, neverState);
    CHECK(never == 0 && neverState[2] == 0);
  }
}

TEST("adam adds decay to the gradient, adamw takes it from the weight; biases only where they are told to") {
  for (bool isBias : {false, true})
    for (bool decayBias : {false, true}) {
      const bool decays = !isBias || decayBias;
      // Without a gradient, adamw only decays, and adam's direction is the weight's sign.
      float weight = 2, state[rules::kMaxOptimizerState] = {};
      step(adam(Optimizer::Adamw, 1e-8, 0.125, decayBias).optimizer, 0.5, 1, isBias, 0.0f, &weight, state);
      CHECK_EQ(weight, decays ? 1.875f : 2.0f);
      CHECK(state[0] == 0 && state[1] == 0);
      float other = 2, otherState[rules::kMaxOptimizerState] = {};
      step(adam(Optimizer::Adam, 1e-8, 0.125, decayBias).optimizer, 0.5, 1, isBias, 0.0f, &other, otherState);
      CHECK_NEAR(other, decays ? 1.5 : 2, 1e-6);
      CHECK_NEAR(otherState[0], decays ? 0.025 : 0, 1e-8);
    }
}

TEST("unscaled decay takes wd w from the weight, whatever the learning rate, and leaves the velocity alone") {
  for (bool nesterov : {false, true})
    for (bool isBias : {false, true})
      for (bool decayBias : {false, true}) {
        const rules::RuleChoice choice = sgd(0.5, 0.125, nesterov, decayBias, true).optimizer;
        const double decay = isBias && !decayBias ? 0 : 0.125;
        for (double rate : {0.0, 0.25}) {
          float weight = 2, velocity = 1;
          double expected = 2, v = 1;
          for (uint64_t t = 1; t <= 20; ++t) {
            const float g = static_cast<float>(t % 3) - 1;
            v = 0.5 * v + g;
            expected -= rate * (nesterov ? g + 0.5 * v : v) + decay * expected;
            step(choice, rate, t, isBias, g, &weight, &velocity);
            CHECK_NEAR(weight, expected, 1e-5);
            CHECK_NEAR(velocity, v, 1e-6);
          }
        }
      }
}

TEST("without decay both modes of sgd give the same bits, and a weight of -0 keeps its sign") {
  for (bool nesterov : {false, true}) {
    float weights[2] = {-0.0f, -0.0f}, velocities[rules::kMaxOptimizerState] = {};
    for (uint64_t t = 1; t <= 20; ++t)
      for (int mode = 0; mode < 2; ++mode) {
        const float g = t < 3 ? 0.0f : std::sin(static_cast<float>(t));
        step(sgd(0.9, 0, nesterov, false, mode == 1).optimizer, 0.1, t, false, g, &weights[mode], &velocities[mode]);
        CHECK_EQ(bitsOf(weights[mode]), bitsOf(weights[0]));
        if (t < 3) CHECK_EQ(bitsOf(weights[mode]), 0x80000000u);
      }
  }
}

TEST("what is +0 and gets no gradient stays +0 under every rule, from the first step to the last") {
  for (const backend::TrainingRules& rules : everyOptimizer())
    for (double epsilon : {1e-8, rules::kLeastEpsilon})
      for (bool isBias : {false, true})
        for (uint64_t number : {uint64_t{1}, uint64_t{2}, uint64_t{1000}, uint64_t{1} << 40}) {
          rules::RuleChoice choice = rules.optimizer;
          if (choice.rule != static_cast<int>(Optimizer::Sgd)) {
            choice.parameters[2] = epsilon;
            choice.parameters[0] = 1 - 0x1p-53;  // 1 in f32
          }
          float weight = 0, state[rules::kMaxOptimizerState] = {};
          step(choice, 0.05, number, isBias, 0.0f, &weight, state);
          CHECK_EQ(bitsOf(weight), 0u);
          for (float s : state) CHECK_EQ(bitsOf(s), 0u);
        }
}

TEST("gradients whose squares underflow give steps far below the learning rate, not beyond it") {
  for (double beta2 : {0.9, 0.999, 0.999999})
    for (float g : {1e-17f, 1e-20f, 1e-30f, 1e-38f}) {
      float weight = 0, state[rules::kMaxOptimizerState] = {};
      step(adam(Optimizer::Adam, rules::kLeastEpsilon, 0, false, 0.9, beta2).optimizer, 1, 1, false, g, &weight, state);
      CHECK(std::isfinite(weight) && std::fabs(weight) < 0.05f);
    }
}

TEST("a bias correction that has run out is exactly 1") {
  float coefficients[rules::kMaxCoefficients];
  const rules::RuleChoice choice = adam(Optimizer::Adam, 0.5).optimizer;
  for (uint64_t number : {uint64_t{100000}, uint64_t{1} << 40, ~uint64_t{0}}) {
    rules::prepareOptimizer(choice, {0.1f, number}, false, coefficients);
    CHECK_EQ(coefficients[4], 1.0f);
    CHECK_EQ(coefficients[5], 0.5f);
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
