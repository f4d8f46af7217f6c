// The ways in which a predictor may answer: batches of any size, single rows, rows of zeros that are answered once,
// rows that wait for company, columns instead of rows, sparse weights on dense kernels, rounded weights. All give the
// same bits.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/float_bits.h"
#include "cpu/backend.h"
#include "cpu/crossover.h"
#include "cpu/pool/pool.h"
#include "kernels/dispatch.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

backend::PredictorOptions optionsOf(int threads, backend::OptimizeFor aim = backend::OptimizeFor::Throughput,
                                    backend::Precision precision = backend::Precision::F32) {
  backend::PredictorOptions options;
  options.threads = threads;
  options.optimizeFor = aim;
  options.precision = precision;
  return options;
}

std::vector<float> answers(const Ref<core::Model>& model, const backend::PredictorOptions& options,
                           const Samples& samples, uint64_t first, uint64_t count, backend::Output output) {
  const uint64_t units = model->definition.layers.back().units;
  std::vector<float> out(count * units, -77.0f);
  Ref<backend::Predictor> predictor;
  CHECK_OK(cpu::backend().createPredictor(model, options, &predictor));
  if (predictor) CHECK_OK(predictor->predict(samples.rows(first, count), output, out));
  return out;
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A network in which a part of the samples dies: ReLU layers with few connections and biases below zero.
Ref<core::Model> dyingNetwork(Random& random, bool withDense) {
  const uint64_t inputs = random.between(20, 90);
  std::vector<core::LayerDefinition> layers;
  const uint64_t depth = random.between(2, 7);
  for (uint64_t l = 0; l < depth; ++l)
    layers.push_back(layerOf(LayerKind::Sparse, random.between(20, 90), Activation::Relu, random.uniform(0.02, 0.2)));
  if (withDense) layers.push_back(layerOf(LayerKind::Dense, random.between(1, 12), Activation::Linear));
  Ref<core::Model> model = randomModel(networkOf(inputs, layers), random, true);
  for (size_t l = 0; l < depth; ++l)
    for (float& bias : model->layers[l].bias) bias = random.chance(0.03) ? bias : -std::fabs(bias) * 2;
  return model;
}

Samples mostlyZero(uint64_t count, uint64_t columns, Random& random) {
  Samples samples = randomSamples(count, columns, 2, random);
  for (uint64_t r = 0; r < count; ++r) {
    const double zeros = random.chance(0.3) ? 1 : random.uniform(0, 1);
    for (uint64_t c = 0; c < columns; ++c)
      if (random.chance(zeros)) samples.x[r * columns + c] = random.chance(0.5) ? 0.0f : -0.0f;
  }
  return samples;
}

TEST("samples die at any layer, in any company: answers are those of dense kernels, row by row") {
  Random random(31);
  for (int round = 0; round < 60; ++round) {
    const Ref<core::Model> model = dyingNetwork(random, round % 2 == 0);
    const Ref<core::Model> dense = withKind(*model, LayerKind::Sparse, LayerKind::Masked);
    const uint64_t count = random.chance(0.2) ? random.between(200, 400) : random.between(1, 100);
    const Samples samples = mostlyZero(count, model->definition.inputs, random);
    for (const backend::Output output : {backend::Output::Raw, backend::Output::Probabilities}) {
      const std::vector<float> expected = answers(dense, optionsOf(1), samples, 0, count, output);
      const uint64_t units = model->definition.layers.back().units;
      std::vector<float> single;
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(cpu::backend().createPredictor(dense, optionsOf(1), &predictor));
      for (uint64_t r = 0; r < count; ++r) {
        std::vector<float> row(units);
        REQUIRE_OK(predictor->predict(samples.rows(r, 1), output, row));
        single.insert(single.end(), row.begin(), row.end());
      }
      CHECK(sameBits(expected, single));
      for (const int threads : {1, 3}) {
        for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency}) {
          CHECK(sameBits(answers(model, optionsOf(threads, aim), samples, 0, count, output), expected));
          const uint64_t row = random.below(count);
          CHECK(sameBits(answers(model, optionsOf(threads, aim), samples, row, 1, output),
                         {expected.begin() + row * units, expected.begin() + (row + 1) * units}));
        }
      }
    }
  }
}

