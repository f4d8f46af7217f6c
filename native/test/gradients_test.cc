// The f32 engine against the double reference: gradients, optimizer steps, losses, evolutions and predictions of many
// random networks, with batches that are no multiple of anything.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "cpu/pool/pool.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

// The bound on the error of an array in the 2-norm, relative to the array's norm.
constexpr double kBound = 1e-3;
// How near a pre-activation may come to a kink: f32 sums err by far less, so that both sides see the same slope.
constexpr double kMargin = 1e-4;

// The same network in both backends.
struct Pair {
  std::unique_ptr<backend::Engine> cpu, reference;
};

Pair enginesOf(const core::Model& model, const backend::TrainingRules& rules, int threads = 1) {
  Pair pair;
  backend::EngineOptions options;
  options.threads = threads;
  CHECK_OK(cpu::backend().createEngine(model, rules, options, &pair.cpu));
  CHECK_OK(reference::backend().createEngine(model, rules, options, &pair.reference));
  return pair;
}

Ref<core::Model> exported(const core::Model& model, const backend::Engine& engine) {
  Ref<core::Model> copy = copyOf(model);
  CHECK_OK(engine.exportLayers(copy.get(), true));
  return copy;
}

std::string nameOf(const std::string& what, size_t layer) { return what + " of layer " + std::to_string(layer); }

void checkError(const std::string& what, const std::vector<float>& actual, const std::vector<float>& expected,
                double bound = kBound) {
  const double error = relativeError(actual, expected);
  if (!(error < bound))
    FAIL(what + ": relative error " + std::to_string(error) + " of " + std::to_string(expected.size()) + " numbers");
}

// Topologies equal, everything else near.
void checkModels(const std::string& name, const core::Model& actual, const core::Model& expected,
                 double bound = kBound) {
  REQUIRE(actual.layers.size() == expected.layers.size());
  for (size_t l = 0; l < actual.layers.size(); ++l) {
    const core::LayerState& a = actual.layers[l];
    const core::LayerState& e = expected.layers[l];
    if (a.weights.rowPointers != e.weights.rowPointers || a.weights.columnIndices != e.weights.columnIndices)
      FAIL(name + ": " + nameOf("topology", l));
    checkError(name + ": " + nameOf("weights", l), a.weights.values, e.weights.values, bound);
    checkError(name + ": " + nameOf("bias", l), a.bias, e.bias, bound);
    checkError(name + ": " + nameOf("activation parameters", l), a.activationParameters, e.activationParameters, bound);
    const size_t states = e.weightState.size();
    REQUIRE(states > 0 && a.weightState.size() == states);
    REQUIRE(a.biasState.size() == states && e.biasState.size() == states);
    REQUIRE(a.activationState.size() == states && e.activationState.size() == states);
    for (size_t s = 0; s < states; ++s) {
      const std::string state = "state " + std::to_string(s);
      checkError(name + ": " + nameOf(state, l), a.weightState[s], e.weightState[s], bound);
      checkError(name + ": " + nameOf(state + " of the bias", l), a.biasState[s], e.biasState[s], bound);
      checkError(name + ": " + nameOf(state + " of the activation parameters", l), a.activationState[s],
                 e.activationState[s], bound);
    }
  }
}

// What the update did to the weights, so that a wrong update does not hide behind large weights.
core::Model* subtract(core::Model* after, const core::Model& before) {
  for (size_t l = 0; l < after->layers.size(); ++l) {
    std::vector<float>& w = after->layers[l].weights.values;
    for (size_t k = 0; k < w.size(); ++k) w[k] -= before.layers[l].weights.values[k];
    std::vector<float>& b = after->layers[l].bias;
    for (size_t u = 0; u < b.size(); ++u) b[u] -= before.layers[l].bias[u];
    std::vector<float>& p = after->layers[l].activationParameters;
    for (size_t k = 0; k < p.size(); ++k) p[k] -= before.layers[l].activationParameters[k];
  }
  return after;
}

