// Schedules, warm-up, the scales of initializers, and the tables they stand in.
#include "rules/schedules.h"

#include <cmath>
#include <string>

#include "rules/initializers.h"
#include "test/check.h"

using namespace setnet::rules;

namespace {

RuleChoice schedule(const char* name, std::initializer_list<double> parameters) {
  RuleChoice choice = defaultsOf(kSchedules, findRule(kSchedules, name));
  int i = 0;
  for (double p : parameters) choice.parameters[i++] = p;
  return choice;
}

WeightScale scaleOf(const char* name) {
  const int rule = findRule(kInitializers, name);
  return weightScale(defaultsOf(kInitializers, rule), {12, 30, 784, 400});
}

constexpr double kPi = 3.14159265358979323846;

}  // namespace

TEST("every schedule begins with its first number") {
  for (const RuleInfo& info : kSchedules) {
    RuleChoice choice = schedule(info.name, {0.3});
    CHECK_EQ(scheduleValue(choice, 0, 10), 0.3);
    CHECK_EQ(scheduleValue(choice, 0, 0), 0.3);
  }
}

TEST("constant stays") { CHECK_EQ(scheduleValue(schedule("constant", {0.05}), 7.25, 20), 0.05); }

TEST("cosine follows to + (from - to) / 2 * (1 + cos(pi p / E))") {
  const RuleChoice choice = schedule("cosine", {0.3, 0.1});
  for (double p = 0; p <= 20; p += 0.37)
    CHECK_NEAR(scheduleValue(choice, p, 20), 0.1 + 0.2 / 2 * (1 + std::cos(kPi * p / 20)), 1e-15);
  CHECK_EQ(scheduleValue(schedule("cosine", {0.3}), 14, 14), 0.0);
  CHECK_NEAR(scheduleValue(schedule("cosine", {0.3}), 7, 14), 0.15, 1e-16);
}

TEST("linear goes straight from one number to the other") {
  const RuleChoice choice = schedule("linear", {0.4, 0.2});
  CHECK_NEAR(scheduleValue(choice, 5, 20), 0.35, 1e-15);
  CHECK_NEAR(scheduleValue(choice, 20, 20), 0.2, 1e-15);
  CHECK_EQ(scheduleValue(schedule("linear", {0.4}), 20, 20), 0.0);
}

TEST("exponential multiplies by its factor every epoch, also within one") {
  const RuleChoice choice = schedule("exponential", {0.1, 0.9});
  CHECK_EQ(scheduleValue(choice, 1, 20), 0.1 * 0.9);
  for (double p = 0; p <= 20; p += 0.37) CHECK_NEAR(scheduleValue(choice, p, 20), 0.1 * std::pow(0.9, p), 1e-16);
}

TEST("step multiplies by its factor at whole multiples of its length only") {
  const RuleChoice choice = schedule("step", {0.8, 0.5, 3});
  CHECK_EQ(scheduleValue(choice, 2.999, 20), 0.8);
  CHECK_EQ(scheduleValue(choice, 3, 20), 0.4);
  CHECK_EQ(scheduleValue(choice, 5.999, 20), 0.4);
  CHECK_EQ(scheduleValue(choice, 6, 20), 0.2);
  CHECK_EQ(scheduleValue(choice, 19, 20), 0.8 * std::pow(0.5, 6));
}

TEST("warm-up rises by the step to 1 and by the epoch where steps are not known") {
  CHECK_EQ(warmupFactor(0, 1, 0, 100), 1.0);
  CHECK_EQ(warmupFactor(2, 1, 0, 100), 1.0 / 200);
  CHECK_EQ(warmupFactor(2, 1, 99, 100), 0.5);
  CHECK_EQ(warmupFactor(2, 2, 99, 100), 1.0);
  CHECK_EQ(warmupFactor(2, 3, 0, 100), 1.0);
  CHECK_EQ(warmupFactor(2, 1, 0, 0), 1.0 / 3);
  CHECK_EQ(warmupFactor(2, 2, 0, 0), 2.0 / 3);
  CHECK_EQ(warmupFactor(2, 3, 0, 0), 1.0);
}

TEST("initializers take their scale from the fans as published") {
  CHECK_EQ(scaleOf("heUniform").scale, std::sqrt(6.0 / 12));
  CHECK_EQ(scaleOf("heNormal").scale, std::sqrt(2.0 / 12));
  CHECK_EQ(scaleOf("denseHe").scale, std::sqrt(2.0 / 784));
  CHECK_EQ(scaleOf("xavierUniform").scale, std::sqrt(6.0 / 42));
  CHECK_EQ(scaleOf("xavierNormal").scale, std::sqrt(2.0 / 42));
  CHECK_EQ(scaleOf("denseXavier").scale, std::sqrt(6.0 / 1184));
  CHECK_EQ(scaleOf("normal").scale, 0.05);
  CHECK_EQ(scaleOf("zero").scale, 0.0);
  for (const char* uniform : {"heUniform", "xavierUniform", "denseXavier"}) CHECK(!scaleOf(uniform).normal);
  for (const char* normal : {"heNormal", "denseHe", "xavierNormal", "normal"}) CHECK(scaleOf(normal).normal);
}

TEST("a layer without connections has a finite scale") {
  for (int rule = 0; rule < static_cast<int>(std::size(kInitializers)); ++rule)
    CHECK(std::isfinite(weightScale(defaultsOf(kInitializers, rule), {}).scale));
}

TEST("every rule is found by its name, its fallbacks lie within its limits, and unknown names are not found") {
  const auto check = [](setnet::Span<const RuleInfo> table) {
    for (size_t i = 0; i < table.size(); ++i) {
      CHECK_EQ(findRule(table, table[i].name), i);
      CHECK(table[i].parameterCount <= kMaxParameters);
      for (int p = 0; p < table[i].parameterCount; ++p) {
        const ParameterSpec& spec = table[i].parameters[p];
        CHECK(spec.fallback >= spec.minimum && spec.fallback <= spec.maximum);
        CHECK(!spec.open || spec.fallback > spec.minimum);
      }
    }
    CHECK_EQ(findRule(table, "nothing of the kind"), -1);
  };
  check({kSchedules, std::size(kSchedules)});
  check({kInitializers, std::size(kInitializers)});
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
