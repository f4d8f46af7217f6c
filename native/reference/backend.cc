#include "reference/backend.h"

#include <algorithm>
#include <string>
#include <utility>

#include "backend/step_phases.h"
#include "reference/inputs.h"
#include "reference/network.h"
#include "reference/rules.h"

namespace setnet::reference {

using backend::EngineOptions;
using backend::EvolutionSettings;
using backend::RowSet;
using backend::StepResult;
using backend::StepSettings;
using backend::Targets;
using backend::TrainingRules;

namespace {

// Where nothing has been learned or given yet, raw features cannot become inputs.
Status checkScaling(const core::Scaling& scaling) {
  if (scaling.kind != core::Scaling::Kind::None && !scaling.known)
    return Status(Code::State, "the scaling of the inputs is not known yet: fit learns it");
  return Status();
}

Status checkTargets(int loss, const Targets& targets, uint64_t count, uint64_t units) {
  SETNET_TRY(backend::checkWeights(targets.weights, count));
  if (rules::targetOf(loss) != rules::Target::Class) {
    const backend::MatrixView& matrix = targets.numbers.matrix;
    if (!matrix.data || targets.numbers.count != count || matrix.columns != units ||
        matrix.type != backend::DataType::Float32)
      return Status(Code::Data, std::string("a step with '") + rules::kLosses[loss].name +
                                    "' needs one f32 per sample and output as targets");
    for (uint64_t k = 0; k < count; ++k)
      if (targets.numbers.row(k) >= matrix.rows)
        return Status(Code::Shape, "position " + std::to_string(k) + " of the targets is beyond their rows");
    return Status();
  }
  if (!targets.classes && count > 0) return Status(Code::Data, "a step needs one class per sample; there are none");
  for (uint64_t k = 0; k < count; ++k) {
    const int32_t c = targets.classes[k];
    if (c < 0 || static_cast<uint64_t>(c) >= units)
      return Status(Code::Data, "position " + std::to_string(k) + " of the batch has class " + std::to_string(c) +
                                    "; the network has classes 0 to " + std::to_string(units - 1));
  }
  return Status();
}

Status checkOut(const Span<float>& out, uint64_t count, uint64_t units) {
  if (out.size() != count * units)
    return Status(Code::Shape, "the output has room for " + std::to_string(out.size()) + " numbers; " +
                                   std::to_string(count) + " rows of " + std::to_string(units) + " units need " +
                                   std::to_string(count * units));
  return Status();
}

class ReferenceEngine : public backend::Engine {
 public:
  ReferenceEngine(const core::Model& model, const TrainingRules& rules)
      : network_(model, rules::stateCountOf(rules.optimizer.rule)), rules_(rules) {}

  Status step(const RowSet& rows, const Targets& targets, const StepSettings& settings, StepResult* result) override {
    phases_.reset();
    if (rows.count == 0) return Status(Code::Data, "a step needs at least one sample");
    SETNET_TRY(checkTargets(rules_.loss, targets, rows.count, network_.units()));
    std::vector<Trace> traces;
    SETNET_TRY(network_.read(rows, &traces));

    std::vector<LayerGradient> gradients = zeroGradients();
    const double scale = 1 / rules::lossDivisor(rules_.loss, rows.count, network_.units());
    const float* numbers = static_cast<const float*>(targets.numbers.matrix.data);
    const bool byClass = rules::targetOf(rules_.loss) == rules::Target::Class;
    *result = StepResult();
    for (uint64_t k = 0; k < rows.count; ++k) {
      network_.forward(&settings.step, k, &traces[k]);
      const std::vector<double>& outputs = traces[k].outputs();
      std::vector<double> dy;
      uint64_t right = 0;
      const double weight = targets.weights ? double{targets.weights[k]} : 1;
      const int64_t actual = byClass ? targets.classes[k] : -1;
      const float* wanted = byClass ? nullptr : numbers + targets.numbers.row(k) * network_.units();
      result->lossSum += weight * lossAndGradient(rules_.loss, outputs, actual, wanted, scale * weight, &dy, &right);
      result->correct += right;
      network_.backward(traces[k], std::move(dy), &gradients);
    }
    update({settings.learningRate, settings.optimizerStep}, gradients);
    return Status();
  }

