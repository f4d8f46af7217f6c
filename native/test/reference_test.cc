// The reference is what everything else is compared with, so it is checked against mathematics: its gradients against
// finite differences of its own loss, its optimizer and dropout against formulas written out here.
#include "reference/backend.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/philox.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

constexpr LayerKind kKinds[] = {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense};

std::unique_ptr<backend::Engine> engineOf(const core::Model& model, const backend::TrainingRules& rules) {
  std::unique_ptr<backend::Engine> engine;
  CHECK_OK(reference::backend().createEngine(model, rules, backend::EngineOptions(), &engine));
  return engine;
}

Ref<core::Model> exported(const core::Model& model, const backend::Engine& engine, bool withState = true) {
  Ref<core::Model> copy = copyOf(model);
  CHECK_OK(engine.exportLayers(copy.get(), withState));
  return copy;
}

// The mean loss of one step that changes nothing.
double meanLoss(const core::Model& model, const Samples& samples, uint64_t step) {
  backend::StepResult result;
  CHECK_OK(engineOf(model, sgd())->step(samples.rows(), samples.targets(), at(step, 0), &result));
  return result.lossSum / static_cast<double>(samples.count());
}

// Without momentum and weight decay the velocity after one step is the gradient.
Ref<core::Model> gradientsOf(const core::Model& model, const Samples& samples, uint64_t step) {
  std::unique_ptr<backend::Engine> engine = engineOf(model, sgd());
  backend::StepResult result;
  CHECK_OK(engine->step(samples.rows(), samples.targets(), at(step, 0), &result));
  return exported(model, *engine);
}

// In double, central differences with this step err by about 1e-10: the square of it (6e-11) times a third derivative,
// and the loss's rounding (2e-16) divided by it. It is a power of two, and so are the weights' grid and spacing.
constexpr double kDifference = 1.0 / (1 << 17);

void checkArray(const core::Model& model, const Samples& samples, uint64_t step, const std::vector<float>& gradient,
                const std::function<std::vector<float>&(core::Model&)>& parameters) {
  Ref<core::Model> moved = copyOf(model);
  std::vector<float>& values = parameters(*moved);
  REQUIRE(gradient.size() == values.size());
  double norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    values[i] = static_cast<float>(value + kDifference);
    const double above = meanLoss(*moved, samples, step);
    values[i] = static_cast<float>(value - kDifference);
    const double below = meanLoss(*moved, samples, step);
    values[i] = value;
    const double slope = (above - below) / (2 * kDifference);
    // The gradient is read as f32: 6e-8 of its size.
    CHECK_NEAR(gradient[i], slope, 1e-7 * std::fabs(slope) + 2e-9);
    norm += slope * slope;
  }
  CHECK(values.empty() || norm > 1e-8);  // else there was nothing to compare
}

void checkGradients(const core::NetworkDefinition& definition, uint64_t seed) {
  Random random(seed);
  const uint64_t step = 3;
  Ref<core::Model> model = randomModel(definition, random, false, kDifference);
  REQUIRE_OK(core::validateModel(*model));
  Samples samples = randomSamples(5, definition.inputs, definition.layers.back().units, random);
  REQUIRE(keepFromKinks(*model, step, 1e-3, &samples, random));
  Ref<core::Model> gradients = gradientsOf(*model, samples, step);
  for (size_t l = 0; l < model->layers.size(); ++l) {
    REQUIRE(gradients->layers[l].weightState.size() == 1);
    REQUIRE(gradients->layers[l].biasState.size() == 1);
    checkArray(*model, samples, step, gradients->layers[l].weightState[0],
               [l](core::Model& m) -> std::vector<float>& { return m.layers[l].weights.values; });
    checkArray(*model, samples, step, gradients->layers[l].biasState[0],
               [l](core::Model& m) -> std::vector<float>& { return m.layers[l].bias; });
    REQUIRE(gradients->layers[l].activationState.size() == 1);
    checkArray(*model, samples, step, gradients->layers[l].activationState[0],
               [l](core::Model& m) -> std::vector<float>& { return m.layers[l].activationParameters; });
  }
}

