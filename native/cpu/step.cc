// One training step. Slices of the batch go through the whole network and back, with the weights of before the step;
// then the weight gradients are summed over the batch and applied at once by the optimizer.
#include <cmath>
#include <string>

#include "base/flush_subnormals.h"
#include "base/philox.h"
#include "cpu/engine.h"
#include "cpu/features.h"
#include "cpu/near.h"
#include "cpu/pool/pool.h"

namespace setnet::cpu {

using backend::RowSet;
using backend::StepResult;
using backend::StepSettings;
using backend::Targets;
using kernels::kLanes;
using kernels::Panels;

namespace {

Status checkTargets(int loss, const Targets& targets, uint64_t count, int64_t units) {
  SETNET_TRY(backend::checkWeights(targets.weights, count));
  if (rules::targetOf(loss) != rules::Target::Class) {
    const RowSet& rows = targets.numbers;
    if (!rows.matrix.data || rows.count != count || rows.matrix.columns != static_cast<uint64_t>(units) ||
        rows.matrix.type != backend::DataType::Float32)
      return Status(Code::Data, std::string("a step with '") + rules::kLosses[loss].name +
                                    "' needs one f32 per sample and output as targets");
    return checkRows(rows, static_cast<uint64_t>(units));
  }
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

template <class Item, class Run>
void forEach(const std::vector<Item>& items, bool serial, const Run& run) {
  if (serial)
    for (const Item& item : items) run(item);
  else
    pool::parallel(static_cast<int>(items.size()), [&](int i) { run(items[static_cast<size_t>(i)]); });
}

int64_t roundUp(int64_t n, int64_t grain) { return (n + grain - 1) / grain * grain; }

}  // namespace

Panels Engine::place(float** memory, int64_t features) const {
  const Panels panels = {*memory, features * width_, width_};
  *memory += features * width_ * panels_;
  return panels;
}

Panels Engine::of(const Slice& slice, const Panels& panels) const {
  return {panels.data + slice.firstPanel * panels.stride, panels.stride, panels.width};
}

// Sizes of this step, and room for them.
Status Engine::reserve(int64_t samples) {
  samples_ = samples;
  vectors_ = (samples + kLanes - 1) / kLanes;
  width_ = samples <= kLanes ? kLanes : 2 * kLanes;
  panels_ = (samples + width_ - 1) / width_;
  tileStride_ = vectors_ * kLanes * kLanes;

  int64_t features = 0;
  int64_t tileInputs = 0, tileUnits = 0;  // of layers with a dense matrix
  int64_t largestDense = 0;
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    features += layer.units() * (2 + (traces_[l].needsInput ? 1 : 0) + (layer.learns() ? 1 : 0));
    if (layer.definition().dropout > 0)
      SETNET_TRY(traces_[l].kept.reserve(static_cast<uint64_t>(layer.units() * vectors_)));
    if (layer.isSparse()) continue;
    largestDense = std::max(largestDense, layer.inputs() * layer.units());
    tileInputs = std::max(tileInputs, roundUp(layer.inputs(), kLanes));
    tileUnits = std::max(tileUnits, roundUp(layer.units(), kLanes));
  }
  const int64_t inputs = inputFeatures_ * width_ * panels_;
  // Live inputs are a few more or less in every step.
  if (inputMemory_.size() < static_cast<uint64_t>(inputs))
    SETNET_TRY(inputMemory_.reserve(static_cast<uint64_t>(inputs + (isLive_ ? inputs / 4 : 0))));
  SETNET_TRY(memory_.reserve(static_cast<uint64_t>(features * width_ * panels_)));
  SETNET_TRY(inputTiles_.reserve(static_cast<uint64_t>(tileInputs / kLanes * tileStride_)));
  SETNET_TRY(gradientTiles_.reserve(static_cast<uint64_t>(tileUnits / kLanes * tileStride_)));
  scratch_.resize(static_cast<size_t>(kSharesPerThread * threads_));
  failures_.assign(scratch_.size(), Status());
  if (tileInputs > 0)
    for (Buffer<float>& scratch : scratch_) SETNET_TRY(scratch.reserve(kernels::kDenseScratch));
  SETNET_TRY(terms_.reserve(static_cast<uint64_t>(rules::kLossTerms * vectors_ * kLanes)));
  SETNET_TRY(predicted_.reserve(static_cast<uint64_t>(vectors_ * kLanes)));

  constexpr int64_t kLargeDense = 65536;  // weights: a quarter of a megabyte
  slicePanels_ = largestDense > kLargeDense ? (panels_ + threads_ - 1) / threads_ : 1;
  slices_ = (panels_ + slicePanels_ - 1) / slicePanels_;