  Status forwardStep(const RowSet& rows, uint64_t step, Span<float> out) override {
    phases_.reset();
    if (rows.count == 0) return Status(Code::Data, "a step needs at least one sample");
    SETNET_TRY(checkOut(out, rows.count, network_.units()));
    SETNET_TRY(network_.read(rows, &traces_));
    for (uint64_t k = 0; k < rows.count; ++k) {
      network_.forward(&step, k, &traces_[k]);
      writeRow(traces_[k].outputs(), k, out);
    }
    phases_.onForward(rows.count);
    return Status();
  }

  Status backward(const backend::MatrixView& dy, Span<float> dx) override {
    SETNET_TRY(phases_.checkBackward(dy.rows));
    SETNET_TRY(backend::checkOuterGradient(dy, dx, network_.units(), network_.definition().inputs));
    phases_.onBackwardBegin();
    gradients_ = zeroGradients();
    for (uint64_t k = 0; k < dy.rows; ++k) {
      std::vector<double> row, below;
      const Status status = readInputs(dy, k, core::Scaling(), &row);
      if (!status.ok()) return Status(status.code(), "dy: " + status.message());
      network_.backward(traces_[k], std::move(row), &gradients_, &below);
      if (!dx.empty()) writeRow(below, k, dx);
    }
    phases_.onBackward();
    return Status();
  }

  Status weightGradient(size_t layer, Span<float> values) override {
    SETNET_TRY(phases_.checkGradient());
    const std::vector<float> gradient = network_.layers()[layer].weightGradient(gradients_[layer]);
    SETNET_TRY(checkOut(values, 1, gradient.size()));
    std::copy(gradient.begin(), gradient.end(), values.begin());
    return Status();
  }

  Status finishStep(const rules::OptimizerStep& step) override {
    SETNET_TRY(phases_.checkGradient());
    phases_.reset();
    update(step, gradients_);
    return Status();
  }

  Status forward(const RowSet& rows, Span<float> out) override {
    SETNET_TRY(checkOut(out, rows.count, network_.units()));
    std::vector<Trace> traces;
    SETNET_TRY(network_.read(rows, &traces));
    for (uint64_t k = 0; k < rows.count; ++k) {
      network_.forward(nullptr, k, &traces[k]);
      writeRow(traces[k].outputs(), k, out);
    }
    return Status();
  }

  Status evolve(const EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) override {
    // All layers first, so that a failure in the last one changes nothing in the first.
    std::vector<Layer> evolved = network_.layers();
    std::vector<core::LayerEvolutionReport> made(evolved.size());
    for (size_t l = 0; l < evolved.size(); ++l)
      SETNET_TRY(network_.layers()[l].evolve(settings, l, network_.definition().seed, &evolved[l], &made[l]));
    phases_.reset();
    network_.layers() = std::move(evolved);
    if (settings.rules.resetState)
      for (Layer& layer : network_.layers()) layer.resetState();
    *reports = std::move(made);
    return Status();
  }

  Status checkFinite() const override {
    for (const Layer& layer : network_.layers()) SETNET_TRY(layer.checkFinite());
    return Status();
  }

  Status exportLayers(core::Model* model, bool withOptimizerState) const override {
    model->layers.clear();
    for (const Layer& layer : network_.layers()) model->layers.push_back(layer.exportState(withOptimizerState));
    return Status();
  }

  uint64_t bytes() const override {
    uint64_t bytes = sizeof(*this);
    for (const Layer& layer : network_.layers())
      bytes += layer.definition().inputs * layer.definition().units * sizeof(double);
    return bytes;
  }

 private:
  static void writeRow(const std::vector<double>& row, uint64_t k, Span<float> out) {
    for (size_t i = 0; i < row.size(); ++i) out[k * row.size() + i] = static_cast<float>(row[i]);
  }
  std::vector<LayerGradient> zeroGradients() const {
    std::vector<LayerGradient> gradients;
    for (const Layer& layer : network_.layers()) gradients.push_back(layer.zeroGradient());
    return gradients;
  }
  void update(const rules::OptimizerStep& step, std::vector<LayerGradient> gradients) {
    if (rules_.clipNorm > 0) clip(&gradients);
    for (size_t l = 0; l < gradients.size(); ++l) network_.layers()[l].update(rules_.optimizer, step, gradients[l]);
  }