core::NetworkDefinition randomDefinition(Random& random, bool dropout) {
  // One draw a statement: the order in which arguments are evaluated is the compiler's.
  const uint64_t inputs = random.between(1, 90), seed = random.next(), hidden = random.below(4);
  std::vector<core::LayerDefinition> layers;
  for (uint64_t l = 0; l <= hidden; ++l) {
    const bool last = l == hidden;
    const LayerKind kind = static_cast<LayerKind>(random.below(3));
    const uint64_t units = last ? random.between(2, 12) : random.between(1, 80);
    const double density = random.chance(0.1) ? 1 : random.uniform(0.02, 0.6);
    const int rule = static_cast<int>(random.below(std::size(rules::kActivations)));
    const double rate = random.uniform(0.05, 0.6);
    const bool bias = random.chance(0.7);
    layers.push_back(layerOf(kind, units, last ? Activation::Linear : static_cast<Activation>(rule), density,
                             dropout && !last ? rate : 0, bias));
  }
  return networkOf(inputs, std::move(layers), seed);
}

std::string describe(const core::NetworkDefinition& definition, uint64_t batch) {
  std::string text = std::to_string(definition.inputs);
  for (const core::LayerDefinition& layer : definition.layers)
    text += std::string("-") + core::kLayerKindNames[static_cast<int>(layer.kind)] + std::to_string(layer.units) +
            (layer.bias ? "b" : "") + (layer.dropout > 0 ? "d" : "");
  return text + ", batch " + std::to_string(batch);
}

// Runs `steps` steps in both engines, each on data away from kinks. A step's velocity is compared, the losses as well.
void runSteps(const std::string& name, const core::Model& model, Pair& pair, uint64_t from, uint64_t steps,
              uint64_t batch, double learningRate, Random& random) {
  for (uint64_t step = from; step < from + steps; ++step) {
    Ref<core::Model> now = exported(model, *pair.reference);
    Samples samples = randomSamples(batch, model.definition.inputs, model.definition.layers.back().units, random);
    if (!keepFromKinks(*now, step, kMargin, &samples, random)) return FAIL(name + ": no data away from kinks");
    backend::StepResult a, e;
    REQUIRE_OK(pair.cpu->step(samples.rows(), samples.targets(), at(step, learningRate), &a));
    REQUIRE_OK(pair.reference->step(samples.rows(), samples.targets(), at(step, learningRate), &e));
    if (!(std::fabs(a.lossSum - e.lossSum) <= 1e-4 * e.lossSum + 1e-5))
      FAIL(name + ": loss " + show(a.lossSum) + " is not " + show(e.lossSum) + " in step " + std::to_string(step));
    checkModels(name + ", step " + std::to_string(step), *exported(model, *pair.cpu),
                *exported(model, *pair.reference));
  }
}

void checkOneStep(uint64_t seed, bool dropout) {
  Random random(seed);
  const core::NetworkDefinition definition = randomDefinition(random, dropout);
  const uint64_t batch = random.between(1, 70);
  const std::string name = describe(definition, batch);
  const bool gaps = random.chance(0.5);
  Ref<core::Model> model = randomModel(definition, random, gaps);
  REQUIRE_OK(core::validateModel(*model));

  // Without momentum and decay: the velocity is the gradient.
  Pair plain = enginesOf(*model, sgd(), static_cast<int>(random.between(1, 3)));
  const uint64_t step = random.below(1000);
  runSteps(name + ", gradient", *model, plain, step, 1, batch, 0.5, random);
  checkModels(name + ", change", *subtract(exported(*model, *plain.cpu).get(), *model),
              *subtract(exported(*model, *plain.reference).get(), *model));
}

TEST("gradients and first updates equal the reference's on random networks without dropout") {
  for (uint64_t trial = 0; trial < 60; ++trial) checkOneStep(1000 + trial, false);
}

TEST("gradients and first updates equal the reference's on random networks with dropout") {
  for (uint64_t trial = 0; trial < 60; ++trial) checkOneStep(2000 + trial, true);
}

