#pragma once

#include "rules/metrics/metric.h"

namespace setnet::rules {

// What `right` answers (backend::StepResult::correct) of `samples` are as an accuracy; not a number where the loss
// knows no right answers.
inline double accuracyOf(int loss, uint64_t right, uint64_t samples, uint64_t units) {
  const Target target = targetOf(loss);
  if (target == Target::Number) return std::numeric_limits<double>::quiet_NaN();
  const double answers = static_cast<double>(samples) * (target == Target::Class ? 1 : static_cast<double>(units));
  return answers > 0 ? static_cast<double>(right) / answers : 0;
}

// The fraction of samples, or where each output is an answer by itself of outputs, that are right.
struct Accuracy : MetricRule {
  static constexpr const char* name = "accuracy";
  static constexpr MetricNeeds needs = MetricNeeds::Answers;
  static constexpr bool always = true;

  explicit Accuracy(const MetricTask& task) : task_(task) {}
  void add(const MetricSample& sample) { right_ += sample.right; }
  MetricValue value(const std::atomic<bool>*) const {
    return metricNumber(accuracyOf(task_.loss, right_, task_.samples, task_.units));
  }

 private:
  MetricTask task_;
  uint64_t right_ = 0;
};

}  // namespace setnet::rules
