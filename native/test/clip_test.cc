// Clipping of gradients by their global norm.
#include <cmath>
#include <cstdint>
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

Ref<core::Model> networkWith(LayerKind kind, Random& random) {
  return randomModel(
      networkOf(60,
                {layerOf(kind, 77, Activation::Srelu, 0.2, 0.2), layerOf(kind, 41, Activation::Relu, 0.3),
                 layerOf(LayerKind::Dense, 5, Activation::Linear)},
                3),
      random, true);
}

Ref<core::Model> after(const backend::Backend& backend, const core::Model& model, const backend::TrainingRules& rules,
                       const Samples& samples, int threads, uint64_t steps, double rate) {
  Ref<core::Model> out = copyOf(model);
  std::unique_ptr<backend::Engine> engine;
  backend::EngineOptions options;
  options.threads = threads;
  const Status made = backend.createEngine(model, rules, options, &engine);
  CHECK_OK(made);
  for (uint64_t step = 0; made.ok() && step < steps; ++step) {
    backend::StepResult result;
    CHECK_OK(engine->step(samples.rows(), samples.targets(), at(step, rate), &result));
  }
  if (made.ok()) CHECK_OK(engine->exportLayers(out.get(), true));
  return out;
}

// The norm of all that one step without momentum and decay has changed, over its learning rate.
double changeOf(const core::Model& before, const core::Model& after, double rate) {
  double sum = 0;
  const auto add = [&](const std::vector<float>& a, const std::vector<float>& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      const double change = (static_cast<double>(b[i]) - static_cast<double>(a[i])) / rate;
      sum += change * change;
    }
  };
  for (size_t l = 0; l < before.layers.size(); ++l) {
    add(before.layers[l].weights.values, after.layers[l].weights.values);
    add(before.layers[l].bias, after.layers[l].bias);
    add(before.layers[l].activationParameters, after.layers[l].activationParameters);
  }
  return std::sqrt(sum);
}

TEST("a norm that is never reached changes no bit, under every optimizer and kind of layer") {
  Random random(500);
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
    const Ref<core::Model> model = networkWith(kind, random);
    const Samples samples = randomSamples(45, 60, 5, random);
    for (const backend::TrainingRules& rules : everyOptimizer()) {
      const Ref<core::Model> plain = after(cpu::backend(), *model, rules, samples, 1, 4, 0.01);
      for (const int threads : {1, 3}) {
        const Ref<core::Model> other = after(cpu::backend(), *model, clipped(rules, 1e30), samples, threads, 4, 0.01);
        const std::string difference = firstDifference(*plain, *other);
        if (!difference.empty()) FAIL(difference);
      }
    }
  }
}

TEST("a step's gradients have the norm they are clipped to, over all layers together, and keep their direction") {
  Random random(501);
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
    const Ref<core::Model> model = networkWith(kind, random);
    const Samples samples = randomSamples(45, 60, 5, random);
    const backend::TrainingRules plain = sgd(0, 0);
    // A large rate keeps the digits of what is changed.
    const double rate = 64, whole = changeOf(*model, *after(cpu::backend(), *model, plain, samples, 2, 1, rate), rate);
    CHECK(whole > 0.01);
    for (const double norm : {whole / 2, whole / 100}) {
      for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
        const Ref<core::Model> made = after(*backend, *model, clipped(plain, norm), samples, 2, 1, rate);
        CHECK_NEAR(changeOf(*model, *made, rate), norm, 2e-4 * norm);
      }
    }
    const double above =
        changeOf(*model, *after(cpu::backend(), *model, clipped(plain, whole * 1.01), samples, 2, 1, rate), rate);
    CHECK_EQ(above, whole);
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) {
  setnet::cpu::pool::configure(3);
  return setnet::test::run(argc, argv);
}