TEST("rows of zeros are answered rightly where an activation of 0 is not 0") {
  Random random(37);
  for (const Activation smooth : {Activation::Sigmoid, Activation::Tanh, Activation::Gelu, Activation::AllRelu}) {
    for (const bool bias : {false, true}) {
      // ReLU layers in which samples die, before and behind one whose units answer f(0), f(bias) to zeros.
      Ref<core::Model> model =
          randomModel(networkOf(40, {layerOf(LayerKind::Sparse, 30, Activation::Relu, 0.05),
                                     layerOf(LayerKind::Sparse, 25, smooth, 0.1, 0, bias),
                                     layerOf(LayerKind::Sparse, 30, Activation::Relu, 0.1),
                                     layerOf(LayerKind::Sparse, 20, smooth, 0.2, 0, bias),
                                     layerOf(LayerKind::Dense, 5, Activation::Linear, 1, 0, bias)}),
                      random, true);
      for (const size_t l : {0, 2})
        for (float& b : model->layers[l].bias) b = -std::fabs(b);
      const Samples samples = mostlyZero(150, 40, random);
      const Ref<core::Model> dense = withKind(*model, LayerKind::Sparse, LayerKind::Masked);
      // Row by row no sample waits or is answered by another one's zeros.
      std::vector<float> expected;
      for (uint64_t r = 0; r < 150; ++r) {
        const std::vector<float> row = answers(dense, optionsOf(1), samples, r, 1, backend::Output::Raw);
        expected.insert(expected.end(), row.begin(), row.end());
      }
      for (const int threads : {1, 3})
        for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency})
          CHECK(sameBits(answers(model, optionsOf(threads, aim), samples, 0, 150, backend::Output::Raw), expected));
      std::vector<float> exact(expected.size());
      Ref<backend::Predictor> reference;
      REQUIRE_OK(reference::backend().createPredictor(model, backend::PredictorOptions(), &reference));
      REQUIRE_OK(reference->predict(samples.rows(), backend::Output::Raw, exact));
      CHECK(relativeError(expected, exact) < 1e-5);
    }
  }
}

TEST("very many inputs are taken block by block, and the answers are the same") {
  Random random(35);
  for (const Activation activation :
       {Activation::Relu, Activation::Srelu, Activation::Linear, Activation::AllRelu, Activation::Sigmoid}) {
    const Ref<core::Model> model =
        randomModel(networkOf(16500, {layerOf(LayerKind::Sparse, 21, activation, 0.01),
                                      layerOf(LayerKind::Sparse, 30, Activation::Relu, 0.3)}),
                    random);
    const Samples samples = mostlyZero(70, 16500, random);
    const std::vector<float> expected = answers(withKind(*model, LayerKind::Sparse, LayerKind::Masked), optionsOf(1),
                                                samples, 0, 70, backend::Output::Raw);
    for (const int threads : {1, 3})
      for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency})
        for (const uint64_t count : {1, 2, 16, 17, 33, 70})
          CHECK(sameBits(answers(model, optionsOf(threads, aim), samples, 0, count, backend::Output::Raw),
                         {expected.begin(), expected.begin() + static_cast<int64_t>(count) * 30}));
    Samples broken = samples;
    broken.x[40 * 16500 + 16000] = NAN;
    std::vector<float> out(70 * 30);
    Ref<backend::Predictor> predictor;
    REQUIRE_OK(cpu::backend().createPredictor(model, optionsOf(1), &predictor));
    const Status status = predictor->predict(broken.rows(), backend::Output::Raw, out);
    CHECK(status.code() == Code::Nonfinite);
    CHECK(status.message().find("row 40, column 16000") != std::string::npos);
  }
}

TEST("a layer above the crossover density answers as one below it does") {
  Random random(32);
  const kernels::KernelTable* kernels = nullptr;
  REQUIRE_OK(kernels::active(&kernels));
  const double crossover = cpu::crossoverDensity(*kernels);
  CHECK(crossover >= 0.3);
  CHECK_EQ(crossover, cpu::crossoverDensity(*kernels));
  for (const double density : {0.25, 0.5, 0.8, 0.97}) {
    const Ref<core::Model> model =
        randomModel(networkOf(80, {layerOf(LayerKind::Sparse, 120, Activation::Relu, density),
                                   layerOf(LayerKind::Sparse, 7, Activation::Linear, density)}),
                    random);
    const Samples samples = randomSamples(70, 80, 7, random);
    const std::vector<float> expected = answers(withKind(*model, LayerKind::Sparse, LayerKind::Masked), optionsOf(1),
                                                samples, 0, 70, backend::Output::Raw);
    for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency})
      for (const uint64_t count : {1, 70})
        CHECK(sameBits(answers(model, optionsOf(2, aim), samples, 0, count, backend::Output::Raw),
                       {expected.begin(), expected.begin() + static_cast<int64_t>(count) * 7}));
  }
}