TEST("gradients equal finite differences of the loss: every activation, kind, bias and dropout") {
  uint64_t seed = 100;
  for (size_t activation = 0; activation < std::size(rules::kActivations); ++activation)
    for (LayerKind kind : kKinds)
      for (bool bias : {true, false})
        for (double dropout : {0.0, 0.3}) {
          const Activation rule = static_cast<Activation>(activation);
          checkGradients(
              networkOf(6, {layerOf(kind, 9, rule, 0.5, dropout, bias), layerOf(kind, 7, rule, 0.6, dropout, bias),
                            layerOf(kind, 4, Activation::Linear, 0.8, 0, bias)}),
              ++seed);
        }
}

TEST("gradients equal finite differences where the last layer has dropout and an activation") {
  checkGradients(networkOf(6, {layerOf(LayerKind::Sparse, 8, Activation::Relu, 0.6),
                               layerOf(LayerKind::Masked, 5, Activation::Relu, 0.8, 0.25)}),
                 200);
}

TEST("gradients equal finite differences in a network of one layer") {
  checkGradients(networkOf(7, {layerOf(LayerKind::Dense, 3, Activation::Linear)}), 201);
}

TEST("srelu bends at its thresholds, and moves them, as its formula says") {
  // One unit after the other: t_l = -1, a_l = 0.25, p = -3 (so t_r = 2), a_r = 0.5.
  core::NetworkDefinition definition = networkOf(1, {layerOf(LayerKind::Dense, 2, Activation::Srelu)});
  Random random(2);
  Ref<core::Model> model = randomModel(definition, random);
  model->layers[0].weights.values = {1, 0};
  model->layers[0].bias = {0, 0};
  model->layers[0].activationParameters = {-1, -1, 0.25f, 0.25f, -3, -3, 0.5f, 0.5f};
  struct Case {
    float x;
    double y, slope, parameters[4];  // dy / d(t_l, a_l, p, a_r)
  };
  const Case cases[] = {{-3, -1.5, 0.25, {0.75, -2, 0, 0}},
                        {-1, -1, 0.25, {0.75, 0, 0, 0}},
                        {0.5f, 0.5, 1, {0, 0, 0, 0}},
                        {2, 2, 0.5, {0.5, 0, -0.5, 0}},
                        {6, 4, 0.5, {0.5, 0, -0.5, 4}}};
  for (const Case& c : cases) {
    Samples samples{1, {c.x}, {1}};
    std::vector<float> out(2);
    REQUIRE_OK(engineOf(*model, sgd())->forward(samples.rows(), out));
    CHECK_NEAR(out[0], c.y, 1e-7);
    CHECK_EQ(out[1], 0.0f);
    // Class 1, so that dL / dy of unit 0 is its probability.
    const double dy = 1 / (1 + std::exp(-c.y));
    Ref<core::Model> gradients = gradientsOf(*model, samples, 0);
    CHECK_NEAR(gradients->layers[0].biasState[0][0], dy * c.slope, 1e-6);
    for (size_t i = 0; i < 4; ++i)
      CHECK_NEAR(gradients->layers[0].activationState[0][2 * i], dy * c.parameters[i], 1e-6);
  }
}

TEST("srelu with equal thresholds is right of them where it meets them") {
  core::NetworkDefinition definition = networkOf(1, {layerOf(LayerKind::Dense, 2, Activation::Srelu)});
  Random random(3);
  Ref<core::Model> model = randomModel(definition, random);
  model->layers[0].weights.values = {1, 0};
  model->layers[0].bias = {0, 0};
  model->layers[0].activationParameters = {1, 1, 0.25f, 0.25f, 0, 0, 0.5f, 0.5f};
  const Ref<core::Model> gradients = gradientsOf(*model, Samples{1, {1}, {1}}, 0);
  const double dy = 1 / (1 + std::exp(-0.25));  // outputs 1 and 0.75
  CHECK_NEAR(gradients->layers[0].biasState[0][0], 0.5 * dy, 1e-6);
  const std::vector<float>& moved = gradients->layers[0].activationState[0];
  CHECK_NEAR(moved[0], 0.5 * dy, 1e-6);
  for (size_t i : {2, 4, 6}) CHECK_EQ(moved[i], 0.0f);
}

