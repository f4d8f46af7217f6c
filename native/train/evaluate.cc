#include "train/evaluate.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace setnet::train {
namespace {

// A block is short enough for an abort to take effect within 50 ms on wide layers, and long enough to fill panels.
constexpr uint64_t kBlockRows = 256;

// One row of raw outputs as the losses see a panel; the gradient goes to scratch.
struct RowPanel {
  const float* logits;
  float* scratch;
  int32_t label;
  const float* numbers;  // where the loss takes them

  float logit(int64_t u) const { return logits[u]; }
  float target(int64_t u) const {
    if (numbers) return numbers[u];
    return u == label ? 1.0f : 0.0f;
  }
  void set(int64_t u, float value) { scratch[u] = value; }
  float get(int64_t u) const { return scratch[u]; }
};

void lossTerms(int loss, RowPanel& panel, int64_t units, float* terms) {
  switch (static_cast<rules::Loss>(loss)) {
#define SETNET_ENTRY(Rule)                            \
  case rules::Loss::Rule:                             \
    rules::Rule::gradient(panel, units, 1.0f, terms); \
    break;
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

}  // namespace

double Evaluation::numberOf(rules::Metric metric) const {
  for (const rules::MetricValue& value : metrics)
    if (value.metric == static_cast<int>(metric)) return value.number;
  return std::numeric_limits<double>::quiet_NaN();
}

Status evaluateRows(const ForwardRows& forward, int loss, uint64_t units, const Dataset& data, Span<const int> metrics,
                    const std::atomic<bool>* abort, Evaluation* out) {
  const int rule = loss < 0 ? static_cast<int>(rules::Loss::SoftmaxCrossEntropy) : loss;
  const rules::Target kind = rules::targetOf(rule);
  const bool byClass = kind == rules::Target::Class;
  if (byClass ? data.classes.size() != data.x.rows : data.numbers.size() != data.x.rows * units)
    return Status(Code::Data, std::string("the targets do not have the form that the loss '") +
                                  rules::kLosses[rule].name + "' takes");
  std::vector<float> outputs(std::min(kBlockRows, data.x.rows) * units);
  std::vector<float> scratch(units);
  rules::MetricSet set;
  SETNET_TRY(set.begin({rule, units, data.x.rows}, metrics));
  const auto aborted = [abort] { return abort && abort->load(std::memory_order_relaxed); };
  for (uint64_t first = 0; first < data.x.rows; first += kBlockRows) {
    if (aborted()) return Status(Code::Aborted, "the evaluation was aborted");
    const uint64_t count = std::min(kBlockRows, data.x.rows - first);
    SETNET_TRY(forward(first, count, Span<float>(outputs.data(), count * units)));
    for (uint64_t k = 0; k < count; ++k) {
      const float* row = outputs.data() + k * units;
      const int32_t label = byClass ? data.classes[first + k] : -1;
      RowPanel panel{row, scratch.data(), label, byClass ? nullptr : data.numbers.data() + (first + k) * units};
      float terms[rules::kLossTerms] = {};
      lossTerms(rule, panel, static_cast<int64_t>(units), terms);
      const double wide[rules::kLossTerms] = {terms[0], terms[1], terms[2]};
      rules::MetricSample sample = {row, panel.numbers, label, -1, 0, 0};
      sample.loss = rules::sampleLoss(rule, wide, static_cast<int64_t>(units));
      if (byClass) {
        sample.predicted = std::max_element(row, row + units) - row;  // the first of equal ones
        sample.right = sample.predicted == sample.actual;
      } else if (kind == rules::Target::Fraction) {
        sample.right = static_cast<uint64_t>(wide[1]);
        if (units == 1) {
          sample.actual = panel.numbers[0] > 0.5f;
          sample.predicted = row[0] > 0;
        }
      }
      set.add(sample);
    }
  }
  out->samples = data.x.rows;
  out->metrics = set.values(abort);
  if (aborted()) return Status(Code::Aborted, "the evaluation was aborted");
  out->loss = out->numberOf(rules::Metric::MeanLoss);
  out->accuracy = out->numberOf(rules::Metric::Accuracy);
  return Status();
}

Status evaluate(const backend::Predictor& predictor, const core::Model& model, const Dataset& data,
                Span<const int> metrics, const std::atomic<bool>* abort, Evaluation* out) {
  const auto forward = [&](uint64_t first, uint64_t count, Span<float> rows) {
    return predictor.predict({data.x, nullptr, first, count}, backend::Output::Raw, rows);
  };
  return evaluateRows(forward, model.loss, model.definition.layers.back().units, data, metrics, abort, out);
}

}  // namespace setnet::train
