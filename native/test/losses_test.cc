// Losses by numbers, binaryCrossEntropy and meanSquaredError: values by hand, gradients against finite differences, the
// f32 engine against the double reference, sparse against masked bit for bit.
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/lane_math.h"
#include "cpu/backend.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;
using rules::Loss;

constexpr Loss kByNumbers[] = {Loss::BinaryCrossEntropy, Loss::MeanSquaredError};

backend::TrainingRules rulesOf(Loss loss) {
  backend::TrainingRules rules = sgd();
  rules.loss = static_cast<int>(loss);
  return rules;
}

// Samples with a number for each output: labels and fractions, or any numbers.
struct NumberedSamples : Samples {
  uint64_t outputs = 0;
  std::vector<float> numbers;

  backend::Targets numberTargets() const {
    backend::Targets targets;
    targets.numbers.matrix = {numbers.data(), backend::DataType::Float32, count(), outputs};
    targets.numbers.count = count();
    return targets;
  }
};

NumberedSamples numberedSamples(uint64_t count, uint64_t columns, uint64_t outputs, Loss loss, Random& random) {
  NumberedSamples samples;
  static_cast<Samples&>(samples) = randomSamples(count, columns, 2, random);
  samples.outputs = outputs;
  for (uint64_t i = 0; i < count * outputs; ++i) {
    const double fraction = random.chance(0.7) ? static_cast<double>(random.below(2)) : random.uniform(0, 1);
    samples.numbers.push_back(static_cast<float>(loss == Loss::BinaryCrossEntropy ? fraction : random.uniform(-2, 2)));
  }
  return samples;
}

std::unique_ptr<backend::Engine> engineOf(const backend::Backend& backend, const core::Model& model, Loss loss,
                                          int threads = 1) {
  backend::EngineOptions options;
  options.threads = threads;
  std::unique_ptr<backend::Engine> engine;
  CHECK_OK(backend.createEngine(model, rulesOf(loss), options, &engine));
  return engine;
}

Ref<core::Model> exported(const core::Model& model, const backend::Engine& engine) {
  Ref<core::Model> copy = copyOf(model);
  CHECK_OK(engine.exportLayers(copy.get(), true));
  return copy;
}

// One dense layer whose outputs are its inputs.
Ref<core::Model> identity(uint64_t outputs) {
  Random random(1);
  Ref<core::Model> model =
      randomModel(networkOf(outputs, {layerOf(LayerKind::Dense, outputs, Activation::Linear)}), random);
  std::vector<float>& weights = model->layers[0].weights.values;
  weights.assign(outputs * outputs, 0);
  for (uint64_t u = 0; u < outputs; ++u) weights[u * outputs + u] = 1;
  model->layers[0].bias.assign(outputs, 0);
  return model;
}

backend::StepResult stepOn(const backend::Backend& backend, Loss loss, std::vector<float> logits,
                           std::vector<float> numbers, uint64_t outputs, Ref<core::Model>* after) {
  const Ref<core::Model> model = identity(outputs);
  NumberedSamples samples;
  samples.columns = samples.outputs = outputs;
  samples.x = std::move(logits);
  samples.numbers = std::move(numbers);
  samples.classes.assign(samples.x.size() / outputs, 0);
  std::unique_ptr<backend::Engine> engine = engineOf(backend, *model, loss);
  backend::StepResult result;
  CHECK_OK(engine->step(samples.rows(), samples.numberTargets(), at(0, 0), &result));
  *after = exported(*model, *engine);
  return result;
}

TEST("values and gradients by hand") {
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    Ref<core::Model> after;
    // Two samples of two outputs; the bias's velocity is the gradient.
    backend::StepResult result = stepOn(*backend, Loss::BinaryCrossEntropy, {0, 1, -2, 3}, {1, 1, 1, 0.25f}, 2, &after);
    const double first = (std::log(2.0) + std::log1p(std::exp(-1.0))) / 2;
    const double second = (std::log1p(std::exp(2.0)) + std::log1p(std::exp(3.0)) - 0.25 * 3) / 2;
    CHECK_NEAR(result.lossSum, first + second, 1e-6);
    CHECK_EQ(result.correct, 1);  // 0 is not above 1/2; -2 says no; 3 says yes to a quarter
    const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
    CHECK_NEAR(after->layers[0].biasState[0][0], ((0.5 - 1) + (sigmoid(-2) - 1)) / 4, 1e-6);
    CHECK_NEAR(after->layers[0].biasState[0][1], ((sigmoid(1) - 1) + (sigmoid(3) - 0.25)) / 4, 1e-6);

    result = stepOn(*backend, Loss::MeanSquaredError, {1, 2, 3, -4}, {0, 4, 3, -1}, 2, &after);
    CHECK_NEAR(result.lossSum, (1.0 + 4.0) / 2 + (0.0 + 9.0) / 2, 1e-6);
    CHECK_EQ(result.correct, 0);
    CHECK_NEAR(after->layers[0].biasState[0][0], 2 * (1.0 + 0.0) / 4, 1e-6);
    CHECK_NEAR(after->layers[0].biasState[0][1], 2 * (-2.0 - 3.0) / 4, 1e-6);
  }
}