TEST("a hand-computed step: loss, accuracy, gradients, weights") {
  // One linear unit pair, x = (1, 2), W = ((1, 0), (0, 1)), b = 0: logits (1, 2), class 0.
  core::NetworkDefinition definition = networkOf(2, {layerOf(LayerKind::Dense, 2, Activation::Linear)});
  Random random(1);
  Ref<core::Model> model = randomModel(definition, random);
  model->layers[0].weights.values = {1, 0, 0, 1};
  model->layers[0].bias = {0, 0};
  Samples samples{2, {1, 2}, {0}};
  std::unique_ptr<backend::Engine> engine = engineOf(*model, sgd());
  backend::StepResult result;
  REQUIRE_OK(engine->step(samples.rows(), samples.targets(), at(0, 0.5), &result));
  CHECK_NEAR(result.lossSum, 1.3132616875182228, 1e-14);  // log(1 + e)
  CHECK_EQ(result.correct, 0);
  const double p = 1 / (1 + std::exp(1.0));  // of class 0
  const std::vector<double> gradient = {p - 1, 2 * (p - 1), 1 - p, 2 * (1 - p)};
  Ref<core::Model> after = exported(*model, *engine);
  for (size_t k = 0; k < 4; ++k) {
    CHECK_NEAR(after->layers[0].weightState[0][k], gradient[k], 1e-7);
    CHECK_NEAR(after->layers[0].weights.values[k], model->layers[0].weights.values[k] - 0.5 * gradient[k], 1e-7);
  }
  CHECK_NEAR(after->layers[0].bias[1], -0.5 * (1 - p), 1e-7);
}

TEST("equal outputs count as the lower class") {
  core::NetworkDefinition definition = networkOf(1, {layerOf(LayerKind::Sparse, 3, Activation::Linear, 0)});
  Random random(1);
  Ref<core::Model> model = randomModel(definition, random);  // no connection at all
  model->layers[0].bias = {1, 2, 2};
  Samples samples{1, {0, 0, 0, 0}, {0, 1, 2, 1}};
  backend::StepResult result;
  REQUIRE_OK(engineOf(*model, sgd())->step(samples.rows(), samples.targets(), at(0, 0), &result));
  CHECK_EQ(result.correct, 2);
}

TEST("momentum, Nesterov, weight decay and its bias switch follow the formulas") {
  for (bool nesterov : {false, true})
    for (bool decayBias : {false, true}) {
      Random random(7);
      Ref<core::Model> model = randomModel(networkOf(3, {layerOf(LayerKind::Dense, 2, Activation::Linear)}), random);
      Samples samples = randomSamples(4, 3, 2, random);
      const double mu = 0.75, decay = 0.125, rate = 0.25;  // exact in f32
      std::unique_ptr<backend::Engine> engine = engineOf(*model, sgd(mu, decay, nesterov, decayBias));
      Ref<core::Model> before = copyOf(*model);
      std::vector<double> velocity(6, 0), biasVelocity(2, 0);
      for (uint64_t step = 0; step < 3; ++step) {
        // What the data ask for at the present weights.
        Ref<core::Model> plain = gradientsOf(*before, samples, step);
        backend::StepResult result;
        REQUIRE_OK(engine->step(samples.rows(), samples.targets(), at(step, rate), &result));
        Ref<core::Model> after = exported(*model, *engine);
        const auto check = [&](float w, float g0, double wd, double* v, float now) {
          const double g = g0 + wd * w;
          *v = mu * *v + g;
          CHECK_NEAR(now, w - rate * (nesterov ? g + mu * *v : *v), 1e-6);
        };
        for (size_t k = 0; k < 6; ++k)
          check(before->layers[0].weights.values[k], plain->layers[0].weightState[0][k], decay, &velocity[k],
                after->layers[0].weights.values[k]);
        for (size_t u = 0; u < 2; ++u)
          check(before->layers[0].bias[u], plain->layers[0].biasState[0][u], decayBias ? decay : 0, &biasVelocity[u],
                after->layers[0].bias[u]);
        before = after;
      }
    }
}

