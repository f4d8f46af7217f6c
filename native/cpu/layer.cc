#include "cpu/layer.h"

#include <cmath>
#include <string>
#include <utility>

namespace setnet::cpu {

using core::CsrMatrix;
using core::LayerKind;

namespace {

using StateBuffers = std::vector<std::vector<float>>;

// The model's buffers where it has them, else zeros.
StateBuffers stateOrZeros(const StateBuffers& given, int stateCount, uint64_t size) {
  bool fits = given.size() == static_cast<size_t>(stateCount);
  for (const std::vector<float>& buffer : given) fits = fits && buffer.size() == size;
  return fits ? given : StateBuffers(static_cast<size_t>(stateCount), std::vector<float>(size, 0.0f));
}

Status notFinite(uint32_t layer, const char* what) {
  return Status(Code::Diverged, std::string(what) + " of layers[" + std::to_string(layer) +
                                    "] is not finite any more; a smaller learning rate may help");
}

bool allFinite(const float* numbers, uint64_t count) {
  // x * 0 is 0 for finite numbers only, and the sum keeps a NaN.
  float check = 0;
  for (uint64_t i = 0; i < count; ++i) check += numbers[i] * 0.0f;
  return check == 0;
}

bool allFinite(const StateBuffers& buffers) {
  bool finite = true;
  for (const std::vector<float>& buffer : buffers) finite = finite && allFinite(buffer.data(), buffer.size());
  return finite;
}

}  // namespace

void TransposedForm::build(const CsrMatrix& matrix, int threads) {
  const uint64_t count = matrix.count();
  columnPointers.assign(matrix.columns + 1, 0);
  rows.resize(count);
  positions.resize(count);
  values.resize(count);
  for (uint64_t k = 0; k < count; ++k) ++columnPointers[matrix.columnIndices[k] + 1];
  for (uint64_t c = 0; c < matrix.columns; ++c) columnPointers[c + 1] += columnPointers[c];
  // Rows are visited in ascending order, so that each column's rows ascend.
  std::vector<uint64_t> next(columnPointers.begin(), columnPointers.end() - 1);
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t k = matrix.rowPointers[r]; k < matrix.rowPointers[r + 1]; ++k) {
      const uint64_t to = next[matrix.columnIndices[k]]++;
      rows[to] = static_cast<uint32_t>(r);
      positions[to] = static_cast<uint32_t>(k);
    }
  }
  cuts = cutRows(columnPointers, threads);
}

Status DenseForm::allocate(uint64_t unitCount, uint64_t inputCount, int stateCount, bool masked) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  if (unitCount > kMost || inputCount > kMost || unitCount * 2 > kMost / inputCount)
    return Status(Code::Memory, "a dense matrix of " + std::to_string(unitCount) + " x " + std::to_string(inputCount) +
                                    " weights is too large");
  units = static_cast<int64_t>(unitCount);
  inputs = static_cast<int64_t>(inputCount);
  stride = ((inputs + 15) / 16 | 1) * 16;
  const uint64_t size = static_cast<uint64_t>(rows() * stride);
  SETNET_TRY(weights.reserve(size));
  for (int i = 0; i < stateCount; ++i) SETNET_TRY(state[i].reserve(size));
  maskStride = (inputs + 15) / 16;
  if (masked) SETNET_TRY(mask.reserve(static_cast<uint64_t>(rows() * maskStride)));
  return Status();
}

void DenseForm::scatter(const CsrMatrix& matrix, const StateBuffers& from) {
  weights.clear();
  mask.clear();
  for (size_t i = 0; i < from.size(); ++i) state[i].clear();
  for (int64_t r = 0; r < units; ++r) {
    for (uint64_t k = matrix.rowPointers[r]; k < matrix.rowPointers[r + 1]; ++k) {
      const int64_t c = matrix.columnIndices[k];
      weights[at(r, c)] = matrix.values[k];
      for (size_t i = 0; i < from.size(); ++i) state[i][at(r, c)] = from[i][k];
      if (mask.size() > 0) mask[r * maskStride + c / 16] |= static_cast<uint16_t>(1u << c % 16);
    }
  }
}

