#include "core/model.h"

#include <cmath>
#include <iterator>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/float_bits.h"
#include "base/hash.h"
#include "base/memory.h"
#include "core/initialize.h"

namespace setnet::core {
namespace {

// The number of a layer has 24 bits in the keys of random numbers; nobody needs so many.
constexpr uint64_t kMaxLayers = 65536;

std::string number(uint64_t x) { return std::to_string(x); }
std::string layerName(size_t i) { return "layers[" + number(i) + "]"; }

Status checkSize(const std::string& name, uint64_t size) {
  if (size >= 1 && size <= kMaxColumns) return {};
  return {Code::Option, name + " must be from 1 to " + number(kMaxColumns) + ", but is " + number(size)};
}

Status checkChoice(const std::string& name, Span<const rules::RuleInfo> table, const rules::RuleChoice& choice) {
  if (choice.rule < 0 || static_cast<size_t>(choice.rule) >= table.size())
    return {Code::Option,
            name + " is number " + std::to_string(choice.rule) + " of a table of " + number(table.size())};
  const rules::RuleInfo& rule = table[choice.rule];
  for (int i = 0; i < rule.parameterCount; ++i) {
    const rules::ParameterSpec& spec = rule.parameters[i];
    const double x = choice.parameters[i];
    if (std::isfinite(x) && (spec.open ? x > spec.minimum : x >= spec.minimum) && x <= spec.maximum) continue;
    return {Code::Option, name + " '" + rule.name + "': " + spec.name + " must be " +
                              (spec.open ? "above " : "at least ") + std::to_string(spec.minimum) +
                              (spec.maximum < rules::kNoLimit ? " and at most " + std::to_string(spec.maximum) : "") +
                              " and finite, but is " + std::to_string(x)};
  }
  return {};
}

Status checkBudget(const std::string& name, const LayerDefinition& layer) {
  const Budget& budget = layer.budget;
  if (budget.connections >= 0) {
    const uint64_t cells = layer.inputs * layer.units;
    if (static_cast<uint64_t>(budget.connections) <= cells) return {};
    return {Code::Option,
            name + ".connections must be at most " + number(cells) + ", but is " + std::to_string(budget.connections)};
  }
  // density < 0 says that epsilon counts; NaN says nothing and must not pass for either.
  if (budget.density < 0) {
    if (budget.epsilon > 0 && std::isfinite(budget.epsilon)) return {};
    return {Code::Option, name + ".epsilon must be above 0 and finite, but is " + std::to_string(budget.epsilon)};
  }
  if (budget.density <= 1) return {};
  return {Code::Option, name + ".density must be from 0 to 1, but is " + std::to_string(budget.density)};
}

Status checkLayer(const std::string& name, const LayerDefinition& layer, uint64_t expectedInputs) {
  SETNET_TRY(checkSize(name + ".units", layer.units));
  SETNET_TRY(checkSize(name + ".inputs", layer.inputs));
  if (layer.inputs != expectedInputs)
    return {Code::Shape, name + ".inputs is " + number(layer.inputs) + ", but what comes before has " +
                             number(expectedInputs) + " units"};
  if (saturatedProduct(layer.inputs, layer.units) >> 63 != 0)
    return {Code::Option, name + " has " + number(layer.inputs) + " inputs and " + number(layer.units) +
                              " units: their product must be below 2^63"};
  if (layer.kind != LayerKind::Sparse && layer.kind != LayerKind::Masked && layer.kind != LayerKind::Dense)
    return {Code::Option, name + " is of no known kind: " + std::to_string(static_cast<int>(layer.kind))};
  if (layer.kind != LayerKind::Dense) {
    SETNET_TRY(checkBudget(name, layer));
    if (layer.draw != Draw::Exact && layer.draw != Draw::Bernoulli && layer.draw != Draw::WithReplacement)
      return {Code::Option, name + ".draw is unknown: " + std::to_string(static_cast<int>(layer.draw))};
    if (!(layer.zeta <= 1))
      return {Code::Option, name + ".zeta must be from 0 to 1, but is " + std::to_string(layer.zeta)};
  }
  SETNET_TRY(checkChoice(name + ".activation", rules::kActivations, layer.activation));
  SETNET_TRY(checkChoice(name + ".initializer", rules::kInitializers, layer.initializer));
  if (!(layer.dropout >= 0 && layer.dropout < 1))
    return {Code::Option, name + ".dropout must be at least 0 and below 1, but is " + std::to_string(layer.dropout)};
  return {};
}

Status checkDefinition(const NetworkDefinition& definition) {
  SETNET_TRY(checkSize("inputs", definition.inputs));
  if (definition.layers.empty()) return {Code::Option, "a network needs at least one layer"};
  if (definition.layers.size() > kMaxLayers || definition.firstLayer > kMaxLayers - definition.layers.size())
    return {Code::Option, "a network has at most " + number(kMaxLayers) + " layers, but this one has " +
                              number(definition.firstLayer + definition.layers.size())};
  uint64_t inputs = definition.inputs;
  for (size_t i = 0; i < definition.layers.size(); ++i) {
    SETNET_TRY(checkLayer(layerName(i), definition.layers[i], inputs));
    inputs = definition.layers[i].units;
  }
  return {};
}

Status checkVector(const std::string& name, Span<const float> x) {
  const uint64_t bad = firstNonfinite(x.data(), x.size());
  if (bad == x.size()) return {};
  return {Code::Nonfinite, name + "[" + number(bad) + "] is " + (isNanBits(x[bad]) ? "NaN" : "infinite")};
}

Status checkScaling(const Scaling& scaling, uint64_t inputs) {
  using Kind = Scaling::Kind;
  const int kind = static_cast<int>(scaling.kind);
  if (kind < 0 || kind > static_cast<int>(Kind::Given))
    return {Code::Option, "scaling is of no known kind: " + std::to_string(kind)};
  if (scaling.kind == Kind::Given && !scaling.known)
    return {Code::Option, "scaling is to be given, but mean and scale are missing"};
  if (scaling.kind == Kind::None || !scaling.known) return {};
  const bool one = scaling.kind != Kind::PerFeature;
  const bool many = scaling.kind != Kind::Global;
  for (const auto& [name, x] : {std::pair<const char*, const std::vector<float>&>{"scaling.mean", scaling.mean},
                                {"scaling.scale", scaling.scale}}) {
    if ((one && x.size() == 1) || (many && x.size() == inputs)) continue;
    return {Code::Shape, std::string(name) + " has " + number(x.size()) + " elements, but needs " +
                             (many ? "one per input, " + number(inputs) : std::string("1"))};
  }
  if (scaling.mean.size() != scaling.scale.size())
    return {Code::Shape, "scaling.mean has " + number(scaling.mean.size()) + " elements and scaling.scale " +
                             number(scaling.scale.size())};
  SETNET_TRY(checkVector("scaling.mean", scaling.mean));
  return checkVector("scaling.scale", scaling.scale);
}

void initializeWeights(const LayerDefinition& definition, uint64_t seed, uint32_t layer, CsrMatrix* weights) {
  const bool dense = definition.kind == LayerKind::Dense;
  const rules::WeightScale scale =
      rules::weightScale(definition.initializer, rules::Fans::of(static_cast<double>(weights->values.size()),
                                                                 static_cast<double>(definition.inputs),
                                                                 static_cast<double>(definition.units)));
  const RandomStream stream{seed, Purpose::InitialWeight, layer, 0};
  if (dense) {
    for (uint64_t cell = 0; cell < weights->values.size(); ++cell)
      weights->values[cell] = weightOfCell(stream, cell, scale);
    return;
  }
  for (uint64_t r = 0; r < weights->rows; ++r) {
    for (uint64_t i = weights->rowPointers[r]; i < weights->rowPointers[r + 1]; ++i)
      weights->values[i] = weightOfCell(stream, r * weights->columns + weights->columnIndices[i], scale);
  }
}

// The matrix and bias that are given. Values are finite already: a valid matrix has no others.
Status takeGiven(const LayerDefinition& definition, const GivenLayer& given, LayerState* state) {
  const CsrMatrix& weights = *given.weights;
  if (definition.kind == LayerKind::Dense) return {Code::Option, "a dense layer is not made from a sparse matrix"};
  if (weights.rows != definition.units || weights.columns != definition.inputs)
    return {Code::Shape, "weights is " + number(weights.rows) + " x " + number(weights.columns) +
                             ", but the layer has " + number(definition.units) + " units and " +
                             number(definition.inputs) + " inputs"};
  if (weights.count() != requestedConnections(definition.budget, definition.inputs, definition.units))
    return {Code::Shape, "weights has " + number(weights.count()) + " connections, but the layer is said to have " +
                             number(requestedConnections(definition.budget, definition.inputs, definition.units))};
  const uint64_t biases = definition.bias ? definition.units : 0;
  if (!given.bias.empty() && given.bias.size() != biases)
    return {Code::Shape, "bias has " + number(given.bias.size()) + " elements, but needs " + number(biases)};
  SETNET_TRY(checkVector("bias", given.bias));
  state->weights = weights;
  state->bias.assign(given.bias.begin(), given.bias.end());
  return {};
}

Status createLayer(const LayerDefinition& definition, const GivenLayer& given, uint64_t seed, uint32_t layer,
                   LayerState* state) {
  CsrMatrix& weights = state->weights;
  if (given.weights) {
    SETNET_TRY(takeGiven(definition, given, state));
  } else if (definition.kind == LayerKind::Dense) {
    const uint64_t bytes = saturatedProduct(definition.inputs * definition.units, sizeof(float));
    if (bytes > memoryLimit())
      return {Code::Memory, "a dense layer of " + number(definition.inputs) + " x " + number(definition.units) +
                                " needs " + formatBytes(bytes) + " of memory, but there are " +
                                formatBytes(memoryLimit())};
    weights.rows = definition.units;
    weights.columns = definition.inputs;
    weights.values.resize(definition.inputs * definition.units);
  } else {
    SETNET_TRY(
        drawTopology(definition.inputs, definition.units, definition.budget, definition.draw, seed, layer, &weights));
  }
  if (!given.weights) initializeWeights(definition, seed, layer, &weights);
  if (definition.bias) state->bias.resize(definition.units);
  const uint64_t learned = activationParametersOf(definition);
  if (saturatedProduct(learned, sizeof(float)) > memoryLimit())
    return {Code::Memory, "the activation of " + number(definition.units) + " units learns " + number(learned) +
                              " parameters, for which there is no memory"};
  state->activationParameters.resize(learned);
  initializeActivation({seed, Purpose::ActivationParameters, layer, 0}, rules::learnedOf(definition.activation.rule),
                       definition.units, state->activationParameters);
  return {};
}

uint64_t bytesOf(const LayerState& state) {
  return sizeof(float) * (state.weights.values.size() + state.bias.size() + state.activationParameters.size()) +
         sizeof(uint32_t) * state.weights.columnIndices.size() + sizeof(uint64_t) * state.weights.rowPointers.size();
}

Status checkMatrix(const std::string& name, const LayerDefinition& definition, const CsrMatrix& weights) {
  if (weights.rows != definition.units || weights.columns != definition.inputs)
    return {Code::Shape, name + ".weights is " + number(weights.rows) + " x " + number(weights.columns) +
                             ", but the layer has " + number(definition.units) + " units and " +
                             number(definition.inputs) + " inputs"};
  if (definition.kind == LayerKind::Dense) {
    if (!weights.rowPointers.empty() || !weights.columnIndices.empty())
      return {Code::Shape, name + ".weights has a topology, but the layer is dense"};
    if (weights.values.size() != definition.units * definition.inputs)
      return {Code::Shape, name + ".weights has " + number(weights.values.size()) + " elements, but a dense layer of " +
                               number(definition.inputs) + " inputs and " + number(definition.units) + " units has " +
                               number(definition.units * definition.inputs)};
    return checkVector(name + ".weights", weights.values);
  }
  const Status valid = weights.validate();
  return valid.ok() ? valid : Status(valid.code(), name + ".weights: " + valid.message());
}

Status checkState(const std::string& name, const std::vector<std::vector<float>>& state, uint64_t size) {
  if (state.size() > rules::kMaxOptimizerState)
    return {Code::Shape, name + " has " + number(state.size()) + " buffers, but an optimizer keeps at most " +
                             std::to_string(rules::kMaxOptimizerState)};
  for (size_t s = 0; s < state.size(); ++s) {
    const std::string buffer = name + "[" + number(s) + "]";
    if (state[s].size() != size)
      return {Code::Shape, buffer + " has " + number(state[s].size()) + " elements, but needs " + number(size)};
    SETNET_TRY(checkVector(buffer, state[s]));
  }
  return {};
}

Status checkLayerState(const std::string& name, const LayerDefinition& definition, const LayerState& state) {
  SETNET_TRY(checkMatrix(name, definition, state.weights));
  const uint64_t biases = definition.bias ? definition.units : 0;
  if (state.bias.size() != biases)
    return {Code::Shape, name + ".bias has " + number(state.bias.size()) + " elements, but needs " + number(biases)};
  SETNET_TRY(checkVector(name + ".bias", state.bias));
  SETNET_TRY(checkState(name + ".weightState", state.weightState, state.weights.values.size()));
  SETNET_TRY(checkState(name + ".biasState", state.biasState, biases));
  const uint64_t learned = activationParametersOf(definition);
  if (state.activationParameters.size() != learned)
    return {Code::Shape, name + ".activationParameters has " + number(state.activationParameters.size()) +
                             " elements, but needs " + number(learned)};
  SETNET_TRY(checkVector(name + ".activationParameters", state.activationParameters));
  return checkState(name + ".activationState", state.activationState, learned);
}

}  // namespace

Status checkSparseScaling(const Scaling& scaling) {
  if (scaling.kind == Scaling::Kind::None) return {};
  for (uint64_t i = 0; i < scaling.mean.size(); ++i) {
    if (scaling.mean[i] == 0) continue;
    return {Code::Option, "a CsrMatrix cannot be centred, but scaling.mean" +
                              (scaling.mean.size() > 1 ? "[" + number(i) + "]" : std::string()) +
                              " of the network is " + std::to_string(scaling.mean[i]) +
                              ": create the network with scaling 'none' or { mean: 0, scale }, let its first fit learn "
                              "the scaling from a CsrMatrix, or give the features as a typed array"};
  }
  return {};
}

Status createModel(const NetworkDefinition& definition, const Scaling& scaling, Ref<Model>* out,
                   Span<const GivenLayer> given) {
  SETNET_TRY(checkDefinition(definition));
  SETNET_TRY(checkScaling(scaling, definition.inputs));
  try {
    Ref<Model> model(new Model);
    model->definition = definition;
    model->scaling = scaling;
    model->layers.resize(definition.layers.size());
    uint64_t held = 0;
    for (size_t i = 0; i < definition.layers.size(); ++i) {
      const Status made = createLayer(definition.layers[i], i < given.size() ? given[i] : GivenLayer(), definition.seed,
                                      definition.firstLayer + static_cast<uint32_t>(i), &model->layers[i]);
      if (!made.ok()) return {made.code(), layerName(i) + ": " + made.message()};
      held += bytesOf(model->layers[i]);
      if (held > memoryLimit())
        return {Code::Memory, layerName(i) + ": the network up to this layer needs " + formatBytes(held) +
                                  " of memory, but there are " + formatBytes(memoryLimit())};
    }
    *out = std::move(model);
  } catch (const std::bad_alloc&) {
    return {Code::Memory, "the network needs memory that could not be had"};
  } catch (const std::length_error&) {
    return {Code::Memory, "the network needs memory that could not be had"};
  }
  return {};
}

Status validateModel(const Model& model) {
  SETNET_TRY(checkDefinition(model.definition));
  SETNET_TRY(checkScaling(model.scaling, model.definition.inputs));
  if (model.loss < -1 || model.loss >= static_cast<int>(std::size(rules::kLosses)))
    return {Code::Option,
            "the loss is number " + std::to_string(model.loss) + " of a table of " + number(std::size(rules::kLosses))};
  if (model.layers.size() != model.definition.layers.size())
    return {Code::Shape, "there are " + number(model.layers.size()) + " layers, but " +
                             number(model.definition.layers.size()) + " are defined"};
  for (size_t i = 0; i < model.layers.size(); ++i)
    SETNET_TRY(checkLayerState(layerName(i), model.definition.layers[i], model.layers[i]));
  return {};
}

uint64_t activationParametersOf(const LayerDefinition& definition) {
  return rules::learnedOf(definition.activation.rule).size() * definition.units;
}

uint64_t connectionsOf(const LayerState& layer) { return layer.weights.values.size(); }

uint64_t connectionsOf(const Model& model) {
  uint64_t sum = 0;
  for (const LayerState& layer : model.layers) sum += connectionsOf(layer);
  return sum;
}

bool isEvolved(const LayerDefinition& definition) {
  return definition.kind != LayerKind::Dense && definition.evolve &&
         requestedConnections(definition.budget, definition.inputs, definition.units) <
             saturatedProduct(definition.inputs, definition.units);
}

uint64_t topologyDigest(const Model& model) {
  Hash64 hash;
  for (const LayerState& layer : model.layers) {
    const CsrMatrix& m = layer.weights;
    const uint64_t shape[] = {m.rows, m.columns};
    hash.update(shape, sizeof shape);
    hash.update(m.rowPointers.data(), m.rowPointers.size() * sizeof(uint64_t));
    hash.update(m.columnIndices.data(), m.columnIndices.size() * sizeof(uint32_t));
  }
  return hash.digest();
}

}  // namespace setnet::core
