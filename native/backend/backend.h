// The interface between what a network is (core) and how it is computed. A backend makes engines (mutable, for
// training) and predictors (immutable, for inference) from models; it owns values, optimizer state and execution forms.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ref.h"
#include "base/span.h"
#include "base/status.h"
#include "core/evolve.h"
#include "core/model.h"

namespace setnet::backend {

enum class DataType : int { Float32, Float64, Uint8, Int8, Uint16, Int16 };

// Bytes of one number.
inline uint64_t elementSize(DataType type) {
  switch (type) {
    case DataType::Float64:
      return 8;
    case DataType::Float32:
      return 4;
    case DataType::Uint16:
    case DataType::Int16:
      return 2;
    case DataType::Uint8:
    case DataType::Int8:
      return 1;
  }
  return 1;
}

// The numbers of a row of a sparse matrix that are there; columns ascend.
struct SparseRow {
  const uint32_t* columns;
  const float* values;
  uint64_t count;
};

// Features, owned by somebody who outlives the call: row-major and contiguous, or the arrays of a valid CSR matrix,
// whose cells that are not there are 0.
struct MatrixView {
  const void* data = nullptr;  // where the matrix is sparse: its values, Float32
  DataType type = DataType::Float32;
  uint64_t rows = 0;
  uint64_t columns = 0;
  const uint64_t* rowPointers = nullptr;  // null: not sparse
  const uint32_t* columnIndices = nullptr;

  static MatrixView of(const core::CsrMatrix& m) {
    return {m.values.data(), DataType::Float32, m.rows, m.columns, m.rowPointers.data(), m.columnIndices.data()};
  }
  bool isSparse() const { return rowPointers != nullptr; }
  SparseRow sparseRow(uint64_t row) const {
    const uint64_t begin = rowPointers[row];
    return {columnIndices + begin, static_cast<const float*>(data) + begin, rowPointers[row + 1] - begin};
  }
};

// The rows of a matrix that make a batch: `indices[k]`, or first + k where indices is null.
struct RowSet {
  MatrixView matrix;
  const uint64_t* indices = nullptr;
  uint64_t first = 0;
  uint64_t count = 0;

  uint64_t row(uint64_t k) const { return indices ? indices[k] : first + k; }
};

// What the network shall answer, in the form that the loss takes (rules::Target): one class per sample of the batch, or
// rows of one f32 per output, as many and in the same order as the batch's.
struct Targets {
  const int32_t* classes = nullptr;
  RowSet numbers = {};
  // What each sample's loss and gradient are multiplied by, finite and at least 0; the mean is over the samples all the
  // same. Null: 1.
  const float* weights = nullptr;
};

// Code::Data where one of `count` weights, which may be null, is none.
inline Status checkWeights(const float* weights, uint64_t count) {
  for (uint64_t k = 0; weights && k < count; ++k)
    if (!(weights[k] >= 0 && std::isfinite(weights[k])))
      return Status(Code::Data, "position " + std::to_string(k) + " of the batch has the weight " +
                                    std::to_string(weights[k]) + "; weights are finite and at least 0");
  return Status();
}

// What is the same for all steps of a fit.
struct TrainingRules {
  int loss = 0;                 // rules::Loss
  rules::RuleChoice optimizer;  // rules::Optimizer
  // Gradients of a step whose norm over the whole network (weights, biases, what activations learn) is above this are
  // scaled to it, before weight decay and momentum see them; 0: never.
  double clipNorm = 0;
};

// What gradients with this sum of squares are multiplied by.
inline float clipScale(double squaredNorm, double clipNorm) {
  const double norm = std::sqrt(squaredNorm);
  return norm > clipNorm ? static_cast<float>(clipNorm / norm) : 1.0f;
}

struct StepSettings {
  float learningRate = 0;
  uint64_t step = 0;           // of the network's life: keys dropout
  uint64_t optimizerStep = 1;  // since the optimizer's state was all 0, this one included: Adam's t
};

struct StepResult {
  double lossSum = 0;  // over the batch, weighted, before the step's update, dropout active
  // Losses by class: samples whose largest output is their class (ties: the lower class). By fractions: outputs on
  // their target's side of 1/2. Else 0.
  uint64_t correct = 0;
};

struct EvolutionSettings {
  core::EvolutionRules rules;
  double zeta = 0;  // of this evolution; layers with a zeta of their own scale it: layer.zeta * zeta / baseZeta
  double baseZeta = 0;
  bool growBack = true;  // false: the final removal
  uint64_t evolution = 1;
  Span<const uint8_t> chosen;    // one per layer: 0 stays as it is; empty: every layer that evolves
  Span<const uint64_t> budgets;  // one per layer: connections to grow back to; empty: as many as were removed