TEST("every batch size from 1 to 70 gives the reference's gradients") {
  for (uint64_t batch = 1; batch <= 70; ++batch) {
    Random random(3000 + batch);
    const double dropout = batch % 2 ? 0.25 : 0;
    core::NetworkDefinition definition = networkOf(21,
                                                   {layerOf(LayerKind::Sparse, 19, Activation::Relu, 0.3, dropout),
                                                    layerOf(LayerKind::Masked, 23, Activation::Srelu, 0.3, dropout),
                                                    layerOf(LayerKind::Dense, 5, Activation::Linear)},
                                                   batch);
    Ref<core::Model> model = randomModel(definition, random, true);
    Pair pair = enginesOf(*model, sgd());
    runSteps(describe(definition, batch), *model, pair, batch, 1, batch, 0.5, random);
  }
}

TEST("layers without any connection train their biases and nothing else") {
  for (LayerKind kind : {LayerKind::Sparse, LayerKind::Masked}) {
    Random random(3100);
    core::NetworkDefinition definition =
        networkOf(9, {layerOf(kind, 7, Activation::Relu, 0), layerOf(kind, 4, Activation::Linear, 0)});
    Ref<core::Model> model = randomModel(definition, random);
    Pair pair = enginesOf(*model, sgd(0.9, 1e-3));
    runSteps(describe(definition, 33), *model, pair, 0, 3, 33, 0.5, random);
    std::vector<core::LayerEvolutionReport> reports;
    REQUIRE_OK(pair.cpu->evolve(evolutionOf(0.3), &reports));
    REQUIRE(reports.size() == 2);
    CHECK_EQ(reports[0].connections, 0);
    CHECK_EQ(reports[0].grown, 0);
    runSteps(describe(definition, 33), *model, pair, 3, 1, 33, 0.5, random);
  }
}

// How clearly zeta decides between the last weight that goes and the first that stays, relative to the weight; two
// engines whose weights differ by rounding agree where it is large enough.
double pruneMargin(const std::vector<float>& weights, double zeta) {
  double margin = std::numeric_limits<double>::infinity();
  for (float sign : {1.0f, -1.0f}) {
    std::vector<double> sizes;
    for (float w : weights)
      if (w * sign > 0) sizes.push_back(w * sign);
    std::sort(sizes.begin(), sizes.end());
    const size_t removed = static_cast<size_t>(zeta * static_cast<double>(sizes.size()) + 1e-9);
    if (removed > 0 && removed < sizes.size()) margin = std::min(margin, sizes[removed] / sizes[removed - 1] - 1);
  }
  return margin;
}

TEST("20 steps, an evolution and 5 more steps follow the reference under every optimizer setting") {
  std::vector<backend::TrainingRules> optimizers;
  for (bool decayBias : {false, true})
    for (bool nesterov : {false, true}) optimizers.push_back(sgd(0.9, 1e-2, nesterov, decayBias));
  for (const backend::TrainingRules& rules : everyOptimizer()) optimizers.push_back(rules);
  optimizers.push_back(clipped(sgd(0.9, 1e-2), 0.05));
  optimizers.push_back(clipped(adam(rules::Optimizer::Adam, 1e-3, 1e-2), 0.05));
  uint64_t evolutions = 0;
  for (uint64_t trial = 0; trial < 2 * optimizers.size(); ++trial) {
    Random random(4000 + trial);
    const double dropout = trial & 1 ? 0.2 : 0;
    const LayerKind kind = trial < optimizers.size() ? LayerKind::Sparse : LayerKind::Masked;
    const Activation hidden = trial % 3 == 1 ? Activation::Srelu : Activation::Relu;
    core::NetworkDefinition definition =
        networkOf(30,
                  {layerOf(kind, 37, hidden, 0.15, dropout), layerOf(kind, 29, hidden, 0.2, dropout, trial % 3 != 0),
                   layerOf(LayerKind::Dense, 6, Activation::Linear)},
                  77 + trial);
    definition.layers[1].zeta = 0.4;  // half of it, as the network's zeta is half of its base
    Ref<core::Model> model = randomModel(definition, random, true);
    const backend::TrainingRules& chosen = optimizers[trial % optimizers.size()];
    Pair pair = enginesOf(*model, chosen, 1 + static_cast<int>(trial % 3));
    const uint64_t batch = 17 + trial;
    const std::string name = describe(definition, batch);
    // Adam moves every weight by about the rate, however small its gradient.
    const double rate = chosen.optimizer.rule == static_cast<int>(rules::Optimizer::Sgd) ? 0.05 : 0.005;
    runSteps(name, *model, pair, 0, 20, batch, rate, random);

    backend::EvolutionSettings settings = evolutionOf(0.3, 1, trial % 5 != 4);
    settings.baseZeta = 0.6;
    const double zetas[] = {0.3, 0.2};
    Ref<core::Model> before = exported(*model, *pair.reference);
    bool clear = true;
    for (size_t l = 0; l < 2; ++l) clear = clear && pruneMargin(before->layers[l].weights.values, zetas[l]) > 1e-4;
    if (!clear) continue;  // too near to call; counted below
    ++evolutions;
    std::vector<core::LayerEvolutionReport> a, e;
    REQUIRE_OK(pair.cpu->evolve(settings, &a));
    REQUIRE_OK(pair.reference->evolve(settings, &e));
    REQUIRE(a.size() == 3 && e.size() == 3);
    for (size_t l = 0; l < 3; ++l) {
      CHECK_EQ(a[l].prunedPositive, e[l].prunedPositive);
      CHECK_EQ(a[l].prunedNegative, e[l].prunedNegative);
      CHECK_EQ(a[l].prunedZero, e[l].prunedZero);
      CHECK_EQ(a[l].grown, e[l].grown);
      CHECK_EQ(a[l].connections, e[l].connections);
    }
    CHECK(a[0].prunedPositive > 0 && a[0].prunedNegative > 0);
    checkModels(name + ", evolved", *exported(*model, *pair.cpu), *exported(*model, *pair.reference));
    runSteps(name + ", evolved", *model, pair, 20, 5, batch, rate, random);
  }
  CHECK(evolutions >= 18);
}

