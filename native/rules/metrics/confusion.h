#pragma once

#include "base/memory.h"
#include "rules/metrics/metric.h"

namespace setnet::rules {

// How many samples of each class (row) were answered with each class (column).
struct Confusion : MetricRule {
  static constexpr const char* name = "confusion";
  static constexpr MetricNeeds needs = MetricNeeds::Classes;
  // A report of every epoch holds them all: a million counts are enough.
  static constexpr uint64_t mostClasses = 1024;
  static uint64_t bytes(const MetricTask& task) {
    return saturatedProduct(saturatedProduct(task.classes(), task.classes()), sizeof(uint64_t));
  }

  explicit Confusion(const MetricTask& task) {
    value_.classes = task.classes();
    value_.counts.resize(task.classes() * task.classes());
  }
  void add(const MetricSample& sample) {
    value_.counts[static_cast<uint64_t>(sample.actual) * value_.classes + static_cast<uint64_t>(sample.predicted)] += 1;
  }
  MetricValue value(const std::atomic<bool>*) { return std::move(value_); }

 private:
  MetricValue value_;
};

}  // namespace setnet::rules
