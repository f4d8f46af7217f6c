#include "train/evaluate.h"

#include <algorithm>
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

  float logit(int64_t u) const { return logits[u]; }
  float target(int64_t u) const { return u == label ? 1.0f : 0.0f; }
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

Status evaluateRows(const ForwardRows& forward, int loss, uint64_t units, const Dataset& data,
                    const std::atomic<bool>* abort, Evaluation* out) {
  const int rule = loss < 0 ? static_cast<int>(rules::Loss::SoftmaxCrossEntropy) : loss;
  std::vector<float> outputs(std::min(kBlockRows, data.x.rows) * units);
  std::vector<float> scratch(units);
  double total = 0;
  uint64_t correct = 0;
  for (uint64_t first = 0; first < data.x.rows; first += kBlockRows) {
    if (abort && abort->load(std::memory_order_relaxed)) return Status(Code::Aborted, "the evaluation was aborted");
    const uint64_t count = std::min(kBlockRows, data.x.rows - first);
    SETNET_TRY(forward(first, count, Span<float>(outputs.data(), count * units)));
    for (uint64_t k = 0; k < count; ++k) {
      const float* row = outputs.data() + k * units;
      const int32_t label = data.classes[first + k];
      RowPanel panel{row, scratch.data(), label};
      float terms[rules::kLossTerms] = {};
      lossTerms(rule, panel, static_cast<int64_t>(units), terms);
      const double wide[rules::kLossTerms] = {terms[0], terms[1], terms[2]};
      total += rules::sampleLoss(rule, wide);
      correct += std::max_element(row, row + units) - row == label;  // the first of equal ones
    }
  }
  out->samples = data.x.rows;
  out->loss = data.x.rows ? total / static_cast<double>(data.x.rows) : 0;
  out->accuracy = data.x.rows ? static_cast<double>(correct) / static_cast<double>(data.x.rows) : 0;
  return Status();
}

Status evaluate(const backend::Predictor& predictor, const core::Model& model, const Dataset& data,
                const std::atomic<bool>* abort, Evaluation* out) {
  const auto forward = [&](uint64_t first, uint64_t count, Span<float> rows) {
    return predictor.predict({data.x, nullptr, first, count}, backend::Output::Raw, rows);
  };
  return evaluateRows(forward, model.loss, model.definition.layers.back().units, data, abort, out);
}

}  // namespace setnet::train