// As pruneMargin, around the rank that zeta means and two to each side: where thresholds take a weight more.
double thresholdMargin(const std::vector<float>& weights, double zeta) {
  double margin = std::numeric_limits<double>::infinity();
  for (float sign : {1.0f, -1.0f}) {
    std::vector<double> sizes;
    for (float w : weights)
      if (w * sign > 0) sizes.push_back(w * sign);
    std::sort(sizes.begin(), sizes.end());
    // Where the signs part, too: the smallest weights must keep their order.
    const size_t at = static_cast<size_t>(zeta * static_cast<double>(sizes.size()));
    for (size_t k = at > 2 ? at - 2 : 1; k <= at + 2 && k < sizes.size(); ++k)
      margin = std::min(margin, sizes[k] / sizes[k - 1] - 1);
  }
  return margin;
}

// What a source of SET does, as lib/presets.ts has it.
struct Source {
  const char* name;
  core::Draw draw;
  rules::RuleChoice initializer;
  Activation activation;
  LayerKind output;
  backend::TrainingRules rules;
  core::EvolutionRules evolution;
  bool initialBudget = false;
};

std::vector<Source> sources() {
  const auto initializer = [](rules::Initializer rule, double sigma = 0) {
    rules::RuleChoice choice;
    choice.rule = static_cast<int>(rule);
    choice.parameters[0] = sigma;
    return choice;
  };
  core::EvolutionRules published, keras, scipy, synapses;
  keras.prune = static_cast<int>(rules::Prune::ThresholdOfMatrix);
  keras.resetState = true;
  scipy.prune = static_cast<int>(rules::Prune::ThresholdOfStored);
  for (core::EvolutionRules* rules : {&published, &keras}) rules->newWeights = initializer(rules::Initializer::Zero);
  scipy.newWeights = initializer(rules::Initializer::Normal, 0.1);
  synapses.newWeights = initializer(rules::Initializer::DenseHe);
  synapses.keepZeros = true;
  synapses.regrowPruned = false;
  return {{"published", core::Draw::Bernoulli, initializer(rules::Initializer::HeUniform), Activation::Srelu,
           LayerKind::Dense, sgd(0.9, 2e-4), published},
          {"keras", core::Draw::Bernoulli, initializer(rules::Initializer::DenseXavier), Activation::Srelu,
           LayerKind::Dense, sgd(0.9), keras, true},
          {"scipy", core::Draw::WithReplacement, initializer(rules::Initializer::Normal, 0.1), Activation::Relu,
           LayerKind::Sparse, sgd(0.9, 2e-4, false, true, true), scipy},
          {"synapses", core::Draw::Exact, initializer(rules::Initializer::DenseHe), Activation::Relu, LayerKind::Dense,
           sgd(0.9), synapses}};
}