  void clip(std::vector<LayerGradient>* gradients) const {
    const auto each = [&](const auto& visit) {
      for (LayerGradient& layer : *gradients)
        for (std::vector<double>* numbers : {&layer.weights, &layer.bias, &layer.activation})
          for (double& number : *numbers) visit(number);
    };
    double sum = 0;
    each([&](double& number) { sum += number * number; });
    const double norm = std::sqrt(sum);
    if (norm > rules_.clipNorm) each([&](double& number) { number *= rules_.clipNorm / norm; });
  }

  Network network_;
  TrainingRules rules_;
  // Of a step in phases.
  backend::StepPhases phases_;
  std::vector<Trace> traces_;
  std::vector<LayerGradient> gradients_;
};

class ReferencePredictor : public backend::Predictor {
 public:
  explicit ReferencePredictor(const core::Model& model)
      : network_(model, 0), loss_(model.loss), connections_(core::connectionsOf(model)) {}

  Status predict(const RowSet& rows, backend::Output output, Span<float> out) const override {
    if (output == backend::Output::Probabilities && loss_ < 0)
      return Status(Code::State, "a network that was never fitted has no loss and so no probabilities");
    SETNET_TRY(checkOut(out, rows.count, network_.units()));
    std::vector<Trace> traces;
    SETNET_TRY(network_.read(rows, &traces));
    for (uint64_t k = 0; k < rows.count; ++k) {
      network_.forward(nullptr, k, &traces[k]);
      std::vector<double> answer = traces[k].outputs();
      if (output == backend::Output::Probabilities) answer = probabilities(loss_, answer);
      for (uint64_t u = 0; u < network_.units(); ++u) out[k * network_.units() + u] = static_cast<float>(answer[u]);
    }
    return Status();
  }

  uint64_t bytes() const override { return sizeof(*this) + connections_ * (sizeof(double) + sizeof(uint32_t)); }

 private:
  const Network network_;
  const int loss_;
  const uint64_t connections_;
};

class ReferenceBackend : public backend::Backend {
 public:
  const char* name() const override { return "reference"; }

  Status createEngine(const core::Model& model, const TrainingRules& rules, const EngineOptions&,
                      std::unique_ptr<backend::Engine>* out) const override {
    SETNET_TRY(checkScaling(model.scaling));
    *out = std::make_unique<ReferenceEngine>(model, rules);
    return Status();
  }

  Status createPredictor(Ref<const core::Model> model, const backend::PredictorOptions& options,
                         Ref<backend::Predictor>* out) const override {
    if (options.precision != backend::Precision::F32)
      return Status(Code::Option, "the reference backend computes in double precision");
    SETNET_TRY(checkScaling(model->scaling));
    *out = Ref<backend::Predictor>(new ReferencePredictor(*model));
    return Status();
  }

  Status sampledProduct(const core::CsrMatrix& topology, const backend::MatrixView& a, const backend::MatrixView& b,
                        int, Span<float> values) const override {
    SETNET_TRY(backend::checkSampledProduct(topology, a, b, values));
    const core::Scaling none;
    std::vector<double> sums(topology.count()), rowOfA, rowOfB;
    for (uint64_t s = 0; s < a.rows; ++s) {
      SETNET_TRY(readInputs(a, s, none, &rowOfA));
      SETNET_TRY(readInputs(b, s, none, &rowOfB));
      for (uint64_t r = 0; r < topology.rows; ++r)
        for (uint64_t k = topology.rowPointers[r]; k < topology.rowPointers[r + 1]; ++k)
          sums[k] += rowOfA[r] * rowOfB[topology.columnIndices[k]];
    }
    for (uint64_t k = 0; k < sums.size(); ++k) values[k] = static_cast<float>(sums[k]);
    return Status();
  }
};

}  // namespace

const backend::Backend& backend() {
  // Never destroyed: threads of a process that exits in mid-work must not find it gone.
  static const ReferenceBackend& instance = *new ReferenceBackend;
  return instance;
}

}  // namespace setnet::reference