TEST("single rows have a form of their own where latency is what counts, and answer as ever") {
  Random random(36);
  // Several blocks for batches, one for single rows; the second layer perhaps on dense kernels.
  const Ref<core::Model> model = randomModel(networkOf(1500, {layerOf(LayerKind::Sparse, 700, Activation::Srelu, 0.06),
                                                              layerOf(LayerKind::Sparse, 40, Activation::Relu, 0.45)}),
                                             random);
  const Samples samples = randomSamples(3, 1500, 40, random);
  for (const backend::Precision precision : {backend::Precision::F32, backend::Precision::Bf16}) {
    for (const int threads : {1, 3}) {
      const auto of = [&](backend::OptimizeFor aim) { return optionsOf(threads, aim, precision); };
      const std::vector<float> expected =
          answers(model, of(backend::OptimizeFor::Throughput), samples, 0, 3, backend::Output::Raw);
      for (uint64_t row = 0; row < 3; ++row)
        CHECK(sameBits(answers(model, of(backend::OptimizeFor::Latency), samples, row, 1, backend::Output::Raw),
                       {expected.begin() + static_cast<int64_t>(row) * 40,
                        expected.begin() + static_cast<int64_t>(row + 1) * 40}));
    }
  }
  Ref<backend::Predictor> throughput, latency;
  REQUIRE_OK(cpu::backend().createPredictor(model, optionsOf(1), &throughput));
  REQUIRE_OK(cpu::backend().createPredictor(model, optionsOf(1, backend::OptimizeFor::Latency), &latency));
  // Columns (8 bytes a connection) and one more packed form (6).
  const double connections = static_cast<double>(core::connectionsOf(*model));
  CHECK(static_cast<double>(latency->bytes()) > static_cast<double>(throughput->bytes()) + 13 * connections);
}

TEST("bfloat16 answers are those of a network with rounded weights, sparse and masked, batched and single") {
  Random random(33);
  for (int round = 0; round < 20; ++round) {
    const Ref<core::Model> model =
        randomModel(networkOf(60, {layerOf(LayerKind::Sparse, 90, Activation::Relu, random.uniform(0.05, 0.9)),
                                   layerOf(LayerKind::Dense, 5, Activation::Linear)}),
                    random);
    const Samples samples = mostlyZero(50, 60, random);
    Ref<core::Model> rounded = copyOf(*model);
    for (core::LayerState& layer : rounded->layers)
      for (float& value : layer.weights.values) value = fromBfloat16(toBfloat16(value));
    const std::vector<float> expected = answers(rounded, optionsOf(1), samples, 0, 50, backend::Output::Raw);
    for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency}) {
      const backend::PredictorOptions options = optionsOf(2, aim, backend::Precision::Bf16);
      CHECK(sameBits(answers(model, options, samples, 0, 50, backend::Output::Raw), expected));
      CHECK(sameBits(answers(model, options, samples, 3, 1, backend::Output::Raw),
                     {expected.begin() + 15, expected.begin() + 20}));
    }
    CHECK(sameBits(answers(withKind(*model, LayerKind::Sparse, LayerKind::Masked),
                           optionsOf(1, backend::OptimizeFor::Throughput, backend::Precision::Bf16), samples, 0, 50,
                           backend::Output::Raw),
                   expected));
    CHECK(!sameBits(answers(model, optionsOf(1), samples, 0, 50, backend::Output::Raw), expected));
  }
}

TEST("a frozen sparse layer takes little more than six bytes a connection, four when rounded") {
  Random random(34);
  const Ref<core::Model> model =
      randomModel(networkOf(2000, {layerOf(LayerKind::Sparse, 1500, Activation::Relu, 0.04)}), random);
  const double connections = static_cast<double>(core::connectionsOf(*model));
  Ref<backend::Predictor> full, half;
  REQUIRE_OK(cpu::backend().createPredictor(model, optionsOf(1), &full));
  REQUIRE_OK(cpu::backend().createPredictor(
      model, optionsOf(1, backend::OptimizeFor::Throughput, backend::Precision::Bf16), &half));
  CHECK(static_cast<double>(full->bytes()) < 6.6 * connections);
  CHECK(static_cast<double>(half->bytes()) < 4.6 * connections);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) {
  setnet::cpu::pool::configure(3);
  return setnet::test::run(argc, argv);
}
