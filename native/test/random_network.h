// Small random networks, data and comparisons for the tests that set one backend against another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "reference/network.h"
#include "test/check.h"

// Checks that go on, or leave the test, with the status's own words.
#define CHECK_OK(expression)                                       \
  do {                                                             \
    const ::setnet::Status checked = (expression);                 \
    if (!checked.ok()) FAIL(#expression ": " + checked.message()); \
  } while (0)
#define REQUIRE_OK(expression)                     \
  do {                                             \
    const ::setnet::Status checked = (expression); \
    if (!checked.ok()) {                           \
      FAIL(#expression ": " + checked.message());  \
      return;                                      \
    }                                              \
  } while (0)

namespace setnet::test {

// SplitMix64: the tests draw from a generator that the engine does not use.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return next() % n; }
  uint64_t between(uint64_t lowest, uint64_t highest) { return lowest + below(highest - lowest + 1); }
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(next() >> 11) / 9007199254740992.0);
  }
  bool chance(double p) { return uniform(0, 1) < p; }

 private:
  uint64_t state_;
};

// With parameters that small networks feel.
inline rules::RuleChoice activationOf(rules::Activation activation) {
  rules::RuleChoice choice = rules::defaultsOf(rules::kActivations, static_cast<int>(activation));
  if (activation == rules::Activation::ClippedRelu) choice.parameters[0] = 0.75;
  if (activation == rules::Activation::LeakyRelu) choice.parameters[0] = 0.25;
  return choice;
}

inline core::LayerDefinition layerOf(core::LayerKind kind, uint64_t units, rules::Activation activation,
                                     double density = 1, double dropout = 0, bool bias = true) {
  core::LayerDefinition layer;
  layer.kind = kind;
  layer.units = units;
  layer.budget.density = kind == core::LayerKind::Dense ? 1 : density;
  layer.activation = activationOf(activation);
  layer.dropout = dropout;
  layer.bias = bias;
  return layer;
}

inline core::NetworkDefinition networkOf(uint64_t inputs, std::vector<core::LayerDefinition> layers,
                                         uint64_t seed = 1) {
  core::NetworkDefinition definition;
  definition.inputs = inputs;
  definition.seed = seed;
  for (core::LayerDefinition& layer : layers) {
    layer.inputs = inputs;
    inputs = layer.units;
  }
  definition.layers = std::move(layers);
  return definition;
}

// Every cell of a layer that is not dense exists with the layer's density; some rows and columns stay empty where
// `gaps` says so. Weights have about the size that keeps signals alive. With a `grid`, weights and biases are
// multiples of it, and so are parameters of activations (so that weight plus or minus grid is a float as well).
inline Ref<core::Model> randomModel(const core::NetworkDefinition& definition, Random& random, bool gaps = false,
                                    double grid = 0) {
  Ref<core::Model> model(new core::Model());
  model->definition = definition;
  model->scaling.kind = core::Scaling::Kind::None;
  model->scaling.known = true;
  model->loss = static_cast<int>(rules::Loss::SoftmaxCrossEntropy);
  const auto value = [&](double bound) {
    const double x = random.uniform(-bound, bound);
    return static_cast<float>(grid > 0 ? std::round(x / grid) * grid : x);
  };
  for (const core::LayerDefinition& layer : definition.layers) {
    const bool dense = layer.kind == core::LayerKind::Dense;
    const double density = dense ? 1 : layer.budget.density;
    const uint64_t emptyRow = gaps && !dense ? random.below(layer.units) : ~uint64_t{0};
    const uint64_t emptyColumn = gaps && !dense ? random.below(layer.inputs) : ~uint64_t{0};
    const double bound = std::sqrt(6 / std::max(1.0, density * layer.inputs));
    core::LayerState state;
    state.weights.rows = layer.units;
    state.weights.columns = layer.inputs;
    if (!dense) state.weights.rowPointers.push_back(0);
    for (uint64_t o = 0; o < layer.units; ++o) {
      for (uint64_t i = 0; i < layer.inputs; ++i) {
        if (o == emptyRow || i == emptyColumn || !(density >= 1 || random.chance(density))) continue;
        if (!dense) state.weights.columnIndices.push_back(static_cast<uint32_t>(i));
        state.weights.values.push_back(value(bound));
      }
      if (!dense) state.weights.rowPointers.push_back(state.weights.values.size());
    }
    if (layer.bias)
      for (uint64_t o = 0; o < layer.units; ++o) state.bias.push_back(value(0.5));
    for (uint64_t k = 0; k < core::activationParametersOf(layer); ++k) state.activationParameters.push_back(value(0.8));
    model->layers.push_back(std::move(state));
  }
  return model;
}

inline Ref<core::Model> copyOf(const core::Model& model) {
  Ref<core::Model> copy(new core::Model());
  copy->definition = model.definition;
  copy->layers = model.layers;
  copy->scaling = model.scaling;
  copy->counters = model.counters;
  copy->loss = model.loss;
  copy->finalised = model.finalised;
  return copy;
}