TEST("20 steps, an evolution and 5 more steps follow the reference for what each source of SET does") {
  for (const Source& source : sources()) {
    bool compared = false;
    // A draw whose weights are too near to each other for two roundings is drawn again.
    for (uint64_t attempt = 0; attempt < 8 && !compared; ++attempt) {
      Random random(6000 + attempt);
      core::NetworkDefinition definition = networkOf(60,
                                                     {layerOf(LayerKind::Sparse, 70, source.activation, 0.2, 0.3),
                                                      layerOf(LayerKind::Sparse, 50, source.activation, 0.2, 0.3),
                                                      layerOf(source.output, 12, Activation::Linear, 0.4)},
                                                     91 + attempt);
      for (core::LayerDefinition& layer : definition.layers) {
        layer.draw = source.draw;
        layer.initializer = source.initializer;
      }
      Ref<core::Model> model;
      REQUIRE_OK(core::createModel(definition, core::Scaling(), &model));
      Pair pair = enginesOf(*model, source.rules, 2);
      const std::string name = source.name;
      runSteps(name, *model, pair, 0, 20, 33, 0.01, random);
      Ref<core::Model> before = exported(*model, *pair.reference);
      double margin = std::numeric_limits<double>::infinity();
      std::vector<uint64_t> budgets;
      for (size_t l = 0; l < 3; ++l) {
        budgets.push_back(core::connectionsOf(model->layers[l]));
        if (core::isEvolved(definition.layers[l]))
          margin = std::min(margin, thresholdMargin(before->layers[l].weights.values, 0.3));
      }
      if (margin < 2e-5) continue;
      compared = true;
      backend::EvolutionSettings settings = evolutionOf(0.3);
      settings.rules = source.evolution;
      if (source.initialBudget) settings.budgets = budgets;
      std::vector<core::LayerEvolutionReport> a, e;
      REQUIRE_OK(pair.cpu->evolve(settings, &a));
      REQUIRE_OK(pair.reference->evolve(settings, &e));
      for (size_t l = 0; l < 3; ++l) {
        CHECK_EQ(a[l].prunedPositive, e[l].prunedPositive);
        CHECK_EQ(a[l].prunedNegative, e[l].prunedNegative);
        CHECK_EQ(a[l].prunedZero, e[l].prunedZero);
        CHECK_EQ(a[l].grown, e[l].grown);
        CHECK_EQ(a[l].connections, budgets[l]);
      }
      CHECK_EQ(a[2].grown > 0, source.output == LayerKind::Sparse);
      checkModels(name + ", evolved", *exported(*model, *pair.cpu), *exported(*model, *pair.reference));
      runSteps(name + ", evolved", *model, pair, 20, 5, 33, 0.01, random);
    }
    if (!compared) FAIL(std::string(source.name) + ": no draw is clear enough");
  }
}

TEST("predictions and forward equal the reference's, raw and as probabilities") {
  for (uint64_t trial = 0; trial < 30; ++trial) {
    Random random(5000 + trial);
    core::NetworkDefinition definition = randomDefinition(random, true);
    const bool gaps = random.chance(0.5);
    Ref<core::Model> model = randomModel(definition, random, gaps);
    const uint64_t batch = random.between(1, 70), units = definition.layers.back().units;
    const std::string name = describe(definition, batch);
    Samples samples = randomSamples(batch, definition.inputs, units, random);
    Ref<backend::Predictor> cpu, reference;
    backend::PredictorOptions options;
    options.threads = static_cast<int>(random.between(1, 3));
    REQUIRE_OK(cpu::backend().createPredictor(model, options, &cpu));
    REQUIRE_OK(reference::backend().createPredictor(model, options, &reference));
    Pair pair = enginesOf(*model, sgd());
    std::vector<float> a(batch * units), e(batch * units);
    for (backend::Output output : {backend::Output::Raw, backend::Output::Probabilities}) {
      REQUIRE_OK(cpu->predict(samples.rows(), output, a));
      REQUIRE_OK(reference->predict(samples.rows(), output, e));
      checkError(name + ", predict", a, e, 1e-5);
    }
    REQUIRE_OK(pair.cpu->forward(samples.rows(), a));
    REQUIRE_OK(pair.reference->forward(samples.rows(), e));
    checkError(name + ", forward", a, e, 1e-5);
  }
}

