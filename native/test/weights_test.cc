// Weights of samples: the f32 engine against the double reference, what weights of 0, 1 and 2 must do to the bits,
// sparse against masked, the number of threads, and what is refused.
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;
using rules::Loss;

constexpr Loss kLossesOfTests[] = {Loss::SoftmaxCrossEntropy, Loss::BinaryCrossEntropy, Loss::MeanSquaredError};

// Samples with targets of every form, and a weight each.
struct WeighedSamples : Samples {
  uint64_t outputs = 0;
  std::vector<float> numbers;
  std::vector<float> weights;

  backend::Targets targetsOf(Loss loss, bool weighed = true) const {
    backend::Targets targets;
    if (loss == Loss::SoftmaxCrossEntropy) {
      targets.classes = classes.data();
    } else {
      targets.numbers.matrix = {numbers.data(), backend::DataType::Float32, count(), outputs};
      targets.numbers.count = count();
    }
    if (weighed) targets.weights = weights.data();
    return targets;
  }
};

WeighedSamples weighedSamples(uint64_t count, uint64_t columns, uint64_t outputs, Random& random) {
  WeighedSamples samples;
  static_cast<Samples&>(samples) = randomSamples(count, columns, outputs, random);
  samples.outputs = outputs;
  for (uint64_t i = 0; i < count * outputs; ++i) samples.numbers.push_back(static_cast<float>(random.uniform(0, 1)));
  for (uint64_t i = 0; i < count; ++i)
    samples.weights.push_back(random.chance(0.2) ? 0.0f : static_cast<float>(random.uniform(0, 3)));
  return samples;
}

std::unique_ptr<backend::Engine> engineOf(const backend::Backend& backend, const core::Model& model, Loss loss,
                                          int threads = 1, double momentum = 0) {
  backend::EngineOptions options;
  options.threads = threads;
  backend::TrainingRules rules = sgd(momentum);
  rules.loss = static_cast<int>(loss);
  std::unique_ptr<backend::Engine> engine;
  CHECK_OK(backend.createEngine(model, rules, options, &engine));
  return engine;
}

Ref<core::Model> exported(const core::Model& model, const backend::Engine& engine) {
  Ref<core::Model> copy = copyOf(model);
  CHECK_OK(engine.exportLayers(copy.get(), true));
  return copy;
}

Ref<core::Model> smallModel(LayerKind last, uint64_t outputs, Random& random, double dropout = 0) {
  return randomModel(networkOf(11, {layerOf(LayerKind::Sparse, 13, Activation::Relu, 0.4, dropout),
                                    layerOf(last, outputs, Activation::Linear, 0.7)}),
                     random);
}

TEST("twenty steps with weights equal the reference's") {
  for (const Loss loss : kLossesOfTests)
    for (uint64_t trial = 0; trial < 10; ++trial) {
      Random random(9000 + trial);
      const uint64_t outputs = random.between(2, 20), batch = random.between(1, 70);
      // Without kinks: where a pre-activation is nearly 0 the two may take different sides.
      const Ref<core::Model> model =
          randomModel(networkOf(11, {layerOf(LayerKind::Sparse, 13, Activation::Linear, 0.4),
                                     layerOf(static_cast<LayerKind>(trial % 3), outputs, Activation::Linear, 0.7)}),
                      random);
      const int threads = static_cast<int>(random.between(1, 3));
      std::unique_ptr<backend::Engine> cpu = engineOf(cpu::backend(), *model, loss, threads);
      std::unique_ptr<backend::Engine> reference = engineOf(reference::backend(), *model, loss);
      for (uint64_t step = 0; step < 20; ++step) {
        const WeighedSamples samples = weighedSamples(batch, 11, outputs, random);
        backend::StepResult a, e;
        REQUIRE_OK(cpu->step(samples.rows(), samples.targetsOf(loss), at(step, 0.05), &a));
        REQUIRE_OK(reference->step(samples.rows(), samples.targetsOf(loss), at(step, 0.05), &e));
        CHECK_NEAR(a.lossSum, e.lossSum, 1e-4 * e.lossSum + 1e-5);
        CHECK_EQ(a.correct, e.correct);
      }
      const Ref<core::Model> a = exported(*model, *cpu), e = exported(*model, *reference);
      for (size_t l = 0; l < a->layers.size(); ++l) {
        CHECK(relativeError(a->layers[l].weights.values, e->layers[l].weights.values) < 1e-4);
        CHECK(relativeError(a->layers[l].biasState[0], e->layers[l].biasState[0]) < 1e-3);
      }
    }
}

