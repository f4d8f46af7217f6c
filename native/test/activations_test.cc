// Activations as functions of one number, in float and double.
#include "rules/activations.h"

#include <cmath>
#include <limits>
#include <string>

#include "test/check.h"

using namespace setnet;
using namespace setnet::rules;

namespace {

double y(double max, double z) { return ClippedRelu::forward(z, &max); }
double gradient(double max, double dy, double z) { return ClippedRelu::backward(dy, z, 40.0, &max); }

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST("clippedRelu clips at 6 unless it is told otherwise, at any finite number above 0") {
  const RuleInfo& info = kActivations[findRule(kActivations, "clippedRelu")];
  CHECK_EQ(std::string(info.parameters[0].name), "max");
  CHECK_EQ(info.parameters[0].fallback, 6.0);
  CHECK_EQ(static_cast<float>(info.parameters[0].minimum), std::numeric_limits<float>::min());
  CHECK_EQ(static_cast<float>(info.parameters[0].maximum), std::numeric_limits<float>::max());
}

TEST("clippedRelu is 0 below 0, z up to max, then max") {
  for (const double max : {0.1, 6.0, 32.0}) {
    for (const double z : {-1e30, -40.0, -1e-9, -0.0, 0.0, 1e-9, 0.05, 0.1, 5.9, 6.0, 6.1, 31.9, 32.0, 33.0, 1e30}) {
      const double expected = z <= 0 ? 0 : z >= max ? max : z;
      CHECK_EQ(y(max, z), expected);
      CHECK(!std::signbit(y(max, z)));
    }
  }
}

TEST("clippedRelu in float hands on every number between its limits bit for bit") {
  const float max = 6.0f;
  for (const float z : {1e-38f, 0.1f, 0.3333333f, 5.9999995f}) CHECK_EQ(ClippedRelu::forward(z, &max), z);
  CHECK_EQ(ClippedRelu::forward(6.0000005f, &max), max);
  CHECK_EQ(ClippedRelu::forward(kInfinity, &max), max);
  CHECK_EQ(ClippedRelu::forward(-kInfinity, &max), 0.0f);
  const float largest = std::numeric_limits<float>::max();
  CHECK_EQ(ClippedRelu::forward(3e38f, &largest), 3e38f);
}

TEST("clippedRelu has slope 1 strictly between its limits and 0 elsewhere, whatever dropout made of its result") {
  for (const double z : {-5.0, -0.0, 0.0, 32.0, 32.5, 1e30}) CHECK_EQ(gradient(32, 3, z), 0.0);
  for (const double z : {1e-30, 0.5, 31.999}) CHECK_EQ(gradient(32, 3, z), 3.0);
  const float max = 32;
  for (const float z : {0.0f, 32.0f, 33.0f, kInfinity, -1.0f}) CHECK_EQ(ClippedRelu::backward(3.0f, z, z, &max), 0.0f);
  for (const float z : {1e-30f, 0.5f, 31.999998f}) CHECK_EQ(ClippedRelu::backward(3.0f, z, z, &max), 3.0f);
}

TEST("the slope of clippedRelu equals finite differences away from its kinks") {
  constexpr double h = 1e-6;
  for (double z = -8.05; z < 9; z += 0.1) {
    const double slope = (y(6, z + h) - y(6, z - h)) / (2 * h);
    CHECK_NEAR(gradient(6, 1, z), slope, 1e-8);
  }
}

TEST("leakyRelu is z above 0 and slope * z elsewhere, and so is its gradient, by the result alone") {
  const RuleInfo& info = kActivations[findRule(kActivations, "leakyRelu")];
  CHECK_EQ(std::string(info.parameters[0].name), "slope");
  CHECK_EQ(info.parameters[0].fallback, 0.01);
  CHECK_EQ(info.parameters[0].minimum, 0.0);
  for (const double slope : {0.0, 0.01, 0.5, 1.0, 2.0}) {
    for (const double z : {-1e30, -3.0, -1e-9, 0.0, 1e-9, 3.0, 1e30}) {
      const double result = LeakyRelu::forward(z, &slope);
      CHECK_EQ(result, z > 0 ? z : slope * z);
      // z is not passed.
      CHECK_EQ(LeakyRelu::backward(3.0, kNan, result, &slope), z > 0 ? 3 : 3 * slope);
    }
  }
}

TEST("allRelu turns its negative side over from layer to layer, beginning with -slope") {
  const int rule = findRule(kActivations, "allRelu");
  const RuleInfo& info = kActivations[rule];
  CHECK_EQ(std::string(info.parameters[0].name), "slope");
  CHECK_EQ(info.parameters[0].fallback, 0.6);
  CHECK_EQ(info.parameters[0].minimum, 0.0);
  for (const uint64_t layer : {0, 1, 2, 3, 7, 65534}) {
    const RuleChoice choice = placed(defaultsOf(kActivations, rule), layer);
    // By the paper's formula: the first layer with weights is its number 2.
    const uint64_t number = layer + 2;
    for (const double z : {-10.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 10.0}) {
      const double expected = z > 0 ? z : number % 2 == 0 ? -0.6 * z : 0.6 * z;
      CHECK_EQ(AllRelu::forward(z, choice.parameters), expected);
      // The result is not passed: it does not tell the sides apart.
      CHECK_EQ(AllRelu::backward(2.0, z, kNan, choice.parameters), z > 0 ? 2 : number % 2 == 0 ? -1.2 : 1.2);
    }
  }
}

TEST("no other activation depends on its layer") {
  for (size_t rule = 0; rule < std::size(kActivations); ++rule) {
    if (static_cast<Activation>(rule) == Activation::AllRelu) continue;
    const RuleChoice choice = defaultsOf(kActivations, static_cast<int>(rule));
    for (const uint64_t layer : {0, 1}) {
      const RuleChoice here = placed(choice, layer);
      CHECK_EQ(here.rule, choice.rule);
      for (int i = 0; i < kMaxParameters; ++i) CHECK_EQ(here.parameters[i], choice.parameters[i]);
    }
  }
}

// A smooth activation in float against the formula in long double, over every size of z.
template <class Rule, class Exact>
void checkSmooth(double bound, Exact&& exact) {
  for (const float sign : {1.0f, -1.0f}) {
    for (float size = 1e-37f; size < 1e38f; size *= 1.0137f) {
      const float z = sign * size;
      const long double expected = exact(static_cast<long double>(z));
      const double error = static_cast<double>(std::fabs(Rule::forward(z, static_cast<float*>(nullptr)) - expected));
      if (!(error <= bound * std::fabs(static_cast<double>(expected)) + 3e-37))
        FAIL(std::string(Rule::name) + "(" + std::to_string(z) + ") is off by " + std::to_string(error));
      const double inDouble = Rule::forward(double{z}, static_cast<double*>(nullptr));
      CHECK_NEAR(inDouble, static_cast<double>(expected), 1e-13 * std::fabs(static_cast<double>(expected)) + 3e-37);
    }
  }
}

TEST("sigmoid, tanh and gelu are their formulas to 4e-7 of their value, from the smallest to the largest z") {
  checkSmooth<Sigmoid>(4e-7, [](long double z) { return 1 / (1 + std::exp(-z)); });
  checkSmooth<Tanh>(4e-7, [](long double z) { return std::tanh(z); });
  checkSmooth<Gelu>(4e-7, [](long double z) { return z * (std::erfc(-z / std::sqrt(2.0L)) / 2); });
}

TEST("gelu is z far right and 0 far left, also of infinity; what is no number stays none") {
  const float* none = nullptr;
  for (const float z : {13.0f, 1e20f, kInfinity}) {
    CHECK_EQ(Gelu::forward(z, none), z);
    CHECK_EQ(Gelu::forward(-z, none), 0.0f);
    CHECK_EQ(Gelu::backward(3.0f, z, 0.0f, none), 3.0f);
    CHECK_EQ(Gelu::backward(3.0f, -z, 0.0f, none), 0.0f);
  }
  CHECK_EQ(Gelu::forward(0.0f, none), 0.0f);
  CHECK_EQ(Gelu::backward(3.0f, 0.0f, 0.0f, none), 1.5f);
  CHECK(std::isnan(Gelu::forward(NAN, none)) && std::isnan(Gelu::backward(1.0f, NAN, 0.0f, none)));
  CHECK(std::isnan(Sigmoid::forward(NAN, none)) && std::isnan(Sigmoid::backward(1.0f, 0.0f, NAN, none)));
  CHECK(std::isnan(Tanh::forward(NAN, none)) && std::isnan(Tanh::backward(1.0f, 0.0f, NAN, none)));
}

template <class Rule>
void checkSlope() {
  constexpr double h = 1e-5;
  for (double z = -14.95; z < 15; z += 0.1) {
    const double* none = nullptr;
    const double slope = (Rule::forward(z + h, none) - Rule::forward(z - h, none)) / (2 * h);
    CHECK_NEAR(Rule::backward(1.0, z, Rule::forward(z, none), none), slope, 1e-9);
    const float x = static_cast<float>(z);
    const float* nothing = nullptr;
    CHECK_NEAR(Rule::backward(1.0f, x, Rule::forward(x, nothing), nothing), slope, 3e-7);
  }
}

TEST("the slopes of sigmoid, tanh and gelu equal finite differences") {
  checkSlope<Sigmoid>();
  checkSlope<Tanh>();
  checkSlope<Gelu>();
}

TEST("a result that a rounding has put beyond 1 has slope 0, not one of the wrong sign") {
  const float* none = nullptr;
  const float above = std::nextafter(1.0f, 2.0f);
  CHECK_EQ(Sigmoid::backward(2.0f, 0.0f, above, none), 0.0f);
  CHECK_EQ(Tanh::backward(2.0f, 0.0f, above, none), 0.0f);
  CHECK_EQ(Tanh::backward(2.0f, 0.0f, -above, none), 0.0f);
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
