#include "train/evolve.h"

#include <new>
#include <string>
#include <utility>

namespace setnet::train {
namespace {

void addTo(const core::LayerEvolutionReport& from, core::LayerEvolutionReport* to) {
  to->prunedPositive += from.prunedPositive;
  to->prunedNegative += from.prunedNegative;
  to->prunedZero += from.prunedZero;
  to->grown += from.grown;
}

}  // namespace

void EvolutionRecord::sumUp() {
  total = core::LayerEvolutionReport();
  for (const core::LayerEvolutionReport& layer : layers) {
    addTo(layer, &total);
    total.connections += layer.connections;
  }
}

void EvolutionRecord::add(const EvolutionRecord& later) {
  zeta = later.zeta;
  evolutions += later.evolutions;
  for (size_t l = 0; l < layers.size(); ++l) {
    addTo(later.layers[l], &layers[l]);
    layers[l].connections = later.layers[l].connections;
  }
  sumUp();
}

Status evolveModel(const core::Model& model, const backend::EvolutionSettings& settings, Ref<core::Model>* out,
                   EvolutionRecord* record) {
  try {
    Ref<core::Model> made(new core::Model);
    made->definition = model.definition;
    made->scaling = model.scaling;
    made->counters = model.counters;
    made->loss = model.loss;
    made->finalised = model.finalised || !settings.growBack;
    EvolutionRecord done;
    for (size_t l = 0; l < model.layers.size(); ++l) {
      const core::LayerDefinition& definition = model.definition.layers[l];
      const core::LayerState& before = model.layers[l];
      made->layers.emplace_back();
      core::LayerState& after = made->layers.back();
      after.bias = before.bias;
      after.activationParameters = before.activationParameters;
      done.layers.emplace_back();
      core::LayerEvolutionReport& report = done.layers.back();
      if (!core::isEvolved(definition) || !settings.isChosen(l)) {
        after.weights = before.weights;
        report.connections = core::connectionsOf(before);
        continue;
      }
      const core::LayerEvolutionInput input = backend::evolutionInputOf(
          definition, l, model.definition.firstLayer + static_cast<uint32_t>(l), model.definition.seed, settings);
      std::vector<uint64_t> origin;
      const Status status = core::evolveLayer(before.weights, settings.rules, input, &after.weights, &origin, &report);
      if (!status.ok()) return Status(status.code(), "layers[" + std::to_string(l) + "]: " + status.message());
    }
    made->counters.evolution = settings.evolution;
    done.zeta = settings.zeta;
    done.evolutions = 1;
    done.sumUp();
    *record = std::move(done);
    *out = std::move(made);
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "no memory while a network evolved");
  }
  return Status();
}

}  // namespace setnet::train
