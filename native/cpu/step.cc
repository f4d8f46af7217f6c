// One training step: forward, loss, then layer by layer from the top: the input gradient (with the weights of before
// the step), and the weight gradient with the optimizer's update in one pass.
#include <cmath>
#include <string>

#include "base/flush_subnormals.h"
#include "base/philox.h"
#include "cpu/engine.h"
#include "cpu/features.h"
#include "cpu/pool/pool.h"

namespace setnet::cpu {

using backend::RowSet;
using backend::StepResult;
using backend::StepSettings;
using backend::Targets;
using kernels::kLanes;
using kernels::Panels;

namespace {

Status checkTargets(const Targets& targets, uint64_t count, int64_t units) {
  if (!targets.classes) return Status(Code::Data, "a step needs one class per sample; there are none");
  for (uint64_t k = 0; k < count; ++k) {
    const int32_t c = targets.classes[k];
    if (c < 0 || c >= units)
      return Status(Code::Data, "position " + std::to_string(k) + " of the batch has class " + std::to_string(c) +
                                    "; the network has classes 0 to " + std::to_string(units - 1));
  }
  return Status();
}

float keptScale(double rate) { return static_cast<float>(1 / (1 - rate)); }

int64_t roundUp(int64_t n, int64_t grain) { return (n + grain - 1) / grain * grain; }

}  // namespace

int Engine::partsOf(size_t layer) const {
  const Layer& l = layers_[layer];
  const uint64_t weights =
      l.isSparse() ? l.connections() : static_cast<uint64_t>(l.inputs()) * static_cast<uint64_t>(l.units());
  return partsFor(weights * static_cast<uint64_t>(samples_), threads_);
}

Panels Engine::place(float** memory, int64_t features) const {
  const Panels panels = {*memory, features * width_, width_};
  *memory += features * width_ * panels_;
  return panels;
}

// Sizes of this step, and room for them.
Status Engine::reserve(int64_t samples) {
  samples_ = samples;
  vectors_ = (samples + kLanes - 1) / kLanes;
  width_ = samples <= kLanes ? kLanes : 2 * kLanes;
  panels_ = (samples + width_ - 1) / width_;
  tileStride_ = vectors_ * kLanes * kLanes;

  int64_t features = layers_.front().inputs();
  int64_t widest = 0;                     // units
  int64_t tileInputs = 0, tileUnits = 0;  // of layers with a dense matrix
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    features += layer.units() * (traces_[l].needsInput ? 2 : 1);
    widest = std::max(widest, layer.units());
    if (layer.definition().dropout > 0)
      SETNET_TRY(traces_[l].kept.reserve(static_cast<uint64_t>(layer.units() * vectors_)));
    if (layer.isSparse()) continue;
    tileInputs = std::max(tileInputs, roundUp(layer.inputs(), kLanes));
    tileUnits = std::max(tileUnits, roundUp(layer.units(), kLanes));
  }
  features += 2 * widest;
  SETNET_TRY(memory_.reserve(static_cast<uint64_t>(features * width_ * panels_)));
  SETNET_TRY(inputTiles_.reserve(static_cast<uint64_t>(tileInputs / kLanes * tileStride_)));
  SETNET_TRY(gradientTiles_.reserve(static_cast<uint64_t>(tileUnits / kLanes * tileStride_)));
  if (tileInputs > 0)
    for (Buffer<float>& scratch : scratch_) SETNET_TRY(scratch.reserve(kernels::kDenseScratch));
  SETNET_TRY(terms_.reserve(static_cast<uint64_t>(rules::kLossTerms * vectors_ * kLanes)));
  SETNET_TRY(predicted_.reserve(static_cast<uint64_t>(vectors_ * kLanes)));

  float* memory = memory_.data();
  x_ = place(&memory, layers_.front().inputs());
  for (size_t l = 0; l < layers_.size(); ++l) {
    traces_[l].y = place(&memory, layers_[l].units());
    traces_[l].z = traces_[l].needsInput ? place(&memory, layers_[l].units()) : traces_[l].y;
  }
  gradients_[0] = place(&memory, widest);
  gradients_[1] = place(&memory, widest);
  return Status();
}

