// New networks: weights from the seed to the bit, sizes, digests, and every refusal of a definition or a state.
#include "core/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/float_bits.h"
#include "base/hash.h"
#include "core/initialize.h"
#include "test/check.h"

using namespace setnet;
using namespace setnet::core;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

rules::RuleChoice initializer(const char* name) {
  return rules::defaultsOf(rules::kInitializers, rules::findRule(rules::kInitializers, name));
}

LayerDefinition layerOf(LayerKind kind, uint64_t inputs, uint64_t units) {
  LayerDefinition layer;
  layer.kind = kind;
  layer.inputs = inputs;
  layer.units = units;
  layer.budget.epsilon = 5;
  layer.activation = rules::defaultsOf(rules::kActivations, rules::findRule(rules::kActivations, "relu"));
  layer.initializer = initializer("heUniform");
  return layer;
}

NetworkDefinition smallNetwork() {
  NetworkDefinition definition;
  definition.inputs = 40;
  definition.seed = 42;
  definition.layers = {layerOf(LayerKind::Sparse, 40, 60), layerOf(LayerKind::Masked, 60, 50),
                       layerOf(LayerKind::Dense, 50, 10)};
  return definition;
}

Ref<Model> created(const NetworkDefinition& definition) {
  Ref<Model> model;
  const Status status = createModel(definition, Scaling(), &model);
  if (!status.ok()) FAIL(status.message());
  return model;
}

void expectStatus(const Status& status, Code code, const std::string& text) {
  CHECK_EQ(status.code(), code);
  if (status.message().find(text) == std::string::npos) FAIL("'" + status.message() + "' lacks '" + text + "'");
}

// A change to a small network's definition must be refused.
template <class Change>
void refuses(Change change, Code code, const std::string& text, const Scaling& scaling = Scaling()) {
  NetworkDefinition definition = smallNetwork();
  change(definition);
  Ref<Model> model;
  expectStatus(createModel(definition, scaling, &model), code, text);
  CHECK(!model);
}

// A change to a valid model must be seen.
template <class Change>
void finds(Change change, Code code, const std::string& text) {
  Ref<Model> model = created(smallNetwork());
  change(*model);
  expectStatus(validateModel(*model), code, text);
}

Scaling scalingOf(Scaling::Kind kind, std::vector<float> mean, std::vector<float> scale) {
  Scaling scaling;
  scaling.kind = kind;
  scaling.known = true;
  scaling.mean = std::move(mean);
  scaling.scale = std::move(scale);
  return scaling;
}

}  // namespace

TEST("uniform weights are 24 signed bits times the rounded bound, and never zero") {
  const RandomStream stream{7, Purpose::InitialWeight, 3, 0};
  const double bound = std::sqrt(6.0 / 35.68);
  double sum = 0, squares = 0;
  const int count = 200000;
  for (int cell = 0; cell < count; ++cell) {
    const float w = weightOfCell(stream, cell, {false, bound});
    const int64_t word = stream.block(cell).word[0];
    const int64_t u = (word >= (int64_t{1} << 31) ? word - (int64_t{1} << 32) : word) >> 8;
    CHECK_EQ(w, static_cast<float>(u == 0 ? 1 : u) * (static_cast<float>(bound) / 8388608.0f));
    CHECK(w != 0 && std::fabs(w) <= static_cast<float>(bound));
    sum += w;
    squares += static_cast<double>(w) * w;
  }
  const double variance = bound * bound / 3;
  CHECK_NEAR(sum / count, 0, 4.5 * std::sqrt(variance / count));
  CHECK_NEAR(squares / count / variance, 1, 4.5 * std::sqrt(0.8 / count));
}

TEST("a word whose upper 24 bits are zero is read as one step") {
  // About one word in 2^24 is such; this cell's was found by trying.
  const RandomStream stream{3, Purpose::InitialWeight, 0, 0};
  const uint64_t cell = 2642487;
  REQUIRE(stream.block(cell).word[0] >> 8 == 0);
  CHECK_EQ(weightOfCell(stream, cell, {false, 1}), 0x1p-23f);
}

TEST("normal weights have the moments of a normal distribution") {
  const RandomStream stream{7, Purpose::InitialWeight, 3, 0};
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  const int count = 400000;
  for (int cell = 0; cell < count; ++cell) {
    const double w = weightOfCell(stream, cell, {true, 0.25}) / 0.25;
    sum += w;
    squares += w * w;
    cubes += w * w * w;
    fourths += w * w * w * w;
  }
  CHECK_NEAR(sum / count, 0, 4.5 / std::sqrt(count));
  CHECK_NEAR(squares / count, 1, 4.5 * std::sqrt(2.0 / count));
  CHECK_NEAR(cubes / count, 0, 4.5 * std::sqrt(15.0 / count));
  CHECK_NEAR(fourths / count, 3, 4.5 * std::sqrt(96.0 / count));
}