TEST("the loss is the weighted sum of single losses, right answers are counted without weights") {
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()})
    for (const Loss loss : kLossesOfTests) {
      Random random(21);
      const Ref<core::Model> model = smallModel(LayerKind::Dense, 4, random);
      const WeighedSamples samples = weighedSamples(40, 11, 4, random);
      backend::StepResult whole;
      REQUIRE_OK(engineOf(*backend, *model, loss)->step(samples.rows(), samples.targetsOf(loss), at(0, 0), &whole));
      double sum = 0;
      uint64_t right = 0;
      for (uint64_t k = 0; k < samples.count(); ++k) {
        backend::Targets target = samples.targetsOf(loss, false);
        if (target.classes) target.classes += k;
        target.numbers.first = k;
        target.numbers.count = 1;
        backend::StepResult single;
        REQUIRE_OK(engineOf(*backend, *model, loss)->step(samples.rows(k, 1), target, at(0, 0), &single));
        sum += double{samples.weights[k]} * single.lossSum;
        right += single.correct;
      }
      CHECK_NEAR(whole.lossSum, sum, 1e-12 * sum);
      CHECK_EQ(whole.correct, right);
    }
}

TEST("a weight of 0 takes a sample's gradient out, whatever the sample is") {
  for (const Loss loss : kLossesOfTests) {
    Random random(22);
    const Ref<core::Model> model = smallModel(LayerKind::Sparse, 4, random);
    WeighedSamples samples = weighedSamples(33, 11, 4, random);
    WeighedSamples others = samples;
    for (uint64_t k = 0; k < samples.count(); ++k) {
      if (samples.weights[k] > 0) continue;
      for (uint64_t i = 0; i < 11; ++i) others.x[k * 11 + i] = static_cast<float>(random.uniform(-9, 9));
      for (uint64_t u = 0; u < 4; ++u) others.numbers[k * 4 + u] = static_cast<float>(random.uniform(0, 1));
      others.classes[k] = (others.classes[k] + 1) % 4;
    }
    backend::StepResult results[2];
    Ref<core::Model> after[2];
    for (int i = 0; i < 2; ++i) {
      const WeighedSamples& taken = i == 0 ? samples : others;
      std::unique_ptr<backend::Engine> engine = engineOf(cpu::backend(), *model, loss);
      REQUIRE_OK(engine->step(taken.rows(), taken.targetsOf(loss), at(0, 0.3), &results[i]));
      after[i] = exported(*model, *engine);
    }
    CHECK_EQ(results[0].lossSum, results[1].lossSum);
    CHECK_EQ(firstDifference(*after[0], *after[1]), std::string());

    // Alone with half of the weight is the same as beside one without any: the mean is over all samples of the batch.
    WeighedSamples pair = weighedSamples(2, 11, 4, random), alone = pair;
    pair.weights = {1, 0};
    alone.x.resize(11);
    alone.numbers.resize(4);
    alone.classes.resize(1);
    alone.weights = {0.5f};
    for (int i = 0; i < 2; ++i) {
      const WeighedSamples& taken = i == 0 ? pair : alone;
      std::unique_ptr<backend::Engine> engine = engineOf(cpu::backend(), *model, loss);
      REQUIRE_OK(engine->step(taken.rows(), taken.targetsOf(loss), at(0, 0.3), &results[i]));
      after[i] = exported(*model, *engine);
    }
    CHECK_EQ(results[0].lossSum, 2 * results[1].lossSum);
    CHECK_EQ(firstDifference(*after[0], *after[1]), std::string());
  }
}