TEST("binary cross-entropy is finite and right where exp would overflow or vanish") {
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    Ref<core::Model> after;
    CHECK_NEAR(stepOn(*backend, Loss::BinaryCrossEntropy, {1000}, {0}, 1, &after).lossSum, 1000, 1e-3);
    CHECK_NEAR(after->layers[0].biasState[0][0], 1, 1e-6);
    CHECK_NEAR(stepOn(*backend, Loss::BinaryCrossEntropy, {-1000}, {1}, 1, &after).lossSum, 1000, 1e-3);
    CHECK_NEAR(after->layers[0].biasState[0][0], -1, 1e-6);
    CHECK_NEAR(stepOn(*backend, Loss::BinaryCrossEntropy, {1000}, {1}, 1, &after).lossSum, 0, 0);
    CHECK_NEAR(stepOn(*backend, Loss::BinaryCrossEntropy, {-20}, {0}, 1, &after).lossSum, 2.0611536e-9, 1e-15);
  }
}

TEST("laneLogOnePlus is the logarithm of 1 + t") {
  for (int i = 0; i <= 100000; ++i) {
    const float t = static_cast<float>(i) / 100000;
    const double exact = std::log1p(double{t});
    if (!(std::fabs(laneLogOnePlus(t) - exact) <= 3e-7 * exact)) return FAIL("f32, t = " + show(double{t}));
    if (!(std::fabs(laneLogOnePlus(double{t}) - exact) <= 1e-14 * exact)) return FAIL("double, t = " + show(double{t}));
  }
  for (float t = 1; t > 1e-37f; t *= 0.3f)
    CHECK_NEAR(laneLogOnePlus(t) / static_cast<float>(std::log1p(double{t})), 1.0, 3e-7);
  CHECK(std::isnan(laneLogOnePlus(std::nanf(""))));
}

double meanLoss(const core::Model& model, const NumberedSamples& samples, Loss loss) {
  backend::StepResult result;
  CHECK_OK(
      engineOf(reference::backend(), model, loss)->step(samples.rows(), samples.numberTargets(), at(0, 0), &result));
  return result.lossSum / static_cast<double>(samples.count());
}

TEST("the reference's gradients equal finite differences") {
  for (const Loss loss : kByNumbers)
    for (uint64_t outputs : {1, 3}) {
      Random random(70 + outputs);
      const Ref<core::Model> model =
          randomModel(networkOf(5, {layerOf(LayerKind::Dense, outputs, Activation::Linear)}), random);
      const NumberedSamples samples = numberedSamples(7, 5, outputs, loss, random);
      std::unique_ptr<backend::Engine> engine = engineOf(reference::backend(), *model, loss);
      backend::StepResult result;
      REQUIRE_OK(engine->step(samples.rows(), samples.numberTargets(), at(0, 0), &result));
      const Ref<core::Model> after = exported(*model, *engine);
      constexpr float kDifference = 1.0f / (1 << 12);
      for (size_t u = 0; u < outputs; ++u) {
        Ref<core::Model> above = copyOf(*model), below = copyOf(*model);
        above->layers[0].bias[u] += kDifference;
        below->layers[0].bias[u] -= kDifference;
        const double distance = double{above->layers[0].bias[u]} - double{below->layers[0].bias[u]};
        const double slope = (meanLoss(*above, samples, loss) - meanLoss(*below, samples, loss)) / distance;
        CHECK_NEAR(after->layers[0].biasState[0][u], slope, 1e-6);
      }
    }
}