TEST("many weights are the weights of their cells, and a scale of 0 makes +0") {
  const RandomStream stream{7, Purpose::NewWeight, 3, 5};
  const std::vector<uint64_t> cells = {0, 5, uint64_t{1} << 40};
  std::vector<float> weights(3);
  for (const rules::WeightScale scale : {rules::WeightScale{false, 0.3}, {true, 0.3}, {false, 0.0}}) {
    weightsOfCells(stream, cells, scale, weights);
    for (size_t i = 0; i < cells.size(); ++i) CHECK_EQ(weights[i], weightOfCell(stream, cells[i], scale));
  }
  CHECK_EQ(bitsOf(weights[0]), 0u);
}

TEST("a new network has the defined shapes, biases of zero and weights by its sparse mean fan-in") {
  const Ref<Model> model = created(smallNetwork());
  CHECK(validateModel(*model).ok());
  CHECK_EQ(model->layers.size(), 3);
  CHECK_EQ(connectionsOf(model->layers[0]), 500);
  CHECK_EQ(connectionsOf(model->layers[1]), 550);
  CHECK_EQ(connectionsOf(model->layers[2]), 500);
  CHECK_EQ(connectionsOf(*model), 1550);
  for (size_t l = 0; l < 3; ++l) {
    const LayerState& state = model->layers[l];
    const LayerDefinition& layer = model->definition.layers[l];
    CHECK(state.bias == std::vector<float>(layer.units, 0.0f));
    CHECK(state.weightState.empty() && state.biasState.empty());
    const double fanIn = static_cast<double>(connectionsOf(state)) / static_cast<double>(layer.units);
    const RandomStream stream{42, Purpose::InitialWeight, static_cast<uint32_t>(l), 0};
    const bool dense = layer.kind == LayerKind::Dense;
    CHECK_EQ(state.weights.rowPointers.empty(), dense);
    const std::vector<uint64_t> cells = dense ? std::vector<uint64_t>() : cellsOf(state.weights);
    for (uint64_t i = 0; i < connectionsOf(state); ++i)
      CHECK_EQ(state.weights.values[i], weightOfCell(stream, dense ? i : cells[i], {false, std::sqrt(6.0 / fanIn)}));
  }
  CHECK_EQ(model->loss, -1);
  CHECK(!model->finalised);
}

TEST("sparse and masked layers of one seed are the same layer") {
  NetworkDefinition definition = smallNetwork();
  const Ref<Model> one = created(definition);
  std::swap(definition.layers[0].kind, definition.layers[1].kind);
  const Ref<Model> other = created(definition);
  CHECK_EQ(topologyDigest(*one), topologyDigest(*other));
  for (size_t l = 0; l < 3; ++l) CHECK(one->layers[l].weights.values == other->layers[l].weights.values);
}

TEST("a network of one seed has the same topology and weights on every machine") {
  NetworkDefinition definition;
  definition.inputs = 784;
  definition.seed = 42;
  definition.layers = {layerOf(LayerKind::Sparse, 784, 1000), layerOf(LayerKind::Sparse, 1000, 1000),
                       layerOf(LayerKind::Sparse, 1000, 1000), layerOf(LayerKind::Dense, 1000, 10)};
  for (LayerDefinition& layer : definition.layers) layer.budget.epsilon = 20;
  definition.layers[1].draw = Draw::Bernoulli;
  definition.layers[1].initializer = initializer("heNormal");
  definition.layers[2].draw = Draw::WithReplacement;
  definition.layers[2].initializer = initializer("xavierNormal");
  const Ref<Model> model = created(definition);
  Hash64 weights;
  for (const LayerState& layer : model->layers)
    weights.update(layer.weights.values.data(), layer.weights.values.size() * sizeof(float));
  CHECK_EQ(topologyDigest(*model), 7466911888527369463ull);
  CHECK_EQ(weights.digest(), 7755465555178044954ull);
}

