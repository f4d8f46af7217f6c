// A step in its phases: with the loss's own gradient it is step(), bit for bit; layers by themselves, one behind the
// other, are the network that has them; outputs, gradients and updates are the double reference's; and what comes out
// of order is refused.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "cpu/forward.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

std::vector<float> randomNumbers(uint64_t count, double bound, Random& random) {
  std::vector<float> numbers(count);
  for (float& x : numbers) x = static_cast<float>(random.uniform(-bound, bound));
  return numbers;
}

backend::MatrixView viewOf(const std::vector<float>& numbers, uint64_t columns) {
  return {numbers.data(), backend::DataType::Float32, numbers.size() / columns, columns};
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void checkNear(const std::string& what, const std::vector<float>& actual, const std::vector<float>& expected) {
  constexpr double kBound = 1e-3;
  const double error = relativeError(actual, expected);
  if (!(error < kBound))
    FAIL(what + ": relative error " + std::to_string(error) + " of " + std::to_string(expected.size()) + " numbers");
}

Ref<core::Model> exported(const core::Model& model, const backend::Engine& engine) {
  Ref<core::Model> copy = copyOf(model);
  CHECK_OK(engine.exportLayers(copy.get(), true));
  return copy;
}

// The mean squared error's gradient by the outputs, as its rule computes it.
std::vector<float> squaredErrorGradient(const std::vector<float>& y, const std::vector<float>& targets,
                                        uint64_t units) {
  const uint64_t rows = y.size() / units;
  const float scale =
      static_cast<float>(1 / rules::lossDivisor(static_cast<int>(rules::Loss::MeanSquaredError), rows, units));
  const float twice = scale + scale;
  std::vector<float> dy(y.size());
  for (size_t i = 0; i < y.size(); ++i) dy[i] = (y[i] - targets[i]) * twice;
  return dy;
}

// Layer `l` of a network as a network of its own, which stands there.
Ref<core::Model> layerAlone(const core::Model& model, size_t l) {
  Ref<core::Model> alone(new core::Model());
  alone->definition.inputs = model.definition.layers[l].inputs;
  alone->definition.seed = model.definition.seed;
  alone->definition.firstLayer = static_cast<uint32_t>(l);
  alone->definition.layers = {model.definition.layers[l]};
  alone->layers = {model.layers[l]};
  alone->scaling = model.scaling;
  return alone;
}

core::NetworkDefinition randomDefinition(Random& random) {
  const uint64_t inputs = random.between(1, 90), seed = random.next(), hidden = random.below(4);
  std::vector<core::LayerDefinition> layers;
  for (uint64_t l = 0; l <= hidden; ++l) {
    const LayerKind kind = static_cast<LayerKind>(random.below(3));
    const uint64_t units = random.between(1, 80);
    const double density = random.chance(0.1) ? 1 : random.uniform(0.02, 0.6);
    const int rule = static_cast<int>(random.below(std::size(rules::kActivations)));
    const double dropout = l < hidden && random.chance(0.5) ? random.uniform(0.05, 0.6) : 0;
    const bool bias = random.chance(0.7);
    layers.push_back(layerOf(kind, units, static_cast<Activation>(rule), density, dropout, bias));
  }
  return networkOf(inputs, std::move(layers), seed);
}

TEST("a step in phases is the step, and layers by themselves are the network, bit for bit") {
  const std::vector<backend::TrainingRules> optimizers = everyOptimizer();
  for (uint64_t trial = 0; trial < 60; ++trial) {
    Random random(9000 + trial);
    const core::NetworkDefinition definition = randomDefinition(random);
    const Ref<core::Model> model = randomModel(definition, random, random.chance(0.5));
    backend::TrainingRules rules = optimizers[trial % optimizers.size()];
    rules.loss = static_cast<int>(rules::Loss::MeanSquaredError);
    const uint64_t units = definition.layers.back().units, batch = random.between(1, 140);
    const int threads = static_cast<int>(random.between(1, 3));

    std::unique_ptr<backend::Engine> whole, phased;
    REQUIRE_OK(cpu::backend().createEngine(*model, rules, {threads}, &whole));
    REQUIRE_OK(cpu::backend().createEngine(*model, rules, {threads}, &phased));
    std::vector<std::unique_ptr<backend::Engine>> layers(definition.layers.size());
    for (size_t l = 0; l < layers.size(); ++l)
      REQUIRE_OK(cpu::backend().createEngine(*layerAlone(*model, l), rules, {threads}, &layers[l]));

    for (uint64_t step = 0; step < 4; ++step) {
      const std::vector<float> x = randomNumbers(batch * definition.inputs, 1.5, random);
      const std::vector<float> targets = randomNumbers(batch * units, 1, random);
      const backend::RowSet rows = {viewOf(x, definition.inputs), nullptr, 0, batch};
      const backend::StepSettings settings = at(step, 0.01);
      const rules::OptimizerStep update = {settings.learningRate, settings.optimizerStep};
      backend::Targets wanted;
      wanted.numbers = {viewOf(targets, units), nullptr, 0, batch};
      backend::StepResult result;
      REQUIRE_OK(whole->step(rows, wanted, settings, &result));

      std::vector<float> y(batch * units);
      REQUIRE_OK(phased->forwardStep(rows, step, y));
      const std::vector<float> dy = squaredErrorGradient(y, targets, units);
      std::vector<float> dx(x.size());
      REQUIRE_OK(phased->backward(viewOf(dy, units), step == 3 ? Span<float>() : Span<float>(dx)));
      REQUIRE_OK(phased->finishStep(update));

      std::vector<float> signal = x;
      for (size_t l = 0; l < layers.size(); ++l) {
        std::vector<float> out(batch * definition.layers[l].units);
        REQUIRE_OK(layers[l]->forwardStep({viewOf(signal, definition.layers[l].inputs), nullptr, 0, batch}, step, out));
        signal = out;
      }
      CHECK(sameBits(signal, y));
      std::vector<float> gradient = dy;
      for (size_t l = layers.size(); l-- > 0;) {
        std::vector<float> below(batch * definition.layers[l].inputs);
        const bool wantsIt = l > 0 || step != 3;
        REQUIRE_OK(layers[l]->backward(viewOf(gradient, definition.layers[l].units),
                                       wantsIt ? Span<float>(below) : Span<float>()));
        REQUIRE_OK(layers[l]->finishStep(update));
        gradient = below;
      }
      if (step != 3) CHECK(sameBits(gradient, dx));

      if (step == 1) {  // the forms follow an evolution
        std::vector<core::LayerEvolutionReport> reports;
        REQUIRE_OK(whole->evolve(evolutionOf(0.3, 1), &reports));
        REQUIRE_OK(phased->evolve(evolutionOf(0.3, 1), &reports));
        for (const auto& layer : layers) REQUIRE_OK(layer->evolve(evolutionOf(0.3, 1), &reports));
      }
      const Ref<core::Model> expected = exported(*model, *whole);
      CHECK_EQ(firstDifference(*exported(*model, *phased), *expected), std::string());
      for (size_t l = 0; l < layers.size(); ++l)
        CHECK_EQ(firstDifference(*exported(*layerAlone(*model, l), *layers[l]), *layerAlone(*expected, l)),
                 std::string());
    }
  }
}

TEST("layers of every kind, activation and optimizer give the reference's outputs, gradients and updates") {
  const std::vector<backend::TrainingRules> optimizers = everyOptimizer();
  uint64_t trial = 0;
  for (int activation = 0; activation < static_cast<int>(std::size(rules::kActivations)); ++activation) {
    for (const backend::TrainingRules& rules : optimizers) {
      Random random(12000 + ++trial);
      const LayerKind kind = trial % 4 < 2 ? LayerKind::Sparse : trial % 4 == 2 ? LayerKind::Masked : LayerKind::Dense;
      const double density = random.uniform(0.02, 0.6), dropout = random.chance(0.5) ? random.uniform(0.05, 0.6) : 0;
      const uint64_t inputs = random.between(1, 120), units = random.between(1, 120), batch = random.between(1, 70);
      const bool bias = random.chance(0.7);
      core::NetworkDefinition definition = networkOf(
          inputs, {layerOf(kind, units, static_cast<Activation>(activation), density, dropout, bias)}, random.next());
      definition.firstLayer = static_cast<uint32_t>(random.below(5));
      const Ref<core::Model> model = randomModel(definition, random, random.chance(0.5));
      const std::string name = std::string(rules::kActivations[activation].name) + ", " +
                               rules::kOptimizers[rules.optimizer.rule].name + ", " + std::to_string(inputs) + "-" +
                               std::to_string(units) + ", batch " + std::to_string(batch);
      std::unique_ptr<backend::Engine> cpu, reference;
      REQUIRE_OK(cpu::backend().createEngine(*model, rules, {static_cast<int>(random.between(1, 3))}, &cpu));
      REQUIRE_OK(reference::backend().createEngine(*model, rules, {1}, &reference));
      for (uint64_t step = 0; step < 3; ++step) {
        Samples samples = randomSamples(batch, inputs, 1, random);
        if (!keepFromKinks(*exported(*model, *reference), step, 1e-4, &samples, random))
          return FAIL(name + ": no data away from kinks");
        std::vector<float> y[2], dx[2], gradient[2];
        const std::vector<float> dy = randomNumbers(batch * units, 1, random);
        backend::Engine* engines[] = {cpu.get(), reference.get()};
        for (int e = 0; e < 2; ++e) {
          y[e].resize(batch * units);
          dx[e].resize(batch * inputs);
          gradient[e].resize(core::connectionsOf(model->layers[0]));
          REQUIRE_OK(engines[e]->forwardStep(samples.rows(), step, y[e]));
          // What is inferred meanwhile disturbs nothing.
          std::vector<float> inferred(batch * units);
          REQUIRE_OK(engines[e]->forward(samples.rows(), inferred));
          REQUIRE_OK(engines[e]->backward(viewOf(dy, units), dx[e]));
          REQUIRE_OK(engines[e]->weightGradient(0, gradient[e]));
          REQUIRE_OK(engines[e]->finishStep({0.005f, step + 1}));
        }
        checkNear(name + ": outputs", y[0], y[1]);
        checkNear(name + ": gradient of the inputs", dx[0], dx[1]);
        checkNear(name + ": gradient of the weights", gradient[0], gradient[1]);
        const Ref<core::Model> a = exported(*model, *cpu), e = exported(*model, *reference);
        checkNear(name + ": weights", a->layers[0].weights.values, e->layers[0].weights.values);
        checkNear(name + ": bias", a->layers[0].bias, e->layers[0].bias);
        checkNear(name + ": activation parameters", a->layers[0].activationParameters,
                  e->layers[0].activationParameters);
        for (size_t s = 0; s < e->layers[0].weightState.size(); ++s) {
          checkNear(name + ": state", a->layers[0].weightState[s], e->layers[0].weightState[s]);
          checkNear(name + ": state of the bias", a->layers[0].biasState[s], e->layers[0].biasState[s]);
          checkNear(name + ": state of the activation", a->layers[0].activationState[s],
                    e->layers[0].activationState[s]);
        }
      }
    }
  }
}

TEST("a sparse batch of very many inputs has the bits of the same batch dense, in every phase") {
  Random random(13000);
  const uint64_t inputs = static_cast<uint64_t>(cpu::kManyInputs) + 100, units = 40, batch = 37;
  const core::NetworkDefinition definition =
      networkOf(inputs, {layerOf(LayerKind::Sparse, units, Activation::Tanh, 0.004)}, 3);
  const Ref<core::Model> model = randomModel(definition, random);
  core::CsrMatrix sparse;
  sparse.rows = batch;
  sparse.columns = inputs;
  sparse.rowPointers.push_back(0);
  std::vector<float> dense(batch * inputs, 0.0f);
  for (uint64_t k = 0; k < batch; ++k) {
    for (uint64_t c = random.below(400); c < inputs; c += random.between(1, 400)) {
      sparse.columnIndices.push_back(static_cast<uint32_t>(c));
      sparse.values.push_back(dense[k * inputs + c] = static_cast<float>(random.uniform(-1, 1)));
    }
    sparse.rowPointers.push_back(sparse.values.size());
  }
  std::vector<float> y[2], dx[2], gradient[2];
  Ref<core::Model> after[2];
  for (int e = 0; e < 2; ++e) {
    std::unique_ptr<backend::Engine> engine;
    REQUIRE_OK(cpu::backend().createEngine(*model, sgd(0.9, 1e-3), {2}, &engine));
    const backend::MatrixView x = e == 0 ? backend::MatrixView::of(sparse) : viewOf(dense, inputs);
    Random same(13001);
    for (uint64_t step = 0; step < 3; ++step) {
      const std::vector<float> dy = randomNumbers(batch * units, 1, same);
      y[e].assign(batch * units, 0);
      dx[e].assign(batch * inputs, 0);
      gradient[e].assign(core::connectionsOf(model->layers[0]), 0);
      REQUIRE_OK(engine->forwardStep({x, nullptr, 0, batch}, step, y[e]));
      REQUIRE_OK(engine->backward(viewOf(dy, units), dx[e]));
      REQUIRE_OK(engine->weightGradient(0, gradient[e]));
      REQUIRE_OK(engine->finishStep({0.1f, step + 1}));
    }
    after[e] = exported(*model, *engine);
  }
  CHECK(sameBits(y[0], y[1]));
  CHECK(sameBits(dx[0], dx[1]));
  CHECK(sameBits(gradient[0], gradient[1]));
  CHECK_EQ(firstDifference(*after[0], *after[1]), std::string());
}

TEST("the gradient of the weights is the velocity of a step without momentum and decay, bit for bit") {
  Random random(13500);
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
    const core::NetworkDefinition definition =
        networkOf(70, {layerOf(kind, 50, Activation::Srelu, 0.2, 0.3), layerOf(kind, 9, Activation::Linear, 0.5)}, 4);
    const Ref<core::Model> model = randomModel(definition, random);
    std::unique_ptr<backend::Engine> engine;
    REQUIRE_OK(cpu::backend().createEngine(*model, sgd(), {2}, &engine));
    const Samples samples = randomSamples(90, 70, 9, random);
    std::vector<float> y(90 * 9), gradients[2];
    REQUIRE_OK(engine->forwardStep(samples.rows(), 0, y));
    // The last of several gradients counts.
    REQUIRE_OK(engine->backward(viewOf(randomNumbers(y.size(), 1, random), 9), {}));
    REQUIRE_OK(engine->backward(viewOf(randomNumbers(y.size(), 1, random), 9), {}));
    for (size_t l = 0; l < 2; ++l) {
      gradients[l].resize(core::connectionsOf(model->layers[l]));
      REQUIRE_OK(engine->weightGradient(l, gradients[l]));
    }
    REQUIRE_OK(engine->finishStep({0.1f, 1}));
    const Ref<core::Model> after = exported(*model, *engine);
    for (size_t l = 0; l < 2; ++l) CHECK(sameBits(gradients[l], after->layers[l].weightState[0]));
  }
}