template <class T>
void checkDataType(backend::DataType type, double low, double high, uint64_t seed) {
  Random random(seed);
  const uint64_t inputs = 37, batch = 35, units = 5;
  core::NetworkDefinition definition = networkOf(inputs, {layerOf(LayerKind::Sparse, 16, Activation::Relu, 0.3),
                                                          layerOf(LayerKind::Dense, units, Activation::Linear)});
  Ref<core::Model> model = randomModel(definition, random);
  core::Scaling& scaling = model->scaling;
  const bool global = seed % 2;
  scaling.kind = global ? core::Scaling::Kind::Global : core::Scaling::Kind::PerFeature;
  for (uint64_t i = 0; i < (global ? 1 : inputs); ++i) {
    scaling.mean.push_back(static_cast<float>(random.uniform(low, high)));
    scaling.scale.push_back(static_cast<float>(3 / (high - low)));
  }
  scaling.hasMissing = true;
  scaling.missing = 9;
  std::vector<T> x;
  for (uint64_t k = 0; k < (batch + 5) * inputs; ++k)
    x.push_back(random.chance(0.1) ? T(9) : static_cast<T>(random.uniform(low, high)));
  std::vector<uint64_t> indices;
  std::vector<int32_t> classes;
  for (uint64_t k = 0; k < batch; ++k) {
    indices.push_back(random.below(batch + 5));
    classes.push_back(static_cast<int32_t>(random.below(units)));
  }
  backend::RowSet rows;
  rows.matrix = {x.data(), type, batch + 5, inputs};
  rows.indices = indices.data();
  rows.count = batch;
  backend::Targets targets;
  targets.classes = classes.data();

  std::vector<float> a(batch * units), e(batch * units);
  Ref<backend::Predictor> cpu, reference;
  REQUIRE_OK(cpu::backend().createPredictor(model, backend::PredictorOptions(), &cpu));
  REQUIRE_OK(reference::backend().createPredictor(model, backend::PredictorOptions(), &reference));
  REQUIRE_OK(cpu->predict(rows, backend::Output::Raw, a));
  REQUIRE_OK(reference->predict(rows, backend::Output::Raw, e));
  checkError("predict", a, e, 1e-5);
  Pair pair = enginesOf(*model, sgd());
  backend::StepResult first, second;
  REQUIRE_OK(pair.cpu->step(rows, targets, at(0, 0.1), &first));
  REQUIRE_OK(pair.reference->step(rows, targets, at(0, 0.1), &second));
  CHECK_NEAR(first.lossSum, second.lossSum, 1e-5 * second.lossSum);
  CHECK_EQ(first.correct, second.correct);
}

TEST("rows of every data type, chosen by index, scaled and with missing values") {
  for (uint64_t seed : {6000, 6001}) {
    checkDataType<float>(backend::DataType::Float32, -3, 3, seed);
    checkDataType<double>(backend::DataType::Float64, -3, 3, seed);
    checkDataType<uint8_t>(backend::DataType::Uint8, 0, 255, seed);
    checkDataType<int8_t>(backend::DataType::Int8, -128, 127, seed);
    checkDataType<uint16_t>(backend::DataType::Uint16, 0, 65535, seed);
    checkDataType<int16_t>(backend::DataType::Int16, -32768, 32767, seed);
  }
}