// The same network with every layer of kind `from` declared to be of kind `to` (sparse and masked only: both are kept
// as CSR matrices).
inline Ref<core::Model> withKind(const core::Model& model, core::LayerKind from, core::LayerKind to) {
  Ref<core::Model> copy = copyOf(model);
  for (core::LayerDefinition& layer : copy->definition.layers)
    if (layer.kind == from) layer.kind = to;
  return copy;
}

inline backend::TrainingRules sgd(double momentum = 0, double weightDecay = 0, bool nesterov = false,
                                  bool decayBias = false, bool unscaled = false) {
  backend::TrainingRules rules;
  rules.loss = static_cast<int>(rules::Loss::SoftmaxCrossEntropy);
  rules.optimizer.rule = static_cast<int>(rules::Optimizer::Sgd);
  rules.optimizer.parameters[0] = momentum;
  rules.optimizer.parameters[1] = weightDecay;
  rules.optimizer.parameters[2] = nesterov;
  rules.optimizer.parameters[3] = decayBias;
  rules.optimizer.parameters[4] = unscaled;
  return rules;
}

// Adam or AdamW.
inline backend::TrainingRules adam(rules::Optimizer optimizer, double epsilon = 1e-8, double weightDecay = 0,
                                   bool decayBias = false, double beta1 = 0.9, double beta2 = 0.999) {
  backend::TrainingRules rules;
  rules.loss = static_cast<int>(rules::Loss::SoftmaxCrossEntropy);
  rules.optimizer.rule = static_cast<int>(optimizer);
  rules.optimizer.parameters[0] = beta1;
  rules.optimizer.parameters[1] = beta2;
  rules.optimizer.parameters[2] = epsilon;
  rules.optimizer.parameters[3] = weightDecay;
  rules.optimizer.parameters[4] = decayBias;
  return rules;
}

// Every optimizer of the table, with each of the ways in which it may compute. Steps of Adam's do not follow gradients
// that are rounding errors only: epsilon is large.
inline std::vector<backend::TrainingRules> everyOptimizer() {
  return {sgd(0.9, 1e-2),
          sgd(0.9, 1e-2, true),
          sgd(0.9, 1e-2, false, true, true),
          sgd(0.9, 1e-2, true, false, true),
          adam(rules::Optimizer::Adam, 1e-3, 1e-2),
          adam(rules::Optimizer::Adam, 1e-3, 1e-2, true, 0, 0.9),
          adam(rules::Optimizer::Adamw, 1e-3, 1e-2),
          adam(rules::Optimizer::Adamw, 1e-3, 1e-2, true, 0.5, 0.99),
          adam(rules::Optimizer::AdamBirth, 1e-3, 1e-2),
          adam(rules::Optimizer::AdamBirth, 1e-3, 1e-2, true, 0, 0.9),
          adam(rules::Optimizer::AdamwBirth, 1e-3, 1e-2, true, 0.5, 0.99)};
}

inline backend::TrainingRules clipped(backend::TrainingRules rules, double norm) {
  rules.clipNorm = norm;
  return rules;
}

inline backend::StepSettings at(uint64_t step, double learningRate) {
  backend::StepSettings settings;
  settings.step = step;
  settings.optimizerStep = step + 1;
  settings.learningRate = static_cast<float>(learningRate);
  return settings;
}

inline backend::EvolutionSettings evolutionOf(double zeta, uint64_t evolution = 1, bool growBack = true) {
  backend::EvolutionSettings settings;
  settings.rules.prune = static_cast<int>(rules::Prune::SignMagnitude);
  settings.rules.grow = static_cast<int>(rules::Grow::RandomGrow);
  settings.rules.newWeights.rule = static_cast<int>(rules::Initializer::Zero);
  settings.zeta = settings.baseZeta = zeta;
  settings.evolution = evolution;
  settings.growBack = growBack;
  return settings;
}

// Rows of features with a class each.
struct Samples {
  uint64_t columns = 0;
  std::vector<float> x;
  std::vector<int32_t> classes;

  uint64_t count() const { return classes.size(); }
  backend::RowSet rows(uint64_t first, uint64_t count) const {
    backend::RowSet set;
    set.matrix.data = x.data();
    set.matrix.type = backend::DataType::Float32;
    set.matrix.rows = classes.size();
    set.matrix.columns = columns;
    set.first = first;
    set.count = count;
    return set;
  }
  backend::RowSet rows() const { return rows(0, count()); }
  backend::Targets targets(uint64_t first = 0) const {
    backend::Targets targets;
    targets.classes = classes.data() + first;
    return targets;
  }
};