TEST("phases out of order, of other sizes or with numbers that are not finite are refused, and change nothing") {
  Random random(14000);
  const core::NetworkDefinition definition =
      networkOf(20, {layerOf(LayerKind::Sparse, 10, Activation::Relu, 0.3, 0.2)}, 5);
  const Ref<core::Model> model = randomModel(definition, random);
  const Samples samples = randomSamples(40, 20, 10, random);
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    std::unique_ptr<backend::Engine> engine;
    REQUIRE_OK(backend->createEngine(*model, sgd(0.9), {2}, &engine));
    std::vector<float> y(400), dx(800), gradient(core::connectionsOf(model->layers[0]));
    const std::vector<float> dy = randomNumbers(400, 1, random);
    std::vector<float> broken = dy;
    broken[123] = std::numeric_limits<float>::quiet_NaN();
    const auto backward = [&](const std::vector<float>& numbers) { return engine->backward(viewOf(numbers, 10), dx); };
    const auto refused = [](const Status& status, Code code) {
      return status.code() == code && !status.message().empty();
    };

    const Ref<core::Model> start = exported(*model, *engine);
    CHECK(refused(backward(dy), Code::State));
    CHECK(refused(engine->weightGradient(0, gradient), Code::State));
    CHECK(refused(engine->finishStep({0.1f, 1}), Code::State));
    CHECK(refused(engine->forwardStep(samples.rows(0, 0), 0, {}), Code::Data));
    std::vector<float> few(399);
    CHECK(refused(engine->forwardStep(samples.rows(), 0, few), Code::Shape));
    CHECK(refused(backward(dy), Code::State));

    REQUIRE_OK(engine->forwardStep(samples.rows(), 0, y));
    CHECK(refused(engine->finishStep({0.1f, 1}), Code::State));
    CHECK(refused(backward(std::vector<float>(390)), Code::State));
    CHECK(refused(engine->backward(viewOf(std::vector<float>(440), 11), dx), Code::Shape));
    CHECK(refused(engine->backward(viewOf(dy, 10), few), Code::Shape));
    CHECK(refused(backward(broken), Code::Nonfinite));
    CHECK(refused(engine->finishStep({0.1f, 1}), Code::State));
    REQUIRE_OK(backward(dy));
    CHECK(refused(engine->weightGradient(0, few), Code::Shape));
    CHECK(refused(backward(broken), Code::Nonfinite));
    CHECK(refused(engine->finishStep({0.1f, 1}), Code::State));
    CHECK_EQ(firstDifference(*exported(*model, *engine), *start), std::string());
    REQUIRE_OK(backward(dy));
    REQUIRE_OK(engine->finishStep({0.1f, 1}));
    CHECK(refused(engine->finishStep({0.1f, 1}), Code::State));
    CHECK(refused(backward(dy), Code::State));

    // A whole step, or an evolution, between the phases ends them.
    REQUIRE_OK(engine->forwardStep(samples.rows(), 1, y));
    backend::StepResult result;
    REQUIRE_OK(engine->step(samples.rows(), samples.targets(), at(1, 0.1), &result));
    CHECK(refused(backward(dy), Code::State));
    REQUIRE_OK(engine->forwardStep(samples.rows(), 2, y));
    std::vector<core::LayerEvolutionReport> reports;
    REQUIRE_OK(engine->evolve(evolutionOf(0.3), &reports));
    CHECK(refused(backward(dy), Code::State));
    CHECK(engine->bytes() > 0);
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
