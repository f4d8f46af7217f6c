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

Status Layer::create(const core::LayerDefinition& definition, uint32_t index, bool hasInputGradient,
                     const core::LayerState& state, int stateCount, int threads, PackMemory* memory) {
  definition_ = definition;
  definition_.activation = rules::placed(definition.activation, index);
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
  const StateBuffers buffers = stateOrZeros(state.weightState, stateCount, connections);
  if (!isSparse()) {
    SETNET_TRY(dense_.allocate(definition.units, definition.inputs, stateCount, true));
    scatterMasked(state.weights, buffers);
    return Status();
  }
  hasTransposed_ = hasInputGradient;
  const float* companions[kMaxCompanions] = {};
  for (size_t i = 0; i < buffers.size(); ++i) companions[i] = buffers[i].data();
  return packSparse(state.weights, companions, memory);
}

void Layer::scatterMasked(const CsrMatrix& matrix, const StateBuffers& state) {
  mask_ = matrix;
  dense_.scatter(mask_, state);
  mask_.values = std::vector<float>();
}

Status Layer::packSparse(const CsrView& matrix, const float* const* state, PackMemory* memory) {
  PackOptions options;
  options.parts = threads_;
  options.companionCount = stateCount_;
  options.companions = state;
  options.updatable = true;
  const Status status = packed_.pack(matrix, options, memory);
  if (!status.ok()) return Status(status.code(), "layers[" + std::to_string(index_) + "]: " + status.message());
  return hasTransposed_ ? packTransposed(matrix, memory) : Status();
}

Status Layer::packTransposed(const CsrView& matrix, PackMemory* memory) {
  const Status status = transposed_.packTransposed(matrix, packed_, threads_, memory);
  if (!status.ok()) return Status(status.code(), "layers[" + std::to_string(index_) + "]: " + status.message());
  for (int part = 0; part < transposed_.parts(); ++part) {
    const kernels::GatherArgs values = transposed_.refresh(packed_, part);
    for (int64_t k = values.begin; k < values.end; ++k) values.to[k] = values.from[values.positions[k]];
  }
  return Status();
}

Status Layer::prepareInputGradient(PackMemory* memory) {
  if (!isSparse() || hasTransposed_) return Status();
  CsrMatrix matrix;
  StateBuffers state;
  SETNET_TRY(canonical(&matrix, &state, memory));
  SETNET_TRY(packTransposed(matrix, memory));
  hasTransposed_ = true;
  return Status();
}

uint64_t Layer::connections() const {
  return definition_.kind == LayerKind::Dense ? definition_.units * definition_.inputs
         : isSparse()                         ? packed_.count()
                                              : mask_.count();
}

ForwardForm Layer::forwardForm() const {
  ForwardForm form;
  form.inputs = inputs();
  form.units = units();
  form.bias = bias_.empty() ? nullptr : bias_.data();
  form.activation = definition_.activation;
  form.learned = activationParameters_.empty() ? nullptr : activationParameters_.data();
  if (isSparse())
    form.packed = &packed_;
  else
    form.dense = &dense_;
  return form;
}

Status Layer::canonical(CsrMatrix* matrix, StateBuffers* state, PackMemory* memory) const {
  if (!isSparse()) {
    *matrix = mask_;
    state->resize(static_cast<size_t>(stateCount_));
    dense_.gather(matrix, state);
    return Status();
  }
  matrix->rows = packed_.rows();
  matrix->columns = packed_.columns();
  matrix->rowPointers.resize(packed_.rows() + 1);
  matrix->columnIndices.resize(packed_.count());
  matrix->values.resize(packed_.count());
  state->resize(static_cast<size_t>(stateCount_));
  float* companions[kMaxCompanions] = {};
  for (size_t i = 0; i < state->size(); ++i) {
    (*state)[i].resize(packed_.count());
    companions[i] = (*state)[i].data();
  }
  return packed_.unpack(matrix->rowPointers.data(), matrix->columnIndices.data(), matrix->values.data(), companions,
                        memory);
}

Status Layer::evolve(const backend::EvolutionSettings& settings, size_t position, uint64_t seed,
                     EvolutionBuffers* buffers, EvolvedLayer* evolved, core::LayerEvolutionReport* report) const {
  *report = core::LayerEvolutionReport();
  report->connections = connections();
  evolved->changed = false;
  if (!core::isEvolved(definition_) || !settings.isChosen(position)) return Status();

  const core::LayerEvolutionInput input = backend::evolutionInputOf(definition_, position, index_, seed, settings);
  Status status;
  if (isSparse()) {
    CanonicalLayer& before = buffers->before;
    before.resize(packed_.rows(), packed_.columns(), packed_.count(), stateCount_);
    float* companions[kMaxCompanions] = {};
    for (int i = 0; i < stateCount_; ++i) companions[i] = before.state[i].data();
    SETNET_TRY(packed_.unpack(before.rowPointers.data(), before.columnIndices.data(), before.values.data(), companions,
                              &buffers->packing));
    evolved->sparse.resize(packed_.rows(), packed_.columns(), core::roomForEvolution(packed_.count(), input.budget),
                           stateCount_);
    status =
        core::evolveLayer(before.source(), settings.rules, input, &buffers->memory, evolved->sparse.target(), report);
    evolved->connections = report->connections;
  } else {
    CsrMatrix before;
    StateBuffers state;
    SETNET_TRY(canonical(&before, &state, &buffers->packing));
    std::vector<uint64_t> origin;
    status = core::evolveLayer(before, settings.rules, input, &evolved->masked, &origin, report);
    evolved->maskedState.assign(state.size(), std::vector<float>(origin.size()));
    for (size_t i = 0; status.ok() && i < state.size(); ++i)
      for (size_t k = 0; k < origin.size(); ++k)
        evolved->maskedState[i][k] = origin[k] == core::kNewcomer ? 0.0f : state[i][origin[k]];
  }
  if (!status.ok()) return Status(status.code(), "layers[" + std::to_string(index_) + "]: " + status.message());
#ifndef NDEBUG
  if (isSparse()) SETNET_TRY(checkEvolved(settings, input, buffers->before, *evolved));
#endif
  evolved->changed = true;
  return Status();
}