TEST("dropout drops by the 16-bit halves of Philox and scales the survivors") {
  const uint64_t units = 37, seed = 0x123456789ABCDEF, step = 5;
  const double rate = 0.3;
  core::NetworkDefinition definition = networkOf(1,
                                                 {layerOf(LayerKind::Sparse, units, Activation::Linear, 0, rate),
                                                  layerOf(LayerKind::Dense, units, Activation::Linear, 1, rate)},
                                                 seed);
  Random random(3);
  Ref<core::Model> model = randomModel(definition, random);
  for (size_t l = 0; l < 2; ++l) model->layers[l].bias.assign(units, 1);
  model->layers[1].weights.values.assign(units * units, 0);
  reference::Network network(*model, 0);
  const uint32_t threshold = 19661;  // round(0.3 * 65536) = round(19660.8)
  for (uint64_t position : {0, 1, 69}) {
    reference::Trace trace;
    trace.x = {0};
    network.forward(&step, position, &trace);
    for (uint32_t layer = 0; layer < 2; ++layer)
      for (uint64_t unit = 0; unit < units; ++unit) {
        const PhiloxBlock block = philox4x32({{static_cast<uint32_t>(unit / 8), 4u | layer << 8,
                                               static_cast<uint32_t>(position), static_cast<uint32_t>(step)}},
                                             0x89ABCDEF, 0x01234567);
        const uint32_t word = block.word[unit % 8 / 2];
        const uint32_t half = unit % 2 ? word >> 16 : word & 0xFFFF;
        const double expected = half < threshold ? 0.0 : double{static_cast<float>(1 / (1 - rate))};
        CHECK_EQ(trace.activities[layer].y[unit], expected);
      }
    network.forward(nullptr, position, &trace);
    for (uint64_t unit = 0; unit < units; ++unit) CHECK_EQ(trace.activities[0].y[unit], 1.0);
  }
}

TEST("the dropout rate is rounded to 1/65536, half up") {
  const uint64_t step = 0;
  const PhiloxBlock block = philox4x32({{0, 4, 0, 0}}, 9, 0);
  const uint32_t half = block.word[0] & 0xFFFF;  // decides about unit 0
  for (double above : {0.4, 0.6}) {
    core::NetworkDefinition definition =
        networkOf(1, {layerOf(LayerKind::Sparse, 1, Activation::Linear, 0, (half + above) / 65536)}, 9);
    Random random(4);
    Ref<core::Model> model = randomModel(definition, random);
    model->layers[0].bias = {1};
    reference::Trace trace;
    trace.x = {0};
    reference::Network(*model, 0).forward(&step, 0, &trace);
    CHECK_EQ(trace.outputs()[0] == 0, above > 0.5);
  }
}

TEST("features of every data type are scaled with two roundings, missing ones become 0") {
  Random random(11);
  Ref<core::Model> model = randomModel(networkOf(3, {layerOf(LayerKind::Dense, 3, Activation::Linear)}), random);
  model->layers[0].weights.values = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  model->layers[0].bias = {0, 0, 0};
  model->scaling.kind = core::Scaling::Kind::PerFeature;
  model->scaling.mean = {0.1f, 3, -2};
  model->scaling.scale = {3.3f, 0.7f, 0};
  model->scaling.hasMissing = true;
  model->scaling.missing = 7;
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(reference::backend().createPredictor(model, backend::PredictorOptions(), &predictor));
  const auto check = [&](const auto* data, backend::DataType type) {
    backend::RowSet rows;
    rows.matrix = {data, type, 2, 3};
    const uint64_t indices[] = {1};
    rows.indices = indices;
    rows.count = 1;
    std::vector<float> out(3);
    REQUIRE_OK(predictor->predict(rows, backend::Output::Raw, out));
    const float centred = static_cast<float>(data[3]) - 0.1f;
    CHECK_EQ(out[0], centred * 3.3f);
    CHECK_EQ(out[1], 0.0f);  // missing
    CHECK_EQ(out[2], 0.0f);  // scale 0
  };
  const float f32[] = {0, 0, 0, 1.7f, 7, 9};
  const double f64[] = {0, 0, 0, 1.7, 7, 9};
  const uint8_t u8[] = {0, 0, 0, 200, 7, 9};
  const int8_t i8[] = {0, 0, 0, -100, 7, 9};
  const uint16_t u16[] = {0, 0, 0, 60000, 7, 9};
  const int16_t i16[] = {0, 0, 0, -30000, 7, 9};
  check(f32, backend::DataType::Float32);
  check(f64, backend::DataType::Float64);
  check(u8, backend::DataType::Uint8);
  check(i8, backend::DataType::Int8);
  check(u16, backend::DataType::Uint16);
  check(i16, backend::DataType::Int16);
}