TEST("weights of 1 change no bit, weights of 2 double every gradient") {
  for (const Loss loss : kLossesOfTests) {
    Random random(23);
    const Ref<core::Model> model = smallModel(LayerKind::Masked, 4, random, 0.2);
    WeighedSamples samples = weighedSamples(50, 11, 4, random);
    Ref<core::Model> after[3];
    double losses[3];
    for (int i = 0; i < 3; ++i) {
      samples.weights.assign(samples.count(), static_cast<float>(i));
      std::unique_ptr<backend::Engine> engine = engineOf(cpu::backend(), *model, loss, 2, 0.9);
      backend::StepResult result;
      // Twice the gradients at half of the rate take the same steps.
      for (uint64_t step = 0; step < 5; ++step)
        REQUIRE_OK(
            engine->step(samples.rows(), samples.targetsOf(loss, i > 0), at(step, i == 2 ? 0.05 : 0.1), &result));
      losses[i] = result.lossSum;
      after[i] = exported(*model, *engine);
    }
    CHECK_EQ(losses[1], losses[0]);
    CHECK_EQ(losses[2], 2 * losses[0]);
    CHECK_EQ(firstDifference(*after[1], *after[0]), std::string());
    for (core::LayerState& layer : after[2]->layers) {
      for (float& v : layer.weightState[0]) v /= 2;
      for (float& v : layer.biasState[0]) v /= 2;
    }
    CHECK_EQ(firstDifference(*after[2], *after[0]), std::string());
  }
}

TEST("with weights, sparse and masked layers and any number of threads give the same bits") {
  for (const Loss loss : kLossesOfTests) {
    Random random(24);
    const Ref<core::Model> sparse =
        randomModel(networkOf(40, {layerOf(LayerKind::Sparse, 60, Activation::Relu, 0.3, 0.2),
                                   layerOf(LayerKind::Sparse, 17, Activation::Linear, 0.5)}),
                    random);
    const Ref<core::Model> masked = withKind(*sparse, LayerKind::Sparse, LayerKind::Masked);
    const WeighedSamples samples = weighedSamples(150, 40, 17, random);
    std::vector<Ref<core::Model>> results;
    std::vector<double> losses;
    for (const Ref<core::Model>& model : {sparse, masked})
      for (int threads : {1, 2, 5}) {
        std::unique_ptr<backend::Engine> engine = engineOf(cpu::backend(), *model, loss, threads, 0.9);
        backend::StepResult result;
        for (uint64_t step = 0; step < 5; ++step)
          REQUIRE_OK(engine->step(samples.rows(), samples.targetsOf(loss), at(step, 0.1), &result));
        losses.push_back(result.lossSum);
        results.push_back(exported(*model, *engine));
      }
    for (size_t i = 1; i < results.size(); ++i) {
      CHECK_EQ(losses[i], losses[0]);
      CHECK_EQ(firstDifference(*results[i], *results[0]), std::string());
    }
  }
}

TEST("weights that are no finite numbers of at least 0 are refused before anything changes") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()})
    for (const float wrong : {-1.0f, infinity, std::nanf("")}) {
      Random random(25);
      const Ref<core::Model> model = smallModel(LayerKind::Dense, 4, random);
      WeighedSamples samples = weighedSamples(6, 11, 4, random);
      samples.weights[4] = wrong;
      std::unique_ptr<backend::Engine> engine = engineOf(*backend, *model, Loss::SoftmaxCrossEntropy);
      const Ref<core::Model> before = exported(*model, *engine);
      backend::StepResult result;
      const Status status =
          engine->step(samples.rows(), samples.targetsOf(Loss::SoftmaxCrossEntropy), at(0, 0.1), &result);
      CHECK(status.code() == Code::Data);
      CHECK(status.message().find("position 4") != std::string::npos);
      CHECK_EQ(firstDifference(*exported(*model, *engine), *before), std::string());
    }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