TEST("the digest of topologies sees every moved connection and no weight") {
  const Ref<Model> model = created(smallNetwork());
  const uint64_t before = topologyDigest(*model);
  model->layers[0].weights.values[0] += 1;
  CHECK_EQ(topologyDigest(*model), before);
  model->layers[0].weights.columnIndices[0] ^= 1;
  CHECK(topologyDigest(*model) != before);
  model->layers[0].weights.columnIndices[0] ^= 1;
  --model->layers[1].weights.rowPointers[1];
  CHECK(topologyDigest(*model) != before);
  NetworkDefinition definition = smallNetwork();
  definition.seed = 43;
  CHECK(topologyDigest(*created(definition)) != before);
}

TEST("a layer without bias has none") {
  NetworkDefinition definition = smallNetwork();
  for (LayerDefinition& layer : definition.layers) layer.bias = false;
  const Ref<Model> model = created(definition);
  for (const LayerState& layer : model->layers) CHECK(layer.bias.empty());
  CHECK(validateModel(*model).ok());
}

TEST("the request alone decides whether a layer evolves") {
  LayerDefinition layer = layerOf(LayerKind::Sparse, 40, 60);
  CHECK(isEvolved(layer));
  layer.kind = LayerKind::Masked;
  CHECK(isEvolved(layer));
  layer.kind = LayerKind::Dense;
  CHECK(!isEvolved(layer));
  layer.kind = LayerKind::Sparse;
  layer.evolve = false;
  CHECK(!isEvolved(layer));
  layer.evolve = true;
  layer.budget.epsilon = 24;  // 2400 of 2400 cells
  CHECK(!isEvolved(layer));
  layer.budget.epsilon = 23.9;
  CHECK(isEvolved(layer));
  layer.budget.density = 1;
  CHECK(!isEvolved(layer));
  layer.budget.density = 0.9999;  // rounds to all
  CHECK(!isEvolved(layer));
  layer.budget.connections = 2399;
  CHECK(isEvolved(layer));
  layer.budget.connections = 2400;
  CHECK(!isEvolved(layer));
}

TEST("a layer that is given has its matrix and bias as they are, and the others what the seed draws") {
  NetworkDefinition definition = smallNetwork();
  const Ref<Model> drawn = created(definition);
  LayerDefinition& first = definition.layers[0];
  CsrMatrix weights = drawn->layers[0].weights;
  weights.values[1] = -0.0f;
  weights.values[2] = 1.5f;
  const std::vector<float> bias(first.units, 0.25f);
  first.budget.connections = static_cast<int64_t>(weights.count());
  std::vector<GivenLayer> given(definition.layers.size());
  given[0] = {&weights, bias};
  Ref<Model> model;
  CHECK(createModel(definition, {}, &model, given).ok());
  CHECK(model->layers[0].weights.rowPointers == weights.rowPointers);
  CHECK(model->layers[0].weights.columnIndices == weights.columnIndices);
  CHECK(std::memcmp(model->layers[0].weights.values.data(), weights.values.data(), 4 * weights.count()) == 0);
  CHECK(model->layers[0].bias == bias);
  for (size_t i = 1; i < model->layers.size(); ++i)
    CHECK(model->layers[i].weights.values == drawn->layers[i].weights.values);
  CHECK(validateModel(*model).ok());
  CHECK_EQ(topologyDigest(*model), topologyDigest(*drawn));

  given[0].bias = {};
  CHECK(createModel(definition, {}, &model, given).ok());
  CHECK(model->layers[0].bias == std::vector<float>(first.units, 0.0f));
}

TEST("a given layer that does not fit its definition is refused") {
  const NetworkDefinition definition = smallNetwork();
  const CsrMatrix fitting = created(definition)->layers[0].weights;
  const int64_t count = static_cast<int64_t>(fitting.count());
  const auto refusesGiven = [&](CsrMatrix weights, int64_t connections, std::vector<float> bias, Code code,
                                const std::string& message, LayerKind kind = LayerKind::Sparse) {
    NetworkDefinition changed = definition;
    changed.layers[0].budget.connections = connections;
    changed.layers[0].kind = kind;
    std::vector<GivenLayer> given(changed.layers.size());
    given[0] = {&weights, bias};
    Ref<Model> model;
    const Status status = createModel(changed, {}, &model, given);
    CHECK(status.code() == code);
    if (status.message().find(message) == std::string::npos) FAIL(status.message());
    CHECK(!model);
  };
  const uint64_t units = definition.layers[0].units;
  CsrMatrix wide = fitting;
  ++wide.columns;
  refusesGiven(wide, count, {}, Code::Shape, "layers[0]: weights is ");
  refusesGiven(fitting, count - 1, {}, Code::Shape, "but the layer is said to have " + std::to_string(count - 1));
  refusesGiven(fitting, count, {1}, Code::Shape, "bias has 1 elements, but needs " + std::to_string(units));
  std::vector<float> bias(units, 0.0f);
  bias[1] = std::numeric_limits<float>::quiet_NaN();
  refusesGiven(fitting, count, bias, Code::Nonfinite, "bias[1] is NaN");
  refusesGiven(fitting, count, {}, Code::Option, "dense", LayerKind::Dense);
  refusesGiven(fitting, int64_t{1} << 50, {}, Code::Option, "layers[0].connections must be at most ");
}