TEST("NaN is an unknown value where the scaling says so, and refused where it does not") {
  Random random(12);
  Ref<core::Model> model = randomModel(networkOf(2, {layerOf(LayerKind::Dense, 2, Activation::Linear)}), random);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Samples samples{2, {0, 0, 0, 0, 1, nan}, {0, 0, 1}};
  std::unique_ptr<backend::Engine> engine = engineOf(*model, sgd());
  backend::StepResult result;
  const Status refused = engine->step(samples.rows(1, 2), samples.targets(1), at(0, 1), &result);
  CHECK_EQ(refused.code(), Code::Nonfinite);
  CHECK(refused.message().find("row 2, column 1") != std::string::npos);
  Ref<core::Model> unchanged = exported(*model, *engine, false);
  CHECK_EQ(firstDifference(*unchanged, *model), "");

  model->scaling.hasMissing = true;
  model->scaling.missing = nan;
  CHECK_OK(engineOf(*model, sgd())->step(samples.rows(), samples.targets(), at(0, 1), &result));
  samples.x[0] = std::numeric_limits<float>::infinity();
  CHECK_EQ(engineOf(*model, sgd())->step(samples.rows(), samples.targets(), at(0, 1), &result).code(), Code::Nonfinite);
}

TEST("sparse and masked are the same network through steps, evolutions and the final removal") {
  Random random(21);
  core::NetworkDefinition definition = networkOf(12, {layerOf(LayerKind::Sparse, 15, Activation::Relu, 0.3, 0.2),
                                                      layerOf(LayerKind::Sparse, 11, Activation::Relu, 0.3, 0.2, false),
                                                      layerOf(LayerKind::Dense, 4, Activation::Linear)});
  Ref<core::Model> sparse = randomModel(definition, random, true);
  Ref<core::Model> masked = withKind(*sparse, LayerKind::Sparse, LayerKind::Masked);
  std::unique_ptr<backend::Engine> a = engineOf(*sparse, sgd(0.9, 1e-3));
  std::unique_ptr<backend::Engine> b = engineOf(*masked, sgd(0.9, 1e-3));
  Samples samples = randomSamples(40, 12, 4, random);
  for (uint64_t step = 0; step < 8; ++step) {
    backend::StepResult first, second;
    const uint64_t from = step * 5;
    REQUIRE_OK(a->step(samples.rows(from, 5), samples.targets(from), at(step, 0.1), &first));
    REQUIRE_OK(b->step(samples.rows(from, 5), samples.targets(from), at(step, 0.1), &second));
    CHECK_EQ(first.lossSum, second.lossSum);
    if (step % 3 == 2) {
      std::vector<core::LayerEvolutionReport> reports, others;
      const backend::EvolutionSettings settings = evolutionOf(0.3, step / 3 + 1, step != 5);
      REQUIRE_OK(a->evolve(settings, &reports));
      REQUIRE_OK(b->evolve(settings, &others));
      REQUIRE(reports.size() == 3 && others.size() == 3);
      CHECK(reports[0].grown > 0 || step == 5);
      CHECK_EQ(reports[0].grown, others[0].grown);
      CHECK_EQ(reports[2].connections, 44);
    }
    CHECK_EQ(firstDifference(*exported(*sparse, *a), *exported(*masked, *b)), "");
  }
}

TEST("evolution keeps weight and velocity of survivors and starts newcomers at 0") {
  Random random(31);
  Ref<core::Model> model = randomModel(networkOf(10, {layerOf(LayerKind::Masked, 10, Activation::Relu, 0.4),
                                                      layerOf(LayerKind::Dense, 3, Activation::Linear)}),
                                       random);
  model->layers[0].weights.values[0] = 0;  // an exact zero always goes
  Samples samples = randomSamples(6, 10, 3, random);
  std::unique_ptr<backend::Engine> engine = engineOf(*model, sgd(0.9));
  backend::StepResult result;
  REQUIRE_OK(engine->step(samples.rows(), samples.targets(), at(0, 0), &result));
  Ref<core::Model> before = exported(*model, *engine);
  std::vector<core::LayerEvolutionReport> reports;
  REQUIRE_OK(engine->evolve(evolutionOf(0.5), &reports));
  Ref<core::Model> after = exported(*model, *engine);
  CHECK_EQ(reports[0].prunedZero, 1);
  CHECK_EQ(reports[0].grown, reports[0].prunedPositive + reports[0].prunedNegative + reports[0].prunedZero);
  CHECK_EQ(core::connectionsOf(after->layers[0]), core::connectionsOf(before->layers[0]));
  const auto at = [](const core::CsrMatrix& m, const std::vector<float>& values, uint64_t cell) {
    const std::vector<uint64_t> cells = core::cellsOf(m);
    const auto found = std::lower_bound(cells.begin(), cells.end(), cell);
    if (found == cells.end() || *found != cell) return std::numeric_limits<float>::infinity();
    return values[found - cells.begin()];
  };
  uint64_t newcomers = 0;
  const core::LayerState& now = after->layers[0];
  const core::LayerState& then = before->layers[0];
  for (uint64_t cell : core::cellsOf(now.weights)) {
    const float weight = at(now.weights, now.weights.values, cell);
    const float velocity = at(now.weights, now.weightState[0], cell);
    if (weight == 0) {
      ++newcomers;
      CHECK_EQ(velocity, 0.0f);
    } else {
      CHECK_EQ(weight, at(then.weights, then.weights.values, cell));
      CHECK_EQ(velocity, at(then.weights, then.weightState[0], cell));
    }
  }
  CHECK_EQ(newcomers, reports[0].grown);
  CHECK_EQ(firstDifference(*after, *exported(*after, *engineOf(*after, sgd(0.9)))), "");
}