void Engine::forwardLayer(size_t layer, uint64_t step) {
  const Layer& l = layers_[layer];
  const ForwardForm form = l.forwardForm();
  Trace& trace = traces_[layer];
  const double rate = l.definition().dropout;
  const int parts = partsOf(layer);
  pool::parallel(parts, [&](int part) {
    const Range rows = form.rows(parts, part);
    for (int64_t begin = rows.begin; begin < rows.end; begin += kRowBlock) {
      const Range block = {begin, std::min(rows.end, begin + kRowBlock)};
      forwardRows(*kernels_, form, block, inputsOf(layer), trace.z, trace.y, vectors_);
      if (rate <= 0) continue;
      kernels::DropoutArgs args = {};
      args.unitBegin = block.begin;
      args.unitEnd = block.end;
      args.y = trace.y;
      args.vectors = vectors_;
      args.seed = seed_;
      args.counter1 = static_cast<uint32_t>(Purpose::Dropout) | static_cast<uint32_t>(layer) << 8;
      args.counter3 = static_cast<uint32_t>(step);
      args.threshold = static_cast<uint32_t>(std::floor(rate * 65536 + 0.5));
      args.keptScale = keptScale(rate);
      args.kept = trace.kept.data();
      args.keptStride = vectors_;
      kernels_->dropout(args);
    }
  });
}

void Engine::computeLoss(const Targets& targets, StepResult* result) {
  kernels::LossArgs args = {};
  args.loss = rules_.loss;
  args.units = layers_.back().units();
  args.z = traces_.back().y;
  args.gradient = gradients_[0];
  args.vectors = vectors_;
  args.samples = samples_;
  args.classes = targets.classes;
  args.scale = 1.0f / static_cast<float>(samples_);
  args.terms = terms_.data();
  args.predicted = predicted_.data();
  kernels_->loss(args);
  *result = StepResult();
  for (int64_t b = 0; b < samples_; ++b) {
    double terms[rules::kLossTerms];
    for (int i = 0; i < rules::kLossTerms; ++i) terms[i] = terms_[i * vectors_ * kLanes + b];
    result->lossSum += rules::sampleLoss(rules_.loss, terms);
    result->correct += predicted_[b] == static_cast<uint32_t>(targets.classes[b]);
  }
}

// The same where the activation learns: its parameters are updated on the way. Nothing of this step reads them after.
void Engine::activationUpdate(size_t layer, const Panels& gradient, Range units) {
  Layer& l = layers_[layer];
  const core::LayerDefinition& definition = l.definition();
  const Trace& trace = traces_[layer];
  kernels::ActivationUpdateArgs args = {};
  args.rule = definition.activation.rule;
  args.parameters = definition.activation.parameters;
  args.unitBegin = units.begin;
  args.unitEnd = units.end;
  args.z = trace.z;
  args.y = trace.y;
  args.gradient = gradient;
  args.vectors = vectors_;
  args.kept = definition.dropout > 0 ? trace.kept.data() : nullptr;
  args.keptStride = vectors_;
  args.keptScale = keptScale(definition.dropout);
  args.learned = l.activationParameters().data();
  args.learnedStride = l.units();
  for (size_t i = 0; i < l.activationState().size(); ++i) args.state[i] = l.activationState()[i].data();
  args.optimizer = {rules_.optimizer.rule, biasCoefficients_};
  kernels_->activationUpdate(args);
}

// From dL/dy to dL/dz of a layer, for some of its units.
void Engine::activationGradient(size_t layer, const Panels& gradient, Range units) {
  if (!layers_[layer].activationParameters().empty()) return activationUpdate(layer, gradient, units);
  const core::LayerDefinition& definition = layers_[layer].definition();
  const Trace& trace = traces_[layer];
  const bool dropped = definition.dropout > 0;
  if (!dropped && definition.activation.rule == static_cast<int>(rules::Activation::Linear)) return;
  kernels_->activationGradient({definition.activation.rule, definition.activation.parameters, units.begin, units.end,
                                trace.z, trace.y, gradient, vectors_, dropped ? trace.kept.data() : nullptr, vectors_,
                                keptScale(definition.dropout)});
}

// dL/dz of the layer below: through this layer's weights, dropout and activation.
void Engine::inputGradient(size_t layer, const Panels& from, const Panels& to) {
  Layer& l = layers_[layer];
  const int parts = partsOf(layer);
  pool::parallel(parts, [&](int part) {
    Range inputs = {0, l.inputs()};
    TransposedForm& transposed = l.transposed();
    if (l.isSparse()) {
      if (parts > 1) inputs = {transposed.cuts[part], transposed.cuts[part + 1]};
      const uint64_t* pointers = transposed.columnPointers.data();
      kernels_->gather({static_cast<int64_t>(pointers[inputs.begin]), static_cast<int64_t>(pointers[inputs.end]),
                        transposed.positions.data(), l.matrix().values.data(), transposed.values.data()});
    } else {
      inputs = evenRange(l.inputs(), kRowBlock, parts, part);
    }
    for (int64_t begin = inputs.begin; begin < inputs.end; begin += kRowBlock) {
      const Range block = {begin, std::min(inputs.end, begin + kRowBlock)};
      if (l.isSparse())
        kernels_->sparseProduct({block.begin, block.end, transposed.columnPointers.data(), transposed.rows.data(),
                                 transposed.values.data(), nullptr, from, to, vectors_});
      else
        kernels_->denseInputGradient({block.begin, block.end, l.units(), l.dense().weights.data(), l.dense().stride,
                                      from, to, vectors_, scratch_[part].data()});
      activationGradient(layer - 1, to, block);
    }
  });
}

