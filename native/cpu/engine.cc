#include "cpu/engine.h"

#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "base/flush_subnormals.h"
#include "cpu/features.h"
#include "kernels/dispatch.h"

namespace setnet::cpu {

using backend::EvolutionSettings;
using backend::RowSet;

namespace {

// What evolutions need is kept between them up to this many bytes.
constexpr uint64_t kKeptForEvolution = uint64_t{256} << 20;

Status outOfMemory(const char* doing) { return Status(Code::Memory, std::string("no memory while ") + doing); }

}  // namespace

Status Engine::create(const core::Model& model, const backend::TrainingRules& rules,
                      const backend::EngineOptions& options, std::unique_ptr<backend::Engine>* out) {
  const kernels::KernelTable* kernels = nullptr;
  SETNET_TRY(kernels::active(&kernels));
  SETNET_TRY(checkScaling(model.scaling));
  try {
    std::unique_ptr<Engine> engine(new Engine);
    engine->kernels_ = kernels;
    engine->rules_ = rules;
    engine->scaling_ = model.scaling;
    engine->sparseScaling_ = core::checkSparseScaling(model.scaling);
    engine->seed_ = model.definition.seed;
    engine->threads_ = options.threads < 1 ? 1 : options.threads;
    const size_t count = model.definition.layers.size();
    const int stateCount = rules::stateCountOf(rules.optimizer.rule);
    engine->layers_.resize(count);
    engine->traces_.resize(count);
    engine->scratch_.resize(static_cast<size_t>(engine->threads_));
    for (size_t l = 0; l < count; ++l) {
      const core::LayerDefinition& definition = model.definition.layers[l];
      const uint32_t index = model.definition.firstLayer + static_cast<uint32_t>(l);
      SETNET_TRY(engine->layers_[l].create(definition, index, l > 0, model.layers[l], stateCount, engine->threads_,
                                           &engine->evolution_.packing));
      engine->traces_[l].needsInput = activationNeedsInput(definition.activation.rule);
    }
    engine->evolution_ = EvolutionBuffers();
    *out = std::move(engine);
  } catch (const std::bad_alloc&) {
    return outOfMemory("an engine was made");
  }
  return Status();
}

Status Engine::forward(const RowSet& rows, Span<float> out) {
  try {
    forms_.clear();
    for (const Layer& layer : layers_) forms_.push_back(layer.forwardForm());
    return infer({kernels_, &scaling_, &sparseScaling_, &forms_, threads_}, &workspaces_, rows, -1, out);
  } catch (const std::bad_alloc&) {
    return outOfMemory("a batch was answered");
  }
}

Status Engine::evolve(const EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) {
  try {
    // All layers first, so that a failure in the last one changes nothing in the first.
    std::vector<core::LayerEvolutionReport> made(layers_.size());
    evolution_.layers.resize(layers_.size());
    for (size_t l = 0; l < layers_.size(); ++l)
      SETNET_TRY(layers_[l].evolve(settings, l, seed_, &evolution_, &evolution_.layers[l], &made[l]));
    for (size_t l = 0; l < layers_.size(); ++l)
      SETNET_TRY(layers_[l].commit(&evolution_.layers[l], &evolution_.packing));
    if (settings.rules.resetState)
      for (Layer& layer : layers_) layer.resetState();
    phases_.reset();
    *reports = std::move(made);
    if (evolution_.bytes() > kKeptForEvolution) evolution_ = EvolutionBuffers();
  } catch (const std::bad_alloc&) {
    return outOfMemory("a network evolved");
  }
  return Status();
}

Status Engine::checkFinite() const {
  for (const Layer& layer : layers_) SETNET_TRY(layer.checkFinite());
  return Status();
}

Status Engine::exportLayers(core::Model* model, bool withOptimizerState) const {
  try {
    std::vector<core::LayerState> states;
    states.reserve(layers_.size());
    for (const Layer& layer : layers_) {
      states.emplace_back();
      SETNET_TRY(layer.exportState(withOptimizerState, &states.back()));
    }
    model->layers = std::move(states);
  } catch (const std::bad_alloc&) {
    return outOfMemory("a network was exported");
  }
  return Status();
}

uint64_t Engine::bytes() const {
  uint64_t bytes = sizeof(*this) + evolution_.bytes() + inputMemory_.bytes() + outerMemory_.bytes() + memory_.bytes() +
                   inputTiles_.bytes() + gradientTiles_.bytes() + terms_.bytes() + predicted_.bytes();
  for (const Layer& layer : layers_) bytes += layer.bytes();
  for (const Trace& trace : traces_) bytes += trace.kept.bytes();
  for (const Buffer<float>& scratch : scratch_) bytes += scratch.bytes();
  return bytes;
}

}  // namespace setnet::cpu