TEST("a layer's own zeta follows the course of the network's, also where that is 0") {
  Random random(32);
  core::NetworkDefinition definition = networkOf(
      20, {layerOf(LayerKind::Sparse, 20, Activation::Relu, 0.5), layerOf(LayerKind::Sparse, 20, Activation::Relu, 0.5),
           layerOf(LayerKind::Sparse, 20, Activation::Relu, 0.5)});
  definition.layers[1].zeta = 0.4;
  definition.layers[2].evolve = false;
  Ref<core::Model> model = randomModel(definition, random);
  uint64_t positive = 0;
  for (float w : model->layers[1].weights.values) positive += w > 0;
  std::vector<core::LayerEvolutionReport> reports;
  backend::EvolutionSettings settings = evolutionOf(0.2);
  settings.zeta = 0.1;  // half of the base
  REQUIRE_OK(engineOf(*model, sgd())->evolve(settings, &reports));
  CHECK_EQ(reports[1].prunedPositive, static_cast<uint64_t>(0.2 * positive + 1e-9));
  CHECK_EQ(reports[2].prunedPositive, 0);
  CHECK_EQ(reports[2].connections, core::connectionsOf(model->layers[2]));
  settings.zeta = settings.baseZeta = 0;
  REQUIRE_OK(engineOf(*model, sgd())->evolve(settings, &reports));
  CHECK_EQ(reports[0].prunedPositive, 0);
  CHECK_EQ(reports[1].prunedPositive, static_cast<uint64_t>(0.4 * positive + 1e-9));
}

TEST("a failed evolution of one layer changes no other layer, and checkFinite names the layer") {
  Random random(33);
  Ref<core::Model> model = randomModel(networkOf(6, {layerOf(LayerKind::Sparse, 6, Activation::Relu, 0.5),
                                                     layerOf(LayerKind::Sparse, 6, Activation::Relu, 0.5)}),
                                       random);
  Ref<core::Model> broken = copyOf(*model);
  broken->layers[1].weights.values[2] = std::numeric_limits<float>::infinity();
  std::unique_ptr<backend::Engine> engine = engineOf(*broken, sgd());
  std::vector<core::LayerEvolutionReport> reports;
  CHECK_EQ(engine->evolve(evolutionOf(0.3), &reports).code(), Code::Nonfinite);
  CHECK_EQ(firstDifference(*exported(*broken, *engine, false), *broken), "");
  const Status diverged = engine->checkFinite();
  CHECK_EQ(diverged.code(), Code::Diverged);
  CHECK(diverged.message().find("layers[1]") != std::string::npos);
  CHECK_OK(engineOf(*model, sgd())->checkFinite());
}