void DenseForm::setWeights(const std::vector<float>& values) {
  for (int64_t r = 0; r < units; ++r)
    std::memcpy(weights.data() + at(r, 0), values.data() + r * inputs, static_cast<size_t>(inputs) * sizeof(float));
}

void DenseForm::gather(CsrMatrix* matrix, StateBuffers* to) const {
  matrix->values.resize(matrix->count());
  for (std::vector<float>& buffer : *to) buffer.resize(matrix->count());
  for (int64_t r = 0; r < units; ++r) {
    for (uint64_t k = matrix->rowPointers[r]; k < matrix->rowPointers[r + 1]; ++k) {
      const int64_t cell = at(r, matrix->columnIndices[k]);
      matrix->values[k] = weights[cell];
      for (size_t i = 0; i < to->size(); ++i) (*to)[i][k] = state[i][cell];
    }
  }
}

Status Layer::create(const core::LayerDefinition& definition, uint32_t index, const core::LayerState& state,
                     int stateCount, int threads) {
  definition_ = definition;
  index_ = index;
  threads_ = threads;
  stateCount_ = stateCount;
  bias_ = state.bias;
  biasState_ = stateOrZeros(state.biasState, stateCount, bias_.size());
  activationParameters_ = state.activationParameters;
  activationState_ = stateOrZeros(state.activationState, stateCount, activationParameters_.size());
  const uint64_t connections = state.weights.values.size();
  if (definition_.kind == LayerKind::Dense) {
    SETNET_TRY(dense_.allocate(definition.units, definition.inputs, stateCount, false));
    const bool known = state.weightState.size() == static_cast<size_t>(stateCount);
    for (int64_t r = 0; r < dense_.units; ++r) {
      for (int64_t c = 0; c < dense_.inputs; ++c) {
        const uint64_t k = static_cast<uint64_t>(r * dense_.inputs + c);
        dense_.weights[dense_.at(r, c)] = state.weights.values[k];
        for (int i = 0; known && i < stateCount; ++i) dense_.state[i][dense_.at(r, c)] = state.weightState[i][k];
      }
    }
    return Status();
  }
  constexpr uint64_t kMostConnections = 0xFFFFFFFFull;  // positions have 32 bits
  if (connections > kMostConnections)
    return Status(Code::Memory, "layers[" + std::to_string(index) + "] has " + std::to_string(connections) +
                                    " connections; one layer trains with at most " + std::to_string(kMostConnections));
  matrix_ = state.weights;
  StateBuffers buffers = stateOrZeros(state.weightState, stateCount, connections);
  if (isSparse()) {
    weightState_ = std::move(buffers);
    cuts_ = cutRows(matrix_.rowPointers, threads_);
    if (index_ > 0) transposed_.build(matrix_, threads_);
  } else {
    SETNET_TRY(dense_.allocate(definition.units, definition.inputs, stateCount, true));
    dense_.scatter(matrix_, buffers);
    matrix_.values.clear();
  }
  return Status();
}

uint64_t Layer::connections() const {
  return definition_.kind == LayerKind::Dense ? definition_.units * definition_.inputs : matrix_.count();
}

ForwardForm Layer::forwardForm() const {
  ForwardForm form;
  form.inputs = inputs();
  form.units = units();
  form.bias = bias_.empty() ? nullptr : bias_.data();
  form.activation = definition_.activation;
  form.learned = activationParameters_.empty() ? nullptr : activationParameters_.data();
  if (isSparse()) {
    form.rowPointers = matrix_.rowPointers.data();
    form.columns = matrix_.columnIndices.data();
    form.values = matrix_.values.data();
    form.cuts = cuts_.data();
  } else {
    form.weights = dense_.weights.data();
    form.stride = dense_.stride;
  }
  return form;
}

void Layer::canonical(CsrMatrix* matrix, StateBuffers* state) const {
  *matrix = matrix_;
  if (isSparse()) {
    *state = weightState_;
  } else {
    state->resize(static_cast<size_t>(stateCount_));
    dense_.gather(matrix, state);
  }
}

