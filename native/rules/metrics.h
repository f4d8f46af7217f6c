// The metrics of an evaluation: what is computed from the network's answers to a data set, sample by sample, in one
// walk over its rows. A rule gives add() and value(), as metrics/metric.h documents.
#pragma once

#include <optional>
#include <utility>

#include "base/memory.h"
#include "base/status.h"
#include "rules/metrics/accuracy.h"
#include "rules/metrics/auc.h"
#include "rules/metrics/balanced_accuracy.h"
#include "rules/metrics/confusion.h"
#include "rules/metrics/mean_loss.h"

#define SETNET_METRICS(X) \
  X(MeanLoss)             \
  X(Accuracy)             \
  X(BalancedAccuracy)     \
  X(Confusion)            \
  X(Auc)

namespace setnet::rules {

enum class Metric : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kMetrics[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

// What the table says of a metric beside its name.
struct MetricLimits {
  MetricNeeds needs;
  uint64_t mostClasses;  // of those whose samples are of one class each
};

constexpr MetricLimits kMetricLimits[] = {
#define SETNET_ENTRY(Rule) {Rule::needs, Rule::mostClasses},
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

// Whether a metric has a meaning for what a network with so many outputs learns by this loss.
inline bool metricApplies(int metric, int loss, uint64_t units) {
  const MetricLimits& limits = kMetricLimits[metric];
  if (limits.needs != MetricNeeds::Nothing && targetOf(loss) == Target::Number) return false;
  const uint64_t classes = classCountOf(loss, units);
  return classes <= limits.mostClasses && (limits.needs != MetricNeeds::Classes || classes > 0);
}

// The metrics of one evaluation.
class MetricSet {
 public:
  // `wanted`: numbers of the table, each of which applies. Code::Memory where they would need more than there is.
  Status begin(const MetricTask& task, Span<const int> wanted) {
    const auto isWanted = [&](Metric metric, bool always) {
      for (const int number : wanted) always = always || number == static_cast<int>(metric);
      return always;
    };
    uint64_t bytes = 0;
#define SETNET_ENTRY(Rule) \
  if (isWanted(Metric::Rule, Rule::always)) bytes = saturatedSum(bytes, Rule::bytes(task));
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
    if (bytes > memoryLimit())
      return Status(Code::Memory, "the metrics of " + std::to_string(task.samples) + " samples and " +
                                      std::to_string(task.units) + " outputs need " + formatBytes(bytes) +
                                      "; this process's memory is " + formatBytes(memoryLimit()));
#define SETNET_ENTRY(Rule) \
  if (isWanted(Metric::Rule, Rule::always)) Rule##_.emplace(task);
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
    return Status();
  }

  void add(const MetricSample& sample) {
#define SETNET_ENTRY(Rule) \
  if (Rule##_) Rule##_->add(sample);
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }

  // In the table's order, those that are always there as well. Of no use once *abort is set.
  std::vector<MetricValue> values(const std::atomic<bool>* abort) {
    std::vector<MetricValue> values;
#define SETNET_ENTRY(Rule)                                 \
  if (Rule##_) {                                           \
    values.push_back(Rule##_->value(abort));               \
    values.back().metric = static_cast<int>(Metric::Rule); \
  }
    SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
    return values;
  }

 private:
#define SETNET_ENTRY(Rule) std::optional<Rule> Rule##_;
  SETNET_METRICS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace setnet::rules