  bool isChosen(size_t layer) const { return chosen.empty() || chosen[layer] != 0; }
};

// The fraction that this evolution takes from one layer. A layer with a zeta of its own follows the network's schedule
// in proportion; a schedule that rises above its base cannot ask for more than everything.
inline double zetaOf(const core::LayerDefinition& layer, const EvolutionSettings& settings) {
  if (layer.zeta < 0) return settings.zeta;
  if (settings.baseZeta <= 0) return layer.zeta;
  return std::min(1.0, layer.zeta * settings.zeta / settings.baseZeta);
}

// What the evolution of a layer is to be, the `position`-th of those that the settings are for; `index`: its number in
// the keys of random numbers.
inline core::LayerEvolutionInput evolutionInputOf(const core::LayerDefinition& layer, size_t position, uint32_t index,
                                                  uint64_t seed, const EvolutionSettings& settings) {
  core::LayerEvolutionInput input;
  input.zeta = zetaOf(layer, settings);
  input.growBack = settings.growBack;
  if (!settings.budgets.empty()) input.budget = settings.budgets[position];
  input.seed = seed;
  input.layer = index;
  input.evolution = settings.evolution;
  input.layerInitializer = layer.initializer;
  return input;
}

enum class Output : int { Raw, Probabilities };

struct EngineOptions {
  int threads = 1;
};

// Throughput: one packed form of the weights for every batch. Latency: a second one where it makes a single row
// quicker.
enum class OptimizeFor : int { Throughput, Latency };

// Of the weights that a predictor packs; sums are f32 either way.
enum class Precision : int { F32, Bf16 };

struct PredictorOptions {
  int threads = 1;
  OptimizeFor optimizeFor = OptimizeFor::Throughput;
  Precision precision = Precision::F32;
};

// A network that trains. One thread uses it at a time.
class Engine {
 public:
  virtual ~Engine() = default;
  // Forward, loss, backward and update on one batch: mean loss over rows.count samples. A feature that is not finite
  // is Code::Nonfinite (row and column named) and nothing has changed. A loss that is not finite is returned as it is.
  virtual Status step(const RowSet& rows, const Targets& targets, const StepSettings& settings, StepResult* result) = 0;

  // A step in its phases, in this order, for whoever computes the loss himself; with its gradient the bits are step's.
  // Out of order, or with another number of rows, is Code::State, and nothing has changed. A step or an evolution
  // between them ends the phases; so does a failure of forwardStep.
  //
  // The batch through all layers, with the dropout of step `step` of the network's life: out = rows.count x units of
  // the last layer, row-major. What the other phases need is kept, and the rows are not looked at again.
  virtual Status forwardStep(const RowSet& rows, uint64_t step, Span<float> out) = 0;
  // From dy, the loss's gradient by these outputs (a row for each), to that by all activations. dx, where it is not
  // empty: by the inputs, rows x inputs, row-major. May be done again with another dy: the last one counts.
  // Code::Nonfinite names row and column of dy; there is no gradient then.
  virtual Status backward(const MatrixView& dy, Span<float> dx) = 0;
  // The gradient of a layer's weights, one number per connection in canonical order; weight decay is not in it.
  virtual Status weightGradient(size_t layer, Span<float> values) = 0;
  // The optimizer's update of everything that is learned.
  virtual Status finishStep(const rules::OptimizerStep& step) = 0;