Status Layer::evolve(const backend::EvolutionSettings& settings, uint64_t seed, EvolvedLayer* evolved,
                     core::LayerEvolutionReport* report) const {
  *report = core::LayerEvolutionReport();
  report->connections = connections();
  if (!core::isEvolved(definition_)) return Status();

  CsrMatrix before;
  StateBuffers state;
  canonical(&before, &state);
  core::LayerEvolutionInput input;
  input.zeta = backend::zetaOf(definition_, settings);
  input.growBack = settings.growBack;
  input.seed = seed;
  input.layer = index_;
  input.evolution = settings.evolution;
  input.layerInitializer = definition_.initializer;
  std::vector<uint64_t> origin;
  const Status status = core::evolveLayer(before, settings.rules, input, &evolved->matrix, &origin, report);
  if (!status.ok()) return Status(status.code(), "layers[" + std::to_string(index_) + "]: " + status.message());
#ifndef NDEBUG
  SETNET_TRY(core::checkEvolution(before, evolved->matrix, origin, *report, settings.growBack));
#endif

  evolved->changed = true;
  evolved->state.assign(state.size(), std::vector<float>(origin.size()));
  for (size_t i = 0; i < state.size(); ++i)
    for (size_t k = 0; k < origin.size(); ++k)
      evolved->state[i][k] = origin[k] == core::kNewcomer ? 0.0f : state[i][origin[k]];
  if (isSparse()) {
    evolved->cuts = cutRows(evolved->matrix.rowPointers, threads_);
    if (index_ > 0) evolved->transposed.build(evolved->matrix, threads_);
  }
  return Status();
}

void Layer::commit(EvolvedLayer evolved) {
  if (!evolved.changed) return;
  matrix_ = std::move(evolved.matrix);
  if (isSparse()) {
    weightState_ = std::move(evolved.state);
    transposed_ = std::move(evolved.transposed);
    cuts_ = std::move(evolved.cuts);
  } else {
    dense_.scatter(matrix_, evolved.state);
    matrix_.values.clear();
  }
}

Status Layer::checkFinite() const {
  if (!allFinite(bias_.data(), bias_.size())) return notFinite(index_, "a bias");
  if (!allFinite(biasState_)) return notFinite(index_, "an optimizer state of the biases");
  if (!allFinite(activationParameters_.data(), activationParameters_.size()))
    return notFinite(index_, "a parameter of the activation");
  if (!allFinite(activationState_)) return notFinite(index_, "an optimizer state of the activation's parameters");
  if (isSparse()) {
    if (!allFinite(matrix_.values.data(), matrix_.values.size())) return notFinite(index_, "a weight");
    if (!allFinite(weightState_)) return notFinite(index_, "an optimizer state of the weights");
    return Status();
  }
  for (int64_t r = 0; r < dense_.units; ++r) {
    const int64_t row = dense_.at(r, 0);
    const uint64_t inputs = definition_.inputs;
    if (!allFinite(dense_.weights.data() + row, inputs)) return notFinite(index_, "a weight");
    for (int i = 0; i < stateCount_; ++i)
      if (!allFinite(dense_.state[i].data() + row, inputs))
        return notFinite(index_, "an optimizer state of the weights");
  }
  return Status();
}

core::LayerState Layer::exportState(bool withOptimizerState) const {
  core::LayerState out;
  StateBuffers state;
  if (definition_.kind == LayerKind::Dense) {
    const uint64_t count = definition_.units * definition_.inputs;
    out.weights.rows = definition_.units;
    out.weights.columns = definition_.inputs;
    out.weights.values.resize(count);
    state.assign(static_cast<size_t>(stateCount_), std::vector<float>(count));
    for (int64_t r = 0; r < dense_.units; ++r) {
      for (int64_t c = 0; c < dense_.inputs; ++c) {
        const uint64_t k = static_cast<uint64_t>(r * dense_.inputs + c);
        out.weights.values[k] = dense_.weights[dense_.at(r, c)];
        for (int i = 0; i < stateCount_; ++i) state[i][k] = dense_.state[i][dense_.at(r, c)];
      }
    }
  } else {
    canonical(&out.weights, &state);
  }
  out.bias = bias_;
  out.activationParameters = activationParameters_;
  if (withOptimizerState) {
    out.weightState = std::move(state);
    out.biasState = biasState_;
    out.activationState = activationState_;
  }
  return out;
}

}  // namespace setnet::cpu