// Sample-major copies of what a dense weight gradient is made of.
void Engine::makeTiles(size_t layer, const Panels& gradient) {
  const Layer& l = layers_[layer];
  const int parts = partsOf(layer);
  pool::parallel(parts, [&](int part) {
    const Range inputs = evenRange(l.inputs(), kLanes, parts, part);
    kernels_->sampleTiles({inputs.begin, inputs.end, inputsOf(layer), vectors_, inputTiles_.data(), tileStride_});
    const Range units = evenRange(l.units(), kLanes, parts, part);
    kernels_->sampleTiles({units.begin, units.end, gradient, vectors_, gradientTiles_.data(), tileStride_});
  });
}

void Engine::update(size_t layer, const Panels& gradient) {
  Layer& l = layers_[layer];
  const int parts = partsOf(layer);
  const kernels::OptimizerChoice weightOptimizer = {rules_.optimizer.rule, weightCoefficients_};
  const kernels::OptimizerChoice biasOptimizer = {rules_.optimizer.rule, biasCoefficients_};
  const size_t stateCount = l.biasState().size();
  if (!l.isSparse()) makeTiles(layer, gradient);
  pool::parallel(parts, [&](int part) {
    Range rows;
    if (l.isSparse()) {
      rows = parts > 1 ? Range{l.cuts()[part], l.cuts()[part + 1]} : Range{0, l.units()};
      kernels::SparseUpdateArgs args = {};
      args.rowBegin = rows.begin;
      args.rowEnd = rows.end;
      args.rowPointers = l.matrix().rowPointers.data();
      args.columns = l.matrix().columnIndices.data();
      args.values = l.matrix().values.data();
      for (size_t i = 0; i < stateCount; ++i) args.state[i] = l.weightState()[i].data();
      args.x = inputsOf(layer);
      args.gradient = gradient;
      args.vectors = vectors_;
      args.optimizer = weightOptimizer;
      kernels_->sparseUpdate(args);
    } else {
      rows = evenRange(l.units(), kLanes, parts, part);
      DenseForm& dense = l.dense();
      kernels::DenseUpdateArgs args = {};
      args.rowBegin = rows.begin;
      args.rowEnd = rows.end;
      args.inputs = l.inputs();
      args.samples = samples_;
      args.vectors = vectors_;
      args.x = inputTiles_.data();
      args.gradient = gradientTiles_.data();
      args.tileStride = tileStride_;
      args.weights = dense.weights.data();
      for (size_t i = 0; i < stateCount; ++i) args.state[i] = dense.state[i].data();
      args.stride = dense.stride;
      args.mask = dense.mask.size() > 0 ? dense.mask.data() : nullptr;
      args.maskStride = dense.maskStride;
      args.optimizer = weightOptimizer;
      kernels_->denseUpdate(args);
    }
    if (!l.hasBias()) return;
    kernels::BiasUpdateArgs args = {};
    args.unitBegin = rows.begin;
    args.unitEnd = rows.end;
    args.gradient = gradient;
    args.vectors = vectors_;
    args.bias = l.bias().data();
    for (size_t i = 0; i < stateCount; ++i) args.state[i] = l.biasState()[i].data();
    args.optimizer = biasOptimizer;
    kernels_->biasUpdate(args);
  });
}

Status Engine::step(const RowSet& rows, const Targets& targets, const StepSettings& settings, StepResult* result) {
  if (rows.count == 0) return Status(Code::Data, "a step needs at least one sample");
  SETNET_TRY(checkRows(rows, layers_.front().definition().inputs));
  SETNET_TRY(checkTargets(targets, rows.count, layers_.back().units()));
  FlushSubnormals flush;
  SETNET_TRY(reserve(static_cast<int64_t>(rows.count)));
  SETNET_TRY(packFeatures(*kernels_, scaling_, rows, 0, rows.count, x_));
  rules::prepareOptimizer(rules_.optimizer, settings.learningRate, false, weightCoefficients_);
  rules::prepareOptimizer(rules_.optimizer, settings.learningRate, true, biasCoefficients_);

  for (size_t l = 0; l < layers_.size(); ++l) forwardLayer(l, settings.step);
  computeLoss(targets, result);

  size_t current = 0;  // which gradient buffer holds dL/dz of the layer at hand
  activationGradient(layers_.size() - 1, gradients_[0], {0, layers_.back().units()});
  for (size_t l = layers_.size(); l-- > 0;) {
    if (l > 0) inputGradient(l, gradients_[current], gradients_[1 - current]);
    update(l, gradients_[current]);
    current = 1 - current;
  }
  return Status();
}

}  // namespace setnet::cpu