TEST("both backends refuse a feature that is not finite, name its place and change nothing") {
  Random random(7000);
  core::NetworkDefinition definition = networkOf(19, {layerOf(LayerKind::Sparse, 16, Activation::Relu, 0.3, 0.2),
                                                      layerOf(LayerKind::Dense, 3, Activation::Linear)});
  Ref<core::Model> model = randomModel(definition, random);
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (uint64_t row : {0, 31, 40, 66})
    for (float value : bad) {
      Samples samples = randomSamples(67, 19, 3, random);
      samples.x[row * 19 + 17] = value;
      Pair pair = enginesOf(*model, sgd(0.9), 2);
      for (backend::Engine* engine : {pair.cpu.get(), pair.reference.get()}) {
        backend::StepResult result;
        std::vector<float> out(67 * 3);
        const std::string place = "row " + std::to_string(row) + ", column 17";
        const Status step = engine->step(samples.rows(), samples.targets(), at(0, 0.1), &result);
        CHECK_EQ(step.code(), Code::Nonfinite);
        if (step.message().find(place) == std::string::npos) FAIL(step.message());
        const Status forward = engine->forward(samples.rows(), out);
        CHECK_EQ(forward.code(), Code::Nonfinite);
        if (forward.message().find(place) == std::string::npos) FAIL(forward.message());
        Ref<core::Model> unchanged = exported(*model, *engine);
        for (core::LayerState& layer : unchanged->layers) {
          for (float v : layer.weightState[0]) CHECK_EQ(v, 0.0f);
          layer.weightState.clear();
          layer.biasState.clear();
          layer.activationState.clear();
        }
        CHECK_EQ(firstDifference(*unchanged, *model), "");
      }
    }
}

TEST("both backends see activation parameters, and their optimizer state, that left the finite numbers") {
  Random random(7050);
  const float infinity = std::numeric_limits<float>::infinity();
  core::NetworkDefinition definition = networkOf(
      8, {layerOf(LayerKind::Sparse, 9, Activation::Linear, 0.5), layerOf(LayerKind::Masked, 9, Activation::Srelu, 0.5),
          layerOf(LayerKind::Dense, 3, Activation::Srelu)});
  for (uint64_t layer : {1, 2}) {
    Ref<core::Model> model = randomModel(definition, random);
    model->layers[layer].activationParameters[8] = infinity;
    Ref<core::Model> state = randomModel(definition, random);
    for (core::LayerState& l : state->layers) {
      l.weightState = {std::vector<float>(l.weights.values.size())};
      l.biasState = {std::vector<float>(l.bias.size())};
      l.activationState = {std::vector<float>(l.activationParameters.size())};
    }
    state->layers[layer].activationState[0][4] = -infinity;
    for (const Ref<core::Model>& bad : {model, state}) {
      Pair pair = enginesOf(*bad, sgd(0.9));
      for (backend::Engine* engine : {pair.cpu.get(), pair.reference.get()}) {
        const Status diverged = engine->checkFinite();
        CHECK_EQ(diverged.code(), Code::Diverged);
        CHECK(diverged.message().find("layers[" + std::to_string(layer) + "]") != std::string::npos);
        CHECK(diverged.message().find("activation") != std::string::npos);
      }
    }
  }
}

TEST("both backends see weights that left the finite numbers, and evolve nothing then") {
  Random random(7100);
  core::NetworkDefinition definition = networkOf(
      8, {layerOf(LayerKind::Sparse, 9, Activation::Relu, 0.5), layerOf(LayerKind::Masked, 9, Activation::Linear, 0.5),
          layerOf(LayerKind::Dense, 3, Activation::Linear)});
  Ref<core::Model> model = randomModel(definition, random);
  model->layers[1].weights.values[3] = std::numeric_limits<float>::infinity();
  Pair pair = enginesOf(*model, sgd(0.9));
  for (backend::Engine* engine : {pair.cpu.get(), pair.reference.get()}) {
    const Status diverged = engine->checkFinite();
    CHECK_EQ(diverged.code(), Code::Diverged);
    CHECK(diverged.message().find("layers[1]") != std::string::npos);
    Ref<core::Model> before = exported(*model, *engine);
    std::vector<core::LayerEvolutionReport> reports;
    CHECK_EQ(engine->evolve(evolutionOf(0.3), &reports).code(), Code::Nonfinite);
    CHECK_EQ(firstDifference(*exported(*model, *engine), *before), "");
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) {
  setnet::cpu::pool::configure(3);  // whatever the machine has
  return setnet::test::run(argc, argv);
}
