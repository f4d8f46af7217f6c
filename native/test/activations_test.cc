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

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