  float* memory = inputMemory_.data();
  x_ = place(&memory, inputFeatures_);
  memory = memory_.data();
  for (size_t l = 0; l < layers_.size(); ++l) {
    traces_[l].y = place(&memory, layers_[l].units());
    traces_[l].z = traces_[l].needsInput ? place(&memory, layers_[l].units()) : traces_[l].y;
    traces_[l].gradient = place(&memory, layers_[l].units());
    traces_[l].dy = layers_[l].learns() ? place(&memory, layers_[l].units()) : traces_[l].gradient;
  }
  return Status();
}

Engine::Slice Engine::sliceAt(int64_t index) const {
  Slice slice = {};
  slice.firstPanel = index * slicePanels_;
  slice.firstSample = slice.firstPanel * width_;
  slice.samples = std::min(samples_ - slice.firstSample, slicePanels_ * width_);
  slice.vectors = (slice.samples + kLanes - 1) / kLanes;
  slice.alone = slices_ == 1;
  return slice;
}

Status Engine::numberInputs(RowSet* rows) {
  // Of all inputs: with more of them alive it does not pay to leave out the others.
  constexpr double kMostLive = 0.5;
  constexpr int kTriedAgain = 64;
  Layer& first = layers_.front();
  inputFeatures_ = first.inputs();
  isLive_ = false;
  if (!first.isSparse() || first.inputs() < kManyInputs) return Status();
  const PackedMatrix& packed = first.packed();
  if (!rows->matrix.isSparse()) {
    if (denseSteps_ > 0 && --denseSteps_ > 0) return Status();
    if (!sparseScaling_.ok()) return Status();
    const uint64_t cells = rows->count * static_cast<uint64_t>(first.inputs());
    const RowSet gathered = nonzeros_.gather(*rows, cells / 8);
    if (gathered.matrix.isSparse()) SETNET_TRY(live_.begin(gathered, packed));
    if (!gathered.matrix.isSparse() ||
        static_cast<double>(live_.features()) > kMostLive * static_cast<double>(first.inputs())) {
      denseSteps_ = kTriedAgain;
      return Status();
    }
    *rows = gathered;
  } else {
    SETNET_TRY(live_.begin(*rows, packed));
  }
  isLive_ = true;
  inputFeatures_ = live_.features();
  pool::parallel(packed.parts(), [&](int part) { live_.renumber(packed, part); });
  return Status();
}

ForwardForm Engine::formOf(size_t layer) const {
  ForwardForm form = layers_[layer].forwardForm();
  form.live = layer == 0 && isLive_ ? &live_ : nullptr;
  return form;
}

int Engine::partsOf(size_t layer, const Slice& slice) const {
  return slice.alone ? layers_[layer].forwardForm().partsFor(static_cast<uint64_t>(slice.samples), threads_) : 1;
}

void Engine::forwardLayer(size_t layer, const Slice& slice, uint64_t step) {
  const Layer& l = layers_[layer];
  const ForwardForm form = formOf(layer);
  const Trace& trace = traces_[layer];
  const int parts = partsOf(layer, slice);
  pool::parallel(parts, [&](int part) {
    forwardPart(*kernels_, form, part, parts, of(slice, inputsOf(layer)), of(slice, trace.z), of(slice, trace.y),
                slice.vectors);
    if (l.definition().dropout > 0) dropOut(layer, slice, form.rowsOf(part, parts), step);
  });
}

void Engine::dropOut(size_t layer, const Slice& slice, Range units, uint64_t step) {
  const double rate = layers_[layer].definition().dropout;
  kernels::DropoutArgs args = {};
  args.unitBegin = units.begin;
  args.unitEnd = units.end;
  args.y = of(slice, traces_[layer].y);
  args.vectors = slice.vectors;
  args.firstSample = static_cast<uint32_t>(slice.firstSample);
  args.seed = seed_;
  args.counter1 = static_cast<uint32_t>(Purpose::Dropout) | layers_[layer].index() << 8;
  args.counter3 = static_cast<uint32_t>(step);
  args.threshold = static_cast<uint32_t>(std::floor(rate * 65536 + 0.5));
  args.keptScale = keptScale(rate);
  args.kept = traces_[layer].kept.data() + slice.firstSample / kLanes;
  args.keptStride = vectors_;
  kernels_->dropout(args);
}

Status Engine::computeLoss(const Slice& slice, const Targets& targets) {
  const bool byClass = rules::targetOf(rules_.loss) == rules::Target::Class;
  // Targets are rows like features, and their place until the gradient replaces them is the gradient's.
  if (!byClass)
    SETNET_TRY(packFeatures(*kernels_, core::Scaling(), targets.numbers, static_cast<uint64_t>(slice.firstSample),
                            static_cast<uint64_t>(slice.samples), of(slice, traces_.back().dy), 1));
  kernels::LossArgs args = {};
  args.loss = rules_.loss;
  args.units = layers_.back().units();
  args.z = of(slice, traces_.back().y);
  args.gradient = of(slice, traces_.back().dy);
  args.vectors = slice.vectors;
  args.samples = slice.samples;
  if (byClass) args.classes = targets.classes + slice.firstSample;
  args.scale = static_cast<float>(
      1 / rules::lossDivisor(rules_.loss, static_cast<uint64_t>(samples_), static_cast<uint64_t>(args.units)));
  args.terms = terms_.data() + slice.firstSample;
  args.termStride = vectors_ * kLanes;
  args.predicted = predicted_.data() + slice.firstSample;
  if (targets.weights) args.weights = targets.weights + slice.firstSample;
  kernels_->loss(args);
  return Status();
}

// From dL/dy to dL/dz of a layer, for some of its units.
void Engine::activationGradient(size_t layer, const Slice& slice, Range units) {
  const core::LayerDefinition& definition = layers_[layer].definition();
  const Trace& trace = traces_[layer];
  const bool dropped = definition.dropout > 0;
  if (!dropped && definition.activation.rule == static_cast<int>(rules::Activation::Linear)) return;
  kernels_->activationGradient({definition.activation.rule, definition.activation.parameters, units.begin, units.end,
                                of(slice, trace.z), of(slice, trace.y), of(slice, trace.dy), of(slice, trace.gradient),
                                slice.vectors, dropped ? trace.kept.data() + slice.firstSample / kLanes : nullptr,
                                vectors_, keptScale(definition.dropout), layers_[layer].learned(),
                                layers_[layer].units()});
}

// Through this layer's weights, and the dropout and activation of the layer below where there is one.
void Engine::inputGradient(size_t layer, const Slice& slice) {
  Layer& l = layers_[layer];
  const core::LayerDefinition* below = layer > 0 ? &layers_[layer - 1].definition() : nullptr;
  const Panels from = of(slice, traces_[layer].gradient), to = of(slice, below ? traces_[layer - 1].dy : dx_);
  const int wanted = partsOf(layer, slice);
  if (l.isSparse()) {
    const bool fused = below && below->dropout <= 0 && activationIsCheap(below->activation.rule);
    PackedMatrix& transposed = l.transposed();
    auto run = [&](int part) {
      if (wanted > 1) bringPanelsNear(from, slice.vectors, l.units());
      kernels::SparseProductArgs args = {};
      args.w = transposed.view(part);
      args.x = from;
      args.y = to;
      args.vectors = slice.vectors;
      if (fused) {
        args.activation = below->activation.rule;
        args.parameters = below->activation.parameters;
        args.below = of(slice, traces_[layer - 1].z).data;
      }
      kernels_->sparseProduct(args);
      if (below && !fused) activationGradient(layer - 1, slice, transposed.rowsOf(part));
    };
    if (wanted > 1)
      pool::parallel(transposed.parts(), run);
    else
      for (int part = 0; part < transposed.parts(); ++part) run(part);
    return;
  }
  pool::parallel(wanted, [&](int part) {
    const Range inputs = evenRange(l.inputs(), kRowBlock, wanted, part);
    float* scratch = slice.alone ? scratch_[part].data() : slice.scratch;
    for (int64_t begin = inputs.begin; begin < inputs.end; begin += kRowBlock) {
      const Range block = {begin, std::min(inputs.end, begin + kRowBlock)};
      kernels_->denseInputGradient({block.begin, block.end, l.units(), l.dense().weights.data(), l.dense().stride, from,
                                    to, slice.vectors, scratch});
      if (below) activationGradient(layer - 1, slice, block);
    }
  });
}

Status Engine::forwardSlice(const Slice& slice, const RowSet& rows, uint64_t step) {
  const uint64_t first = static_cast<uint64_t>(slice.firstSample), count = static_cast<uint64_t>(slice.samples);
  if (isLive_)
    SETNET_TRY(live_.pack(scaling_, rows, first, count, of(slice, x_)));
  else
    SETNET_TRY(packFeatures(*kernels_, scaling_, rows, first, count, of(slice, x_), slice.alone ? threads_ : 1));
  for (size_t l = 0; l < layers_.size(); ++l) forwardLayer(l, slice, step);
  return Status();
}

void Engine::backwardSlice(const Slice& slice) {
  activationGradient(layers_.size() - 1, slice, {0, layers_.back().units()});
  for (size_t l = layers_.size(); l-- > 1;) inputGradient(l, slice);
}

void Engine::sumLoss(const Targets& targets, StepResult* result) const {
  *result = StepResult();
  const rules::Target kind = rules::targetOf(rules_.loss);
  for (int64_t b = 0; b < samples_; ++b) {
    double terms[rules::kLossTerms];
    for (int i = 0; i < rules::kLossTerms; ++i) terms[i] = terms_[i * vectors_ * kLanes + b];
    const double weight = targets.weights ? double{targets.weights[b]} : 1;
    result->lossSum += weight * rules::sampleLoss(rules_.loss, terms, layers_.back().units());
    if (kind == rules::Target::Class)
      result->correct += predicted_[b] == static_cast<uint32_t>(targets.classes[b]);
    else if (kind == rules::Target::Fraction)
      result->correct += static_cast<uint64_t>(terms[1]);
  }
}

// The state of some numbers, or where their gradients are collected.
template <class OwnState>
void Engine::setState(float* collected, const OwnState& ownState, float** state) const {
  if (collected) {
    state[0] = collected;
    return;
  }
  for (int i = 0; i < rules::stateCountOf(rules_.optimizer.rule); ++i) state[i] = ownState(static_cast<size_t>(i));
}

// What the activation learns.
void Engine::updateActivation(size_t layer, Range units) {
  Layer& l = layers_[layer];
  if (!l.learns()) return;
  const core::LayerDefinition& definition = l.definition();
  const Trace& trace = traces_[layer];
  kernels::ActivationUpdateArgs args = {};
  args.rule = definition.activation.rule;
  args.parameters = definition.activation.parameters;
  args.unitBegin = units.begin;
  args.unitEnd = units.end;
  args.z = trace.z;
  args.dy = trace.dy;
  args.vectors = vectors_;
  args.kept = definition.dropout > 0 ? trace.kept.data() : nullptr;
  args.keptStride = vectors_;
  args.keptScale = keptScale(definition.dropout);
  args.learned = l.activationParameters().data();
  args.learnedStride = l.units();
  setState(
      collects_ ? gradients_[layer].activation.data() : nullptr,
      [&](size_t i) { return l.activationState()[i].data(); }, args.state);
  args.optimizer = optimizerOf(true);
  kernels_->activationUpdate(args);
}

void Engine::updateBias(size_t layer, Range units) {
  Layer& l = layers_[layer];
  if (!l.hasBias()) return;
  kernels::BiasUpdateArgs args = {};
  args.unitBegin = units.begin;
  args.unitEnd = units.end;
  args.gradient = traces_[layer].gradient;
  args.vectors = vectors_;
  args.bias = l.bias().data();
  setState(
      collects_ ? gradients_[layer].bias.data() : nullptr, [&](size_t i) { return l.biasState()[i].data(); },
      args.state);
  args.optimizer = optimizerOf(true);
  kernels_->biasUpdate(args);
}

// All parts of all sparse layers and the small dense ones, then the transposed forms, whose values follow, and the
// large dense layers.
void Engine::updateNumbers() {
  const auto updateItem = [&](const Item& item) {
    if (item.layer == kSmallDense) {
      // They share memory: one after the other.
      for (size_t l = 0; l < layers_.size(); ++l)
        if (!layers_[l].isSparse() && denseParts(l) == 1) updateDense(l);
      return;
    }
    Layer& l = layers_[item.layer];
    PackedMatrix& packed = l.packed();
    kernels::SparseUpdateArgs args = {};
    args.w = viewOf(formOf(item.layer), item.part);
    setState(
        collects_ ? gradients_[item.layer].weights.data() + packed.firstSlotOf(item.part) : nullptr,
        [&](size_t i) { return packed.companion(item.part, static_cast<int>(i)); }, args.state);
    args.x = inputsOf(item.layer);
    args.gradient = traces_[item.layer].gradient;
    args.vectors = vectors_;
    args.optimizer = optimizerOf(false);
    // Half of a batch's activations were written by another core.
    const int64_t inputs = item.layer == 0 ? inputFeatures_ : l.inputs();
    if (threads_ > 1 && inputs * width_ * panels_ <= kNearFloats) {
      bringNear(inputsOf(item.layer), panels_, {0, inputs});
      bringNear(traces_[item.layer].gradient, panels_, packed.rowsOf(item.part));
    }
    kernels_->sparseUpdate(args);
    updateBias(item.layer, packed.rowsOf(item.part));
    updateActivation(item.layer, packed.rowsOf(item.part));
  };
  const auto refreshItem = [&](const Item& item) {
    Layer& l = layers_[item.layer];
    kernels_->gather(l.transposed().refresh(l.packed(), item.part));
  };
  updates_.clear();
  refreshes_.clear();
  uint64_t work = 0;
  bool hasSmallDense = false, left = true;
  for (size_t l = 0; l < layers_.size(); ++l) {
    if (layers_[l].isSparse())
      work += layers_[l].connections() * static_cast<uint64_t>(samples_);
    else
      hasSmallDense = hasSmallDense || denseParts(l) == 1;
  }
  // Part by part: the same thread takes the same parts of all layers in every step, and finds their values in its
  // cache.
  for (int part = 0; left; ++part) {
    left = false;
    for (size_t l = 0; l < layers_.size(); ++l) {
      const bool updates = layers_[l].isSparse() && part < layers_[l].packed().parts();
      const bool refreshes = layers_[l].hasTransposed() && part < layers_[l].transposed().parts();
      if (updates) updates_.push_back({l, part});
      if (refreshes) refreshes_.push_back({l, part});
      left = left || updates || refreshes;
    }
  }
  if (hasSmallDense) updates_.push_back({kSmallDense, threads_});
  const bool serial = partsFor(work, threads_) == 1;
  forEach(updates_, serial, updateItem);
  // The numbers are what they were, as long as gradients are only collected.
  if (!collects_) forEach(refreshes_, serial, refreshItem);
  for (size_t l = 0; l < layers_.size(); ++l)
    if (!layers_[l].isSparse() && denseParts(l) > 1) updateDense(l);
}

int Engine::denseParts(size_t layer) const {
  const uint64_t cells = static_cast<uint64_t>(layers_[layer].inputs()) * static_cast<uint64_t>(layers_[layer].units());
  return partsFor(cells * static_cast<uint64_t>(samples_), threads_);
}

// A layer with a dense matrix: sample-major copies of what the gradient is made of, then gradient and update.
void Engine::updateDense(size_t layer) {
  Layer& l = layers_[layer];
  DenseForm& dense = l.dense();
  const Panels& gradient = traces_[layer].gradient;
  const int parts = denseParts(layer);
  pool::parallel(parts, [&](int part) {
    const Range inputs = evenRange(l.inputs(), kLanes, parts, part);
    kernels_->sampleTiles({inputs.begin, inputs.end, inputsOf(layer), vectors_, inputTiles_.data(), tileStride_});
    const Range units = evenRange(l.units(), kLanes, parts, part);
    kernels_->sampleTiles({units.begin, units.end, gradient, vectors_, gradientTiles_.data(), tileStride_});
  });
  pool::parallel(parts, [&](int part) {
    const Range rows = evenRange(l.units(), kLanes, parts, part);
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
    setState(
        collects_ ? gradients_[layer].weights.data() : nullptr, [&](size_t i) { return dense.state[i].data(); },
        args.state);
    args.stride = dense.stride;
    args.mask = dense.mask.size() > 0 ? dense.mask.data() : nullptr;
    args.maskStride = dense.maskStride;
    args.optimizer = optimizerOf(false);
    kernels_->denseUpdate(args);
    updateBias(layer, rows);
    updateActivation(layer, rows);
  });
}

Status Engine::step(const RowSet& rows, const Targets& targets, const StepSettings& settings, StepResult* result) {
  phases_.reset();
  if (rows.count == 0) return Status(Code::Data, "a step needs at least one sample");
  SETNET_TRY(checkRows(rows, layers_.front().definition().inputs));
  SETNET_TRY(checkTargets(rules_.loss, targets, rows.count, layers_.back().units()));
  if (rows.matrix.isSparse()) SETNET_TRY(sparseScaling_);
  FlushSubnormals flush;
  RowSet features = rows;
  SETNET_TRY(numberInputs(&features));
  SETNET_TRY(reserve(static_cast<int64_t>(rows.count)));
  SETNET_TRY(forEachSlice([&](const Slice& slice) {
    SETNET_TRY(forwardSlice(slice, features, settings.step));
    SETNET_TRY(computeLoss(slice, targets));
    backwardSlice(slice);
    return Status();
  }));
  sumLoss(targets, result);
  return update({settings.learningRate, settings.optimizerStep});
}

}  // namespace setnet::cpu
