#pragma once

#include "base/memory.h"
#include "rules/metrics/metric.h"

namespace setnet::rules {

// The mean of the recalls of the classes that occur. Where outputs are labels that may be true together, each has two
// classes, and the mean is over the outputs of which both occur; undefined where there are none.
struct BalancedAccuracy : MetricRule {
  static constexpr const char* name = "balancedAccuracy";
  static constexpr MetricNeeds needs = MetricNeeds::Answers;
  static uint64_t bytes(const MetricTask& task) { return saturatedProduct(cellsOf(task), sizeof(Recall)); }

  explicit BalancedAccuracy(const MetricTask& task) : classes_(task.classes()), recalls_(cellsOf(task)) {}

  void add(const MetricSample& sample) {
    if (classes_ > 0) return count(static_cast<size_t>(sample.actual), sample.predicted == sample.actual);
    for (size_t u = 0; 2 * u < recalls_.size(); ++u) {
      const bool actual = sample.targets[u] > 0.5f;
      count(2 * u + actual, (sample.outputs[u] > 0) == actual);
    }
  }

  MetricValue value(const std::atomic<bool>*) const {
    if (classes_ > 0) return metricNumber(meanOf(0, recalls_.size()));
    double sum = 0;
    uint64_t outputs = 0;
    for (size_t u = 0; 2 * u < recalls_.size(); ++u) {
      if (recalls_[2 * u].samples == 0 || recalls_[2 * u + 1].samples == 0) continue;
      sum += meanOf(2 * u, 2 * u + 2);
      outputs += 1;
    }
    return metricNumber(sum / static_cast<double>(outputs));  // 0 / 0 is not a number
  }

 private:
  struct Recall {
    uint64_t samples = 0, right = 0;
  };

  static uint64_t cellsOf(const MetricTask& task) { return task.classes() > 0 ? task.classes() : 2 * task.units; }

  void count(size_t cell, bool right) {
    recalls_[cell].samples += 1;
    recalls_[cell].right += right;
  }

  double meanOf(size_t begin, size_t end) const {
    double sum = 0;
    uint64_t occurring = 0;
    for (size_t c = begin; c < end; ++c) {
      if (recalls_[c].samples == 0) continue;
      sum += static_cast<double>(recalls_[c].right) / static_cast<double>(recalls_[c].samples);
      occurring += 1;
    }
    return sum / static_cast<double>(occurring);
  }

  uint64_t classes_;
  std::vector<Recall> recalls_;  // of every class, or of (not, is) for every output
};

}  // namespace setnet::rules