inline Samples randomSamples(uint64_t count, uint64_t columns, uint64_t classes, Random& random) {
  Samples samples;
  samples.columns = columns;
  for (uint64_t k = 0; k < count; ++k) {
    for (uint64_t i = 0; i < columns; ++i) samples.x.push_back(static_cast<float>(random.uniform(-1.5, 1.5)));
    samples.classes.push_back(static_cast<int32_t>(random.below(classes)));
  }
  return samples;
}

// How far a pre-activation is from the next point where the activation, or its gradient by a parameter, jumps.
inline double distanceFromKink(const rules::RuleChoice& activation, const reference::ActivationNumbers& numbers,
                               double z) {
  switch (static_cast<rules::Activation>(activation.rule)) {
    case rules::Activation::Linear:
    case rules::Activation::Sigmoid:
    case rules::Activation::Tanh:
    case rules::Activation::Gelu:
      break;
    case rules::Activation::ClippedRelu:
      return std::min(z != 0 ? std::fabs(z) : std::numeric_limits<double>::infinity(),
                      std::fabs(z - activation.parameters[0]));
    case rules::Activation::Relu:
    case rules::Activation::LeakyRelu:
    case rules::Activation::AllRelu:
      // A pre-activation of exactly 0 is a sum of nothing, and 0 in every precision.
      if (z != 0) return std::fabs(z);
      break;
    case rules::Activation::Srelu: {
      const double left = numbers.p[0], right = left + std::fabs(numbers.p[2]);
      return std::min(std::fabs(z - left), std::fabs(z - right));
    }
  }
  return std::numeric_limits<double>::infinity();
}

// The smallest such distance in training step `step` over all units that are not dropped, as the reference sees them.
inline double distanceFromKinks(const reference::Network& network, const reference::Trace& trace) {
  double distance = std::numeric_limits<double>::infinity();
  for (size_t l = 0; l < trace.activities.size(); ++l) {
    const reference::Activity& activity = trace.activities[l];
    const rules::RuleChoice& activation = network.layers()[l].definition().activation;
    for (size_t u = 0; u < activity.z.size(); ++u)
      if (activity.dropout[u] != 0)
        distance =
            std::min(distance, distanceFromKink(activation, network.layers()[l].activationNumbers(u), activity.z[u]));
  }
  return distance;
}

// Draws each sample again until no pre-activation of step `step` is nearer to a kink than `margin`.
inline bool keepFromKinks(const core::Model& model, uint64_t step, double margin, Samples* samples, Random& random) {
  const reference::Network network(model, 0);
  for (uint64_t k = 0; k < samples->count(); ++k) {
    bool good = false;
    for (int attempt = 0; attempt < 1000 && !good; ++attempt) {
      std::vector<reference::Trace> traces;
      if (!network.read(samples->rows(k, 1), &traces).ok()) return false;
      network.forward(&step, k, &traces[0]);
      good = distanceFromKinks(network, traces[0]) >= margin;
      for (uint64_t i = 0; i < samples->columns && !good; ++i)
        samples->x[k * samples->columns + i] = static_cast<float>(random.uniform(-1.5, 1.5));
    }
    if (!good) return false;
  }
  return true;
}

// Any bit that differs, in topology, weights, biases or optimizer state, says where.
inline std::string firstDifference(const core::Model& a, const core::Model& b) {
  const auto bitsDiffer = [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() != y.size() || (!x.empty() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) != 0);
  };
  if (a.layers.size() != b.layers.size()) return "number of layers";
  for (size_t l = 0; l < a.layers.size(); ++l) {
    const core::LayerState& p = a.layers[l];
    const core::LayerState& q = b.layers[l];
    const std::string where = " of layer " + std::to_string(l);
    if (p.weights.rowPointers != q.weights.rowPointers || p.weights.columnIndices != q.weights.columnIndices)
      return "topology" + where;
    if (bitsDiffer(p.weights.values, q.weights.values)) return "weights" + where;
    if (bitsDiffer(p.bias, q.bias)) return "bias" + where;
    if (bitsDiffer(p.activationParameters, q.activationParameters)) return "activation parameters" + where;
    if (p.weightState.size() != q.weightState.size() || p.biasState.size() != q.biasState.size() ||
        p.activationState.size() != q.activationState.size())
      return "number of optimizer states" + where;
    for (size_t s = 0; s < p.weightState.size(); ++s)
      if (bitsDiffer(p.weightState[s], q.weightState[s])) return "weight state" + where;
    for (size_t s = 0; s < p.biasState.size(); ++s)
      if (bitsDiffer(p.biasState[s], q.biasState[s])) return "bias state" + where;
    for (size_t s = 0; s < p.activationState.size(); ++s)
      if (bitsDiffer(p.activationState[s], q.activationState[s])) return "activation state" + where;
  }
  return "";
}

// |a - b| / |b| in the 2-norm; where b is 0 the norm of a itself. Infinity where the lengths differ.
inline double relativeError(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    norm += double{b[i]} * b[i];
  }
  return std::sqrt(difference) / (norm > 0 ? std::sqrt(norm) : 1);
}

}  // namespace setnet::test