TEST("optimizer state goes through a model and training continues as if nothing had happened") {
  Random random(41);
  Ref<core::Model> model = randomModel(networkOf(5, {layerOf(LayerKind::Sparse, 6, Activation::Linear, 0.5),
                                                     layerOf(LayerKind::Dense, 3, Activation::Linear)}),
                                       random);
  Samples samples = randomSamples(4, 5, 3, random);
  std::unique_ptr<backend::Engine> through = engineOf(*model, sgd(0.9));
  backend::StepResult a, b, c;
  REQUIRE_OK(through->step(samples.rows(), samples.targets(), at(0, 0.1), &a));
  Ref<core::Model> kept = exported(*model, *through, true);
  Ref<core::Model> fresh = exported(*model, *through, false);
  CHECK(fresh->layers[0].weightState.empty());
  std::unique_ptr<backend::Engine> resumed = engineOf(*kept, sgd(0.9));
  std::unique_ptr<backend::Engine> restarted = engineOf(*fresh, sgd(0.9));
  for (uint64_t step = 1; step < 3; ++step) {
    REQUIRE_OK(through->step(samples.rows(), samples.targets(), at(step, 0.1), &a));
    REQUIRE_OK(resumed->step(samples.rows(), samples.targets(), at(step, 0.1), &b));
    REQUIRE_OK(restarted->step(samples.rows(), samples.targets(), at(step, 0.1), &c));
  }
  CHECK_NEAR(a.lossSum, b.lossSum, 1e-6);
  CHECK(std::fabs(a.lossSum - c.lossSum) > 1e-4);
}

TEST("probabilities are the softmax of the raw outputs, and forward gives the raw ones") {
  Random random(51);
  Ref<core::Model> model = randomModel(networkOf(5, {layerOf(LayerKind::Sparse, 8, Activation::Relu, 0.5, 0.5),
                                                     layerOf(LayerKind::Dense, 4, Activation::Linear)}),
                                       random);
  Samples samples = randomSamples(3, 5, 4, random);
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(reference::backend().createPredictor(model, backend::PredictorOptions(), &predictor));
  std::vector<float> raw(12), forward(12), answer(12);
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, raw));
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Probabilities, answer));
  REQUIRE_OK(engineOf(*model, sgd())->forward(samples.rows(), forward));
  for (size_t k = 0; k < 3; ++k) {
    double sum = 0;
    for (size_t u = 0; u < 4; ++u) sum += std::exp(double{raw[k * 4 + u]});
    for (size_t u = 0; u < 4; ++u) {
      CHECK_EQ(raw[k * 4 + u], forward[k * 4 + u]);
      CHECK_NEAR(answer[k * 4 + u], std::exp(double{raw[k * 4 + u]}) / sum, 1e-6);
    }
  }
}

TEST("what does not fit is refused with a code") {
  Random random(61);
  Ref<core::Model> model = randomModel(networkOf(3, {layerOf(LayerKind::Dense, 2, Activation::Linear)}), random);
  Samples samples = randomSamples(4, 3, 2, random);
  std::unique_ptr<backend::Engine> engine = engineOf(*model, sgd());
  backend::StepResult result;
  const auto stepCode = [&](const backend::RowSet& rows, const backend::Targets& targets) {
    return engine->step(rows, targets, at(0, 1), &result).code();
  };
  CHECK_EQ(stepCode(samples.rows(2, 3), samples.targets()), Code::Shape);
  backend::RowSet narrow = samples.rows();
  narrow.matrix.columns = 2;
  CHECK_EQ(stepCode(narrow, samples.targets()), Code::Shape);
  CHECK_EQ(stepCode(samples.rows(0, 0), samples.targets()), Code::Data);
  CHECK_EQ(stepCode(samples.rows(), backend::Targets()), Code::Data);
  for (int32_t wrong : {-1, 2}) {
    samples.classes[3] = wrong;
    CHECK_EQ(stepCode(samples.rows(), samples.targets()), Code::Data);
  }
  CHECK_EQ(firstDifference(*exported(*model, *engine, false), *model), "");
  std::vector<float> small(7);
  CHECK_EQ(engine->forward(samples.rows(), small).code(), Code::Shape);

  model->loss = -1;
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(reference::backend().createPredictor(model, backend::PredictorOptions(), &predictor));
  std::vector<float> out(8);
  CHECK_EQ(predictor->predict(samples.rows(), backend::Output::Probabilities, out).code(), Code::State);
  CHECK_OK(predictor->predict(samples.rows(), backend::Output::Raw, out));
  CHECK_EQ(predictor->predict(samples.rows(), backend::Output::Raw, small).code(), Code::Shape);

  model->scaling.kind = core::Scaling::Kind::PerFeature;
  model->scaling.known = false;
  std::unique_ptr<backend::Engine> none;
  CHECK_EQ(reference::backend().createEngine(*model, sgd(), backend::EngineOptions(), &none).code(), Code::State);
  CHECK_EQ(reference::backend().createPredictor(model, backend::PredictorOptions(), &predictor).code(), Code::State);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