TEST("sizes out of range are refused by the layer's name") {
  refuses([](auto& d) { d.inputs = 0; }, Code::Option, "inputs must be from 1 to 4294967295, but is 0");
  refuses([](auto& d) { d.inputs = kMaxColumns + 1; }, Code::Option, "but is 4294967296");
  refuses([](auto& d) { d.layers[1].units = 0; }, Code::Option, "layers[1].units must be from 1");
  refuses([](auto& d) { d.layers[2].units = kMaxColumns + 1; }, Code::Option, "layers[2].units");
  refuses([](auto& d) { d.layers[1].inputs = 0; }, Code::Option, "layers[1].inputs");
  refuses([](auto& d) { d.layers[1].inputs = 61; }, Code::Shape,
          "layers[1].inputs is 61, but what comes before has 60");
  refuses([](auto& d) { d.layers[0].inputs = 41; }, Code::Shape, "layers[0].inputs is 41");
  refuses([](auto& d) { d.layers.clear(); }, Code::Option, "at least one layer");
  refuses([](auto& d) { d.layers.resize(65537); }, Code::Option, "at most 65536 layers, but this one has 65537");
  refuses(
      [](auto& d) {
        d.layers[0].units = d.layers[1].inputs = kMaxColumns;
        d.layers[1].units = kMaxColumns;
      },
      Code::Option, "layers[1] has 4294967295 inputs and 4294967295 units");
}

TEST("options out of range are refused by the layer's name") {
  refuses([](auto& d) { d.layers[1].kind = static_cast<LayerKind>(9); }, Code::Option, "layers[1] is of no known kind");
  refuses([](auto& d) { d.layers[1].draw = static_cast<Draw>(-1); }, Code::Option, "layers[1].draw");
  refuses([](auto& d) { d.layers[0].budget.epsilon = 0; }, Code::Option, "layers[0].epsilon must be above 0");
  refuses([](auto& d) { d.layers[0].budget.epsilon = kNan; }, Code::Option, "layers[0].epsilon");
  refuses([](auto& d) { d.layers[0].budget.epsilon = INFINITY; }, Code::Option, "layers[0].epsilon");
  refuses([](auto& d) { d.layers[0].budget.density = 1.5; }, Code::Option, "layers[0].density must be from 0 to 1");
  refuses([](auto& d) { d.layers[0].budget.density = kNan; }, Code::Option, "layers[0].density");
  refuses([](auto& d) { d.layers[0].zeta = 1.5; }, Code::Option, "layers[0].zeta");
  refuses([](auto& d) { d.layers[0].zeta = kNan; }, Code::Option, "layers[0].zeta");
  refuses([](auto& d) { d.layers[2].dropout = 1; }, Code::Option, "layers[2].dropout must be at least 0 and below 1");
  refuses([](auto& d) { d.layers[2].dropout = -0.1; }, Code::Option, "layers[2].dropout");
  refuses([](auto& d) { d.layers[2].dropout = kNan; }, Code::Option, "layers[2].dropout");
  refuses([](auto& d) { d.layers[2].activation.rule = 99; }, Code::Option, "layers[2].activation is number 99");
  refuses([](auto& d) { d.layers[2].initializer.rule = -1; }, Code::Option, "layers[2].initializer is number -1");
  refuses(
      [](auto& d) {
        d.layers[2].initializer = initializer("normal");
        d.layers[2].initializer.parameters[0] = 0;
      },
      Code::Option, "layers[2].initializer 'normal': sigma must be above");
}