  // Inference with the current weights, without dropout: out = rows.count x units, row-major, before the loss makes
  // probabilities.
  virtual Status forward(const RowSet& rows, Span<float> out) = 0;
  // Prune and grow on every layer that evolves; one report per layer of the network (others: zeros and the count).
  // On failure nothing has changed in any layer; but after Code::Memory the engine is not to be used any more.
  // EvolutionRules::resetState is done too: whoever counts optimizerStep begins anew then.
  virtual Status evolve(const EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) = 0;
  // Code::Diverged naming the layer where a weight, bias or optimizer state is not finite.
  virtual Status checkFinite() const = 0;
  // Canonical form of every layer into model->layers (definition, scaling, counters are the caller's).
  virtual Status exportLayers(core::Model* model, bool withOptimizerState) const = 0;
  // What it holds in memory, near enough for whoever decides when to collect it.
  virtual uint64_t bytes() const = 0;
};

// A network that answers. Many threads may use one at the same time.
class Predictor : public RefCounted {
 public:
  // out = rows.count x units of the last layer, row-major. Probabilities: what the loss's answer is (softmax, sigmoid).
  // A row's answer does not depend on the rows beside it, the number of threads or the instruction set (with FMA).
  virtual Status predict(const RowSet& rows, Output output, Span<float> out) const = 0;
  // What it holds in memory, near enough for whoever decides when to collect it.
  virtual uint64_t bytes() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  // `model` must be valid (core::validateModel) and its scaling known; optimizer state is taken over where it is there
  // and belongs to the same optimizer, else starts at 0.
  virtual Status createEngine(const core::Model& model, const TrainingRules& rules, const EngineOptions& options,
                              std::unique_ptr<Engine>* out) const = 0;
  // `model` as for an engine. Code::Option for options that the backend has no form for.
  virtual Status createPredictor(Ref<const core::Model> model, const PredictorOptions& options,
                                 Ref<Predictor>* out) const = 0;
  // The weight gradient of a linear layer on the connections that exist: values[k] = sum over samples s of
  // a[s][row of k] * b[s][column of k], in the order of sums of a training step. `topology` is valid, its values are
  // not read; a: samples x rows; b: as many samples x columns. Code::Nonfinite where a or b is not finite.
  virtual Status sampledProduct(const core::CsrMatrix& topology, const MatrixView& a, const MatrixView& b, int threads,
                                Span<float> values) const = 0;
};

// Code::Shape where dy has not a column for each unit, or dx is neither empty nor as large as the inputs of its rows.
inline Status checkOuterGradient(const MatrixView& dy, const Span<float>& dx, uint64_t units, uint64_t inputs) {
  if (dy.columns != units)
    return Status(Code::Shape, "dy has " + std::to_string(dy.columns) + " columns, but there are " +
                                   std::to_string(units) + " outputs");
  if (!dx.empty() && dx.size() != dy.rows * inputs)
    return Status(Code::Shape, "there is room for " + std::to_string(dx.size()) + " numbers of dx; " +
                                   std::to_string(dy.rows) + " rows of " + std::to_string(inputs) + " inputs need " +
                                   std::to_string(dy.rows * inputs));
  return Status();
}

// Code::Shape where the operands of a sampled product do not fit together.
inline Status checkSampledProduct(const core::CsrMatrix& topology, const MatrixView& a, const MatrixView& b,
                                  const Span<float>& values) {
  if (a.rows == b.rows && a.columns == topology.rows && b.columns == topology.columns &&
      values.size() == topology.count())
    return Status();
  const auto text = [](uint64_t n) { return std::to_string(n); };
  return Status(Code::Shape, "a is " + text(a.rows) + " x " + text(a.columns) + ", b is " + text(b.rows) + " x " +
                                 text(b.columns) + " and there is room for " + text(values.size()) +
                                 " values; the matrix is " + text(topology.rows) + " x " + text(topology.columns) +
                                 " with " + text(topology.count()) + " elements");
}

}  // namespace setnet::backend
