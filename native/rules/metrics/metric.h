#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "rules/losses.h"
#include "rules/rule.h"

namespace setnet::rules {

// What a metric needs to have a meaning: nothing; outputs that are right or wrong (not Target::Number); or samples that
// are of one class each (classCountOf).
enum class MetricNeeds : int { Nothing, Answers, Classes };

// How many classes there are where every sample is of one; else 0. A single output tells two apart: its logit is above
// 0 or not, the target above 1/2 or not.
inline uint64_t classCountOf(int loss, uint64_t units) {
  const Target target = targetOf(loss);
  if (target == Target::Class) return units;
  return target == Target::Fraction && units == 1 ? 2 : 0;
}

// A data set that is evaluated.
struct MetricTask {
  int loss;  // rules::Loss
  uint64_t units;
  uint64_t samples;

  uint64_t classes() const { return classCountOf(loss, units); }
};

// One sample of it with the network's answer.
struct MetricSample {
  const float* outputs;  // raw, one for each unit
  const float* targets;  // one for each unit where the loss takes numbers, else null
  int64_t actual;        // the sample's class and the answered one, where there are classes
  int64_t predicted;
  double loss;
  uint64_t right;  // answers, counted as backend::StepResult::correct does
};

// One number, not a number where it is undefined; or counts[row * classes + column].
struct MetricValue {
  int metric = 0;  // rules::Metric
  double number = std::numeric_limits<double>::quiet_NaN();
  uint64_t classes = 0;  // 0: a number
  std::vector<uint64_t> counts;
};

// What a metric need not say. It must say `name` and `needs`, be made from a MetricTask, and have
//   void add(const MetricSample&)                             called for every sample, in their order
//   MetricValue value(const std::atomic<bool>* abort)         called once at the end
// Sums are in double. `abort` may be null; once it is set the value is thrown away, so that long work may end early.
struct MetricRule : NoParameters {
  static constexpr bool always = false;  // computed whether it is asked for or not
  static constexpr uint64_t mostClasses = ~uint64_t{0};
  // What it allocates.
  static uint64_t bytes(const MetricTask&) { return 0; }
};

inline MetricValue metricNumber(double number) {
  MetricValue value;
  value.number = number;
  return value;
}

}  // namespace setnet::rules
