#pragma once

#include "rules/metrics/metric.h"

namespace setnet::rules {

// Mean over the samples.
struct MeanLoss : MetricRule {
  static constexpr const char* name = "loss";
  static constexpr MetricNeeds needs = MetricNeeds::Nothing;
  static constexpr bool always = true;

  explicit MeanLoss(const MetricTask& task) : samples_(task.samples) {}
  void add(const MetricSample& sample) { sum_ += sample.loss; }
  MetricValue value(const std::atomic<bool>*) const {
    return metricNumber(samples_ > 0 ? sum_ / static_cast<double>(samples_) : 0);
  }

 private:
  uint64_t samples_;
  double sum_ = 0;
};

}  // namespace setnet::rules