#ifndef NDEBUG
// The invariants, on an evolution that is done a second time for it.
Status Layer::checkEvolved(const backend::EvolutionSettings& settings, const core::LayerEvolutionInput& input,
                           const CanonicalLayer& before, const EvolvedLayer& evolved) const {
  CsrMatrix matrix, after;
  matrix.rows = before.rows;
  matrix.columns = before.columns;
  matrix.rowPointers.assign(before.rowPointers.begin(), before.rowPointers.end());
  matrix.columnIndices.assign(before.columnIndices.begin(), before.columnIndices.end());
  matrix.values.assign(before.values.begin(), before.values.end());
  std::vector<uint64_t> origin;
  core::LayerEvolutionReport report;
  SETNET_TRY(core::evolveLayer(matrix, settings.rules, input, &after, &origin, &report));
  for (uint64_t k = 0; k < after.count(); ++k)
    if (after.columnIndices[k] != evolved.sparse.columnIndices[k])
      return Status(Code::Internal, "an evolution has two results");
  return core::checkEvolution(matrix, after, origin, report, input.growBack, input.budget);
}
#endif

Status Layer::commit(EvolvedLayer* evolved, PackMemory* memory) {
  if (!evolved->changed) return Status();
  if (isSparse()) {
    const float* state[kMaxCompanions] = {};
    for (int i = 0; i < stateCount_; ++i) state[i] = evolved->sparse.state[i].data();
    return packSparse(evolved->sparse.view(evolved->connections), state, memory);
  }
  scatterMasked(evolved->masked, evolved->maskedState);
  return Status();
}

void Layer::resetState() {
  const auto reset = [](StateBuffers* state) {
    for (std::vector<float>& values : *state) std::fill(values.begin(), values.end(), 0.0f);
  };
  reset(&biasState_);
  reset(&activationState_);
  for (int i = 0; i < stateCount_; ++i) {
    if (isSparse())
      packed_.clearCompanion(i);
    else
      std::fill_n(dense_.state[i].data(), dense_.state[i].size(), 0.0f);
  }
}

uint64_t EvolutionBuffers::bytes() const {
  uint64_t bytes = packing.bytes() + before.bytes();
  for (const EvolvedLayer& layer : layers) bytes += layer.sparse.bytes();
  return bytes;
}

Status Layer::checkFinite() const {
  if (!allFinite(bias_.data(), bias_.size())) return notFinite(index_, "a bias");
  if (!allFinite(biasState_)) return notFinite(index_, "an optimizer state of the biases");
  if (!allFinite(activationParameters_.data(), activationParameters_.size()))
    return notFinite(index_, "a parameter of the activation");
  if (!allFinite(activationState_)) return notFinite(index_, "an optimizer state of the activation's parameters");
  if (isSparse()) {
    if (!allFinite(packed_.slots().data(), packed_.slots().size())) return notFinite(index_, "a weight");
    for (int i = 0; i < stateCount_; ++i)
      if (!allFinite(packed_.companionSlots(i).data(), packed_.companionSlots(i).size()))
        return notFinite(index_, "an optimizer state of the weights");
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

uint64_t Layer::bytes() const {
  uint64_t bytes = packed_.bytes() + transposed_.bytes() + dense_.weights.bytes() + dense_.mask.bytes();
  for (const Buffer<float>& state : dense_.state) bytes += state.bytes();
  bytes += mask_.rowPointers.size() * sizeof(uint64_t) + mask_.columnIndices.size() * sizeof(uint32_t);
  const uint64_t perUnit = static_cast<uint64_t>(1 + stateCount_) * sizeof(float);
  return bytes + (bias_.size() + activationParameters_.size()) * perUnit;
}

Status Layer::exportState(bool withOptimizerState, core::LayerState* exported) const {
  core::LayerState& out = *exported;
  PackMemory memory;
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
    SETNET_TRY(canonical(&out.weights, &state, &memory));
  }
  out.bias = bias_;
  out.activationParameters = activationParameters_;
  if (withOptimizerState) {
    out.weightState = std::move(state);
    out.biasState = biasState_;
    out.activationState = activationState_;
  }
  return Status();
}

}  // namespace setnet::cpu