TEST("what memory cannot hold is refused before it is asked for, by the layer's name") {
  const auto widen = [](NetworkDefinition& d, LayerKind kind) {
    d.layers[0].units = d.layers[1].inputs = 1u << 31;
    d.layers[0].budget.density = 1e-12;
    d.layers[0].bias = false;
    d.layers[0].units = d.layers[1].inputs = 3000000;
    d.layers[1].kind = kind;
    d.layers[1].units = d.layers[2].inputs = 4000000000u;
    d.layers[1].budget.density = 0.5;
  };
  refuses([&](auto& d) { widen(d, LayerKind::Sparse); }, Code::Memory, "layers[1]: the 6000000000000000 connections");
  refuses([&](auto& d) { widen(d, LayerKind::Dense); }, Code::Memory,
          "layers[1]: a dense layer of 3000000 x 4000000000");
}

TEST("scaling that does not fit is refused") {
  const auto none = [](NetworkDefinition&) {};
  using Kind = Scaling::Kind;
  Scaling unknown;
  unknown.kind = Kind::Given;
  refuses(none, Code::Option, "mean and scale are missing", unknown);
  unknown.kind = static_cast<Kind>(7);
  refuses(none, Code::Option, "scaling is of no known kind", unknown);
  refuses(none, Code::Shape, "scaling.mean has 3 elements", scalingOf(Kind::PerFeature, {1, 2, 3}, {1, 2, 3}));
  refuses(none, Code::Shape, "scaling.scale has 2 elements", scalingOf(Kind::Global, {1}, {1, 2}));
  refuses(none, Code::Shape, "scaling.mean has 40 elements and scaling.scale 1",
          scalingOf(Kind::Given, std::vector<float>(40), {1}));
  refuses(none, Code::Nonfinite, "scaling.mean[0] is NaN", scalingOf(Kind::Global, {kNan}, {1}));
  refuses(none, Code::Nonfinite, "scaling.scale[0] is infinite", scalingOf(Kind::Global, {0}, {INFINITY}));
  for (const Scaling& good : {scalingOf(Kind::Global, {1}, {2}), scalingOf(Kind::Given, {1}, {2}),
                              scalingOf(Kind::PerFeature, std::vector<float>(40), std::vector<float>(40))}) {
    Ref<Model> model;
    CHECK(createModel(smallNetwork(), good, &model).ok());
    CHECK(validateModel(*model).ok());
  }
}

TEST("a model whose parts do not fit together is found out by name") {
  finds([](Model& m) { m.definition.layers[0].units = 0; }, Code::Option, "layers[0].units");
  finds([](Model& m) { m.scaling.kind = Scaling::Kind::Given; }, Code::Option, "scaling");
  finds([](Model& m) { m.loss = 99; }, Code::Option, "the loss is number 99");
  finds([](Model& m) { m.loss = -2; }, Code::Option, "the loss is number -2");
  finds([](Model& m) { m.layers.pop_back(); }, Code::Shape, "there are 2 layers, but 3 are defined");
  finds([](Model& m) { m.layers[1].weights.rows = 51; }, Code::Shape, "layers[1].weights is 51 x 60");
  finds([](Model& m) { m.layers[1].weights.columnIndices[0] = 60; }, Code::Data,
        "layers[1].weights: column 60 in row 0");
  finds([](Model& m) { m.layers[1].weights.values[9] = kNan; }, Code::Nonfinite, "layers[1].weights: the value in row");
  finds([](Model& m) { m.layers[2].weights.rowPointers = {0}; }, Code::Shape, "layers[2].weights has a topology");
  finds([](Model& m) { m.layers[2].weights.values.pop_back(); }, Code::Shape, "layers[2].weights has 499 elements");
  finds([](Model& m) { m.layers[2].weights.values[9] = INFINITY; }, Code::Nonfinite,
        "layers[2].weights[9] is infinite");
  finds([](Model& m) { m.layers[0].bias.clear(); }, Code::Shape, "layers[0].bias has 0 elements, but needs 60");
  finds([](Model& m) { m.definition.layers[0].bias = false; }, Code::Shape, "layers[0].bias has 60 elements");
  finds([](Model& m) { m.layers[0].bias[3] = kNan; }, Code::Nonfinite, "layers[0].bias[3] is NaN");
  finds([](Model& m) { m.layers[0].weightState.resize(4); }, Code::Shape, "layers[0].weightState has 4 buffers");
  finds([](Model& m) { m.layers[0].weightState.resize(1); }, Code::Shape, "layers[0].weightState[0] has 0 elements");
  finds([](Model& m) { m.layers[0].biasState = {std::vector<float>(59)}; }, Code::Shape, "layers[0].biasState[0]");
  finds([](Model& m) { m.layers[0].biasState = {std::vector<float>(60, kNan)}; }, Code::Nonfinite,
        "layers[0].biasState[0][0] is NaN");
  finds([](Model& m) { m.layers[0].activationParameters = {1}; }, Code::Shape,
        "layers[0].activationParameters has 1 elements, but needs 0");
  finds([](Model& m) { m.layers[0].activationState = {{1}}; }, Code::Shape, "layers[0].activationState[0]");
  const auto learns = [](Model& m) {
    m.definition.layers[0].activation.rule = rules::findRule(rules::kActivations, "srelu");
    m.layers[0].activationParameters.resize(240);
  };
  finds([&](Model& m) { learns(m), m.layers[0].activationParameters.pop_back(); }, Code::Shape,
        "layers[0].activationParameters has 239 elements, but needs 240");
  finds([&](Model& m) { learns(m), m.layers[0].activationParameters[7] = kNan; }, Code::Nonfinite,
        "layers[0].activationParameters[7] is NaN");
  finds([&](Model& m) { learns(m), m.layers[0].activationState = {std::vector<float>(60)}; }, Code::Shape,
        "layers[0].activationState[0] has 60 elements, but needs 240");
  finds([&](Model& m) { learns(m), m.layers[0].activationState = {std::vector<float>(240, kNan)}; }, Code::Nonfinite,
        "layers[0].activationState[0][0] is NaN");
}