TEST("twenty steps equal the reference's, whatever the batch and the number of outputs") {
  for (const Loss loss : kByNumbers)
    for (uint64_t trial = 0; trial < 20; ++trial) {
      Random random(7000 + trial);
      const uint64_t outputs = trial % 4 == 0 ? 1 : random.between(2, 20);
      const uint64_t batch = random.between(1, 70);
      const LayerKind last = static_cast<LayerKind>(random.below(3));
      const Ref<core::Model> model = randomModel(networkOf(11, {layerOf(LayerKind::Sparse, 13, Activation::Linear, 0.4),
                                                                layerOf(last, outputs, Activation::Linear, 0.7)}),
                                                 random);
      std::unique_ptr<backend::Engine> cpu =
          engineOf(cpu::backend(), *model, loss, static_cast<int>(random.between(1, 3)));
      std::unique_ptr<backend::Engine> reference = engineOf(reference::backend(), *model, loss);
      for (uint64_t step = 0; step < 20; ++step) {
        const NumberedSamples samples = numberedSamples(batch, 11, outputs, loss, random);
        backend::StepResult a, e;
        REQUIRE_OK(cpu->step(samples.rows(), samples.numberTargets(), at(step, 0.05), &a));
        REQUIRE_OK(reference->step(samples.rows(), samples.numberTargets(), at(step, 0.05), &e));
        CHECK_NEAR(a.lossSum, e.lossSum, 1e-4 * e.lossSum + 1e-5);
        CHECK_EQ(a.correct, e.correct);
      }
      const Ref<core::Model> a = exported(*model, *cpu), e = exported(*model, *reference);
      for (size_t l = 0; l < a->layers.size(); ++l) {
        CHECK(relativeError(a->layers[l].weights.values, e->layers[l].weights.values) < 1e-4);
        CHECK(relativeError(a->layers[l].weightState[0], e->layers[l].weightState[0]) < 1e-3);
        CHECK(relativeError(a->layers[l].biasState[0], e->layers[l].biasState[0]) < 1e-3);
      }
    }
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST("sparse and masked layers, and any number of threads, give the same bits") {
  for (const Loss loss : kByNumbers) {
    Random random(8000);
    const Ref<core::Model> sparse =
        randomModel(networkOf(40, {layerOf(LayerKind::Sparse, 60, Activation::Relu, 0.3, 0.2),
                                   layerOf(LayerKind::Sparse, 17, Activation::Linear, 0.5)}),
                    random);
    const Ref<core::Model> masked = withKind(*sparse, LayerKind::Sparse, LayerKind::Masked);
    const NumberedSamples samples = numberedSamples(150, 40, 17, loss, random);
    std::vector<Ref<core::Model>> results;
    std::vector<double> losses;
    for (const Ref<core::Model>& model : {sparse, masked})
      for (int threads : {1, 2, 5}) {
        std::unique_ptr<backend::Engine> engine = engineOf(cpu::backend(), *model, loss, threads);
        backend::StepResult result;
        for (uint64_t step = 0; step < 5; ++step)
          REQUIRE_OK(engine->step(samples.rows(), samples.numberTargets(), at(step, 0.1), &result));
        losses.push_back(result.lossSum);
        results.push_back(exported(*model, *engine));
      }
    for (size_t i = 1; i < results.size(); ++i) {
      CHECK_EQ(losses[i], losses[0]);
      for (size_t l = 0; l < 2; ++l) {
        CHECK(sameBits(results[i]->layers[l].weights.values, results[0]->layers[l].weights.values));
        CHECK(sameBits(results[i]->layers[l].bias, results[0]->layers[l].bias));
      }
    }
  }
}

TEST("answers: a sigmoid for each output, or the outputs as they are") {
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    const std::vector<float> x = {0, 1, -3, 200};
    NumberedSamples samples;
    samples.columns = 2;
    samples.x = x;
    samples.classes = {0, 0};
    const auto answers = [&](Loss loss) {
      Ref<core::Model> model = identity(2);
      model->loss = static_cast<int>(loss);
      Ref<backend::Predictor> predictor;
      CHECK_OK(backend->createPredictor(model, backend::PredictorOptions(), &predictor));
      std::vector<float> out(4);
      CHECK_OK(predictor->predict(samples.rows(), backend::Output::Probabilities, out));
      return out;
    };
    const std::vector<float> sigmoids = answers(Loss::BinaryCrossEntropy);
    for (size_t i = 0; i < 4; ++i) CHECK_NEAR(sigmoids[i], 1 / (1 + std::exp(-double{x[i]})), 1e-7);
    CHECK(answers(Loss::MeanSquaredError) == x);
  }
}

TEST("targets that are not there or do not fit are refused before anything changes") {
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    Random random(5);
    const Ref<core::Model> model = identity(3);
    NumberedSamples samples = numberedSamples(4, 3, 3, Loss::MeanSquaredError, random);
    std::unique_ptr<backend::Engine> engine = engineOf(*backend, *model, Loss::MeanSquaredError);
    backend::StepResult result;
    const auto code = [&](const backend::Targets& targets) {
      return engine->step(samples.rows(), targets, at(0, 0.1), &result).code();
    };
    CHECK_EQ(code(samples.targets()), Code::Data);
    backend::Targets targets = samples.numberTargets();
    targets.numbers.count = 3;
    CHECK_EQ(code(targets), Code::Data);
    targets = samples.numberTargets();
    targets.numbers.matrix.columns = 2;
    CHECK_EQ(code(targets), Code::Data);
    targets = samples.numberTargets();
    targets.numbers.first = 1;
    CHECK_EQ(code(targets), Code::Shape);
    CHECK(sameBits(exported(*model, *engine)->layers[0].weights.values, model->layers[0].weights.values));
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
