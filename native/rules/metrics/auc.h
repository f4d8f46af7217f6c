#pragma once

#include <algorithm>
#include <cmath>

#include "base/memory.h"
#include "base/real_math.h"
#include "rules/metrics/metric.h"

namespace setnet::rules {

// The area under the ROC curve: the chance that a positive sample scores above a negative one, ties counting half
// (Mann and Whitney's U; Hanley and McNeil 1982). Scores are log-odds, which order samples as probabilities do and do
// not round to 0 and 1. Two classes: of class 1. More classes: the mean over the classes of each one against the rest.
// Labels that may be true together: the mean over the outputs. A class or output of which all samples, or none, are
// positive has no area and is left out; where all are, and where a score is not a number, the metric is undefined.
struct Auc : MetricRule {
  static constexpr const char* name = "auc";
  static constexpr MetricNeeds needs = MetricNeeds::Answers;
  static uint64_t bytes(const MetricTask& task) {
    return saturatedProduct(saturatedProduct(curvesOf(task), task.samples), sizeof(float));
  }

  explicit Auc(const MetricTask& task)
      : task_(task), curves_(curvesOf(task)), scores_(curves_.size() * task.samples), exponentials_(task.units) {}

  void add(const MetricSample& sample) {
    const float* z = sample.outputs;
    if (sample.targets) {
      for (size_t u = 0; u < curves_.size(); ++u) put(u, z[u], sample.targets[u] > 0.5f);
    } else if (curves_.size() == 1) {
      put(0, z[1] - z[0], sample.actual == 1);
    } else if (!curves_.empty()) {
      addClasses(sample);
    }
  }

  MetricValue value(const std::atomic<bool>* abort) {
    double sum = 0;
    uint64_t areas = 0;
    for (size_t c = 0; c < curves_.size(); ++c) {
      if (abort && abort->load(std::memory_order_relaxed)) break;
      if (!isSound_ || curves_[c].positives == 0 || curves_[c].negatives == 0) continue;
      sum += areaOf(c);
      areas += 1;
    }
    return metricNumber(sum / static_cast<double>(areas));  // 0 / 0 is not a number
  }

 private:
  struct Curve {
    uint64_t positives = 0, negatives = 0;
  };

  static uint64_t curvesOf(const MetricTask& task) {
    if (targetOf(task.loss) != Target::Class || task.units > 2) return task.units;
    return task.units == 2 ? 1 : 0;
  }

  // Each class against the rest: z_c - log(sum over the others of exp(z)), in double, rounded once.
  void addClasses(const MetricSample& sample) {
    const float* z = sample.outputs;
    const uint64_t units = task_.units;
    isSound_ = isSound_ && std::all_of(z, z + units, [](float x) { return std::isfinite(x); });
    if (!isSound_) return;
    const uint64_t top = static_cast<uint64_t>(std::max_element(z, z + units) - z);
    double others = 0;  // of all but the largest
    for (uint64_t u = 0; u < units; ++u) {
      exponentials_[u] = realExp(double{z[u]} - double{z[top]});
      if (u != top) others += exponentials_[u];
    }
    // Nothing cancels: for the others the rest is at least the largest one's 1.
    for (uint64_t u = 0; u < units; ++u)
      if (u != top)
        put(u, static_cast<float>((double{z[u]} - double{z[top]}) - realLog(1 + (others - exponentials_[u]))),
            sample.actual == static_cast<int64_t>(u));
    float second = z[top == 0 ? 1 : 0];
    for (uint64_t u = 0; u < units; ++u)
      if (u != top) second = std::max(second, z[u]);
    double rest = 0;
    for (uint64_t u = 0; u < units; ++u)
      if (u != top) rest += realExp(double{z[u]} - double{second});
    put(top, static_cast<float>((double{z[top]} - double{second}) - realLog(rest)),
        sample.actual == static_cast<int64_t>(top));
  }

  // Positives from the front of a curve's scores, negatives from their end.
  void put(size_t curve, float score, bool positive) {
    if (std::isnan(score)) isSound_ = false;
    Curve& c = curves_[curve];
    float* scores = scores_.data() + curve * task_.samples;
    if (positive)
      scores[c.positives++] = score;
    else
      scores[task_.samples - ++c.negatives] = score;
  }

  double areaOf(size_t curve) {
    const Curve& c = curves_[curve];
    float* positives = scores_.data() + curve * task_.samples;
    float* negatives = positives + c.positives;
    std::sort(positives, positives + c.positives);
    std::sort(negatives, negatives + c.negatives);
    uint64_t twice = 0, below = 0, notAbove = 0;  // negatives that are below, and not above, the positive at hand
    for (uint64_t i = 0; i < c.positives; ++i) {
      while (below < c.negatives && negatives[below] < positives[i]) ++below;
      while (notAbove < c.negatives && negatives[notAbove] <= positives[i]) ++notAbove;
      twice += below + notAbove;
    }
    return static_cast<double>(twice) / (2 * static_cast<double>(c.positives) * static_cast<double>(c.negatives));
  }

  MetricTask task_;
  std::vector<Curve> curves_;
  std::vector<float> scores_;  // [curve][sample]
  std::vector<double> exponentials_;
  bool isSound_ = true;
};

}  // namespace setnet::rules