TEST("a unit's activation parameters start from the seed, to the bit") {
  NetworkDefinition definition = smallNetwork();
  const int srelu = rules::findRule(rules::kActivations, "srelu");
  for (size_t l : {1, 2}) definition.layers[l].activation.rule = srelu;
  const Ref<Model> model = created(definition);
  CHECK(validateModel(*model).ok());
  CHECK(model->layers[0].activationParameters.empty());
  for (uint32_t l : {1u, 2u}) {
    const std::vector<float>& p = model->layers[l].activationParameters;
    const uint64_t units = definition.layers[l].units;
    REQUIRE(p.size() == 4 * units && model->layers[l].activationState.empty());
    for (uint64_t u = 0; u < units; ++u) {
      const PhiloxBlock block = RandomStream{42, Purpose::ActivationParameters, l, 0}.block(u);
      CHECK_EQ(bitsOf(p[u]), 0u);
      CHECK_EQ(p[units + u], static_cast<float>(block.word[1] >> 8) / 16777216.0f);
      CHECK_EQ(p[2 * units + u], static_cast<float>(block.word[2] >> 8) * (5.0f / 16777216.0f));
      CHECK_EQ(p[3 * units + u], 1.0f);
    }
  }
  // Nothing else is drawn otherwise.
  const Ref<Model> plain = created(smallNetwork());
  CHECK_EQ(topologyDigest(*model), topologyDigest(*plain));
  for (size_t l = 0; l < 3; ++l) CHECK(model->layers[l].weights.values == plain->layers[l].weights.values);
}

TEST("activation parameters start uniform between their limits") {
  NetworkDefinition definition = smallNetwork();
  definition.layers = {layerOf(LayerKind::Sparse, 40, 200000)};
  definition.layers[0].activation.rule = rules::findRule(rules::kActivations, "srelu");
  definition.layers[0].budget.epsilon = 1e-4;
  const Ref<Model> model = created(definition);
  const std::vector<float>& p = model->layers[0].activationParameters;
  const size_t units = 200000;
  for (const auto& [parameter, high] : {std::pair<size_t, double>{1, 1}, {2, 5}}) {
    double sum = 0, squares = 0, lowest = high, highest = 0;
    for (size_t u = 0; u < units; ++u) {
      const double x = p[parameter * units + u];
      sum += x;
      squares += x * x;
      lowest = std::min(lowest, x);
      highest = std::max(highest, x);
    }
    CHECK_NEAR(sum / units / high, 0.5, 4.5 * std::sqrt(1.0 / 12 / units));
    CHECK_NEAR(squares / units / (high * high), 1.0 / 3, 4.5 * std::sqrt(4.0 / 45 / units));
    CHECK(lowest >= 0 && lowest < 1e-4 * high && highest <= high && highest > 0.9999 * high);
  }
}

TEST("optimizer state of the right shape is part of a valid model") {
  Ref<Model> model = created(smallNetwork());
  for (size_t l = 0; l < 3; ++l) {
    model->layers[l].weightState = {std::vector<float>(connectionsOf(model->layers[l]))};
    model->layers[l].biasState = {std::vector<float>(model->layers[l].bias.size())};
  }
  CHECK(validateModel(*model).ok());
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
