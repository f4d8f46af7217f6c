// Inputs as a sparse matrix: training and answers have the bits of the same numbers in a dense one, and panels hold
// what is there.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "cpu/pool/pool.h"
#include "cpu/sparse_features.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/random_network.h"
#include "train/scaling.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

// Most numbers are 0; some rows have none, some tell of zeros.
Samples sparseSamples(uint64_t count, uint64_t columns, double density, Random& random) {
  Samples samples;
  samples.columns = columns;
  samples.x.resize(count * columns);
  for (uint64_t r = 0; r < count; ++r) {
    samples.classes.push_back(static_cast<int32_t>(random.below(5)));
    if (random.chance(0.05)) continue;
    const uint64_t there = 1 + static_cast<uint64_t>(density * static_cast<double>(columns));
    for (uint64_t k = 0; k < there; ++k)
      samples.x[r * columns + random.below(columns)] = static_cast<float>(random.uniform(-2, 2));
  }
  return samples;
}

core::CsrMatrix sparseOf(const Samples& samples) {
  core::CsrMatrix matrix;
  matrix.rows = samples.count();
  matrix.columns = samples.columns;
  matrix.rowPointers.push_back(0);
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t c = 0; c < matrix.columns; ++c) {
      const float x = samples.x[r * matrix.columns + c];
      if (x == 0 && (r + c) % 97 != 0) continue;  // a zero that is stored is a zero
      matrix.columnIndices.push_back(static_cast<uint32_t>(c));
      matrix.values.push_back(x);
    }
    matrix.rowPointers.push_back(matrix.values.size());
  }
  return matrix;
}

// Given, without a mean.
void scaleInputs(core::Model* model, Random& random) {
  core::Scaling& scaling = model->scaling;
  scaling.kind = core::Scaling::Kind::Given;
  scaling.known = true;
  scaling.mean.assign(model->definition.inputs, 0.0f);
  for (uint64_t i = 0; i < model->definition.inputs; ++i)
    scaling.scale.push_back(static_cast<float>(random.uniform(-1, 3)));
}

Ref<core::Model> networkFor(uint64_t inputs, LayerKind first, double density, Random& random) {
  return randomModel(networkOf(inputs,
                               {layerOf(first, 70, Activation::Relu, density, 0.2),
                                layerOf(LayerKind::Sparse, 33, Activation::Srelu, 0.4),
                                layerOf(LayerKind::Dense, 5, Activation::Linear)},
                               11),
                     random, true);
}

// The same weights in a masked first layer, whose inputs are all there.
Ref<core::Model> maskedTwin(const core::Model& model) {
  Ref<core::Model> twin = copyOf(model);
  twin->definition.layers.front().kind = LayerKind::Masked;
  return twin;
}

// `model` on one thread and dense rows, and `twin` on several and on a sparse matrix, or on dense rows as well.
void trainBoth(const core::Model& model, const core::Model& twin, const Samples& samples, const core::CsrMatrix* sparse,
               int threads, const std::string& name) {
  backend::EngineOptions options;
  options.threads = threads;
  std::unique_ptr<backend::Engine> a, b;
  REQUIRE_OK(cpu::backend().createEngine(model, sgd(0.9, 1e-3), {1}, &a));
  REQUIRE_OK(cpu::backend().createEngine(twin, sgd(0.9, 1e-3), options, &b));
  Random random(77);
  uint64_t step = 0;
  for (const uint64_t count : {40, 1, 16, 33, 64, 17, 32, 100}) {
    std::vector<uint64_t> order(count);
    std::vector<int32_t> classes(count);
    for (uint64_t k = 0; k < count; ++k) {
      order[k] = random.below(samples.count());
      classes[k] = samples.classes[order[k]];
    }
    backend::RowSet dense = samples.rows(0, count);
    dense.indices = order.data();
    backend::RowSet other = dense;
    if (sparse) other.matrix = backend::MatrixView::of(*sparse);
    backend::StepResult first, second;
    REQUIRE_OK(a->step(dense, {classes.data()}, at(step, 0.05), &first));
    REQUIRE_OK(b->step(other, {classes.data()}, at(step, 0.05), &second));
    CHECK_EQ(first.lossSum, second.lossSum);
    CHECK_EQ(first.correct, second.correct);
    if (++step % 3 != 0) continue;
    std::vector<core::LayerEvolutionReport> reports;
    REQUIRE_OK(a->evolve(evolutionOf(0.3, step / 3), &reports));
    REQUIRE_OK(b->evolve(evolutionOf(0.3, step / 3), &reports));
  }
  Ref<core::Model> trained = copyOf(model), other = copyOf(twin);
  REQUIRE_OK(a->exportLayers(trained.get(), true));
  REQUIRE_OK(b->exportLayers(other.get(), true));
  CHECK(!firstDifference(*trained, model).empty());
  const std::string difference = firstDifference(*trained, *other);
  if (!difference.empty()) FAIL(name + ", " + std::to_string(threads) + " threads: " + difference);
  // What it answers while it trains.
  std::vector<float> x(samples.count() * 5), y(samples.count() * 5, 1.0f);
  REQUIRE_OK(a->forward(samples.rows(), x));
  backend::RowSet rows = samples.rows();
  if (sparse) rows.matrix = backend::MatrixView::of(*sparse);
  REQUIRE_OK(b->forward(rows, y));
  CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
}

TEST("training on a sparse matrix has the bits of training on a dense one") {
  Random random(90);
  for (const bool isScaled : {false, true}) {
    const Samples samples = sparseSamples(150, 90, 0.1, random);
    const core::CsrMatrix sparse = sparseOf(samples);
    for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
      const Ref<core::Model> model = networkFor(90, kind, 0.2, random);
      if (isScaled) scaleInputs(model.get(), random);
      for (const int threads : {1, 3})
        trainBoth(*model, *model, samples, &sparse, threads, core::kLayerKindNames[static_cast<int>(kind)]);
    }
  }
}

TEST(
    "inputs that are 0 in a whole batch are left out of a wide first layer: the bits of a masked one, which has them") {
  Random random(91);
  Samples samples = sparseSamples(120, 17000, 0.002, random);
  // Features of one block are there often, so that blocks differ in how many are alive.
  for (uint64_t r = 0; r < samples.count(); ++r)
    for (uint64_t c = 0; c < 300; ++c)
      if (random.chance(0.3)) samples.x[r * 17000 + c] = static_cast<float>(random.uniform(-1, 1));
  const core::CsrMatrix sparse = sparseOf(samples);
  for (const bool isScaled : {false, true}) {
    const Ref<core::Model> model = networkFor(17000, LayerKind::Sparse, 0.01, random);
    if (isScaled) scaleInputs(model.get(), random);
    const Ref<core::Model> masked = maskedTwin(*model);
    for (const int threads : {1, 3}) {
      trainBoth(*masked, *model, samples, &sparse, threads, "wide, sparse matrix");
      trainBoth(*masked, *model, samples, nullptr, threads, "wide, dense rows");
    }
  }
}

TEST("dense rows of a wide first layer that are seldom 0 or have a mean keep all inputs: the bits of a masked one") {
  Random random(95);
  const Samples samples = sparseSamples(100, 16400, 0.4, random);
  const Ref<core::Model> model = networkFor(16400, LayerKind::Sparse, 0.01, random);
  trainBoth(*maskedTwin(*model), *model, samples, nullptr, 2, "wide, many numbers");
  const Samples few = sparseSamples(100, 16400, 0.002, random);
  scaleInputs(model.get(), random);
  model->scaling.mean[7] = 0.25f;
  trainBoth(*maskedTwin(*model), *model, few, nullptr, 2, "wide, with a mean");
}

TEST("a number that is not finite among dense rows that are nearly all 0 is named by its row and column") {
  Random random(96);
  Samples samples = sparseSamples(60, 17000, 0.002, random);
  const Ref<core::Model> model = networkFor(17000, LayerKind::Sparse, 0.01, random);
  std::unique_ptr<backend::Engine> engine;
  REQUIRE_OK(cpu::backend().createEngine(*model, sgd(0.9, 1e-3), {1}, &engine));
  std::vector<uint64_t> order(32);
  for (uint64_t k = 0; k < order.size(); ++k) order[k] = 59 - k;
  backend::RowSet rows = samples.rows(0, order.size());
  rows.indices = order.data();
  samples.x[41 * 17000 + 16999] = std::numeric_limits<float>::quiet_NaN();
  backend::StepResult result;
  const Status status = engine->step(rows, {samples.classes.data()}, at(0, 0.05), &result);
  CHECK(status.code() == Code::Nonfinite);
  CHECK(status.message().find("row 41, column 16999") != std::string::npos);
}

void answerBoth(const Ref<core::Model>& model, const Samples& samples, const core::CsrMatrix& sparse) {
  for (const int threads : {1, 3}) {
    for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency}) {
      backend::PredictorOptions options;
      options.threads = threads;
      options.optimizeFor = aim;
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(cpu::backend().createPredictor(model, options, &predictor));
      for (const uint64_t count : {70, 1, 2, 16, 17, 32, 33, 65}) {
        for (const backend::Output output : {backend::Output::Raw, backend::Output::Probabilities}) {
          std::vector<float> x(count * 5), y(count * 5, 1.0f);
          const uint64_t first = samples.count() - count;
          REQUIRE_OK(predictor->predict(samples.rows(first, count), output, x));
          REQUIRE_OK(predictor->predict({backend::MatrixView::of(sparse), nullptr, first, count}, output, y));
          CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
        }
      }
      for (uint64_t row = 0; row < 10; ++row) {
        std::vector<float> x(5), y(5, 1.0f);
        REQUIRE_OK(predictor->predict(samples.rows(row, 1), backend::Output::Raw, x));
        REQUIRE_OK(predictor->predict({backend::MatrixView::of(sparse), nullptr, row, 1}, backend::Output::Raw, y));
        CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST("answers to sparse rows are those to dense ones, in batches of any size, few inputs and very many") {
  Random random(92);
  const Samples few = sparseSamples(80, 90, 0.1, random);
  const core::CsrMatrix fewSparse = sparseOf(few);
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
    const Ref<core::Model> model = networkFor(90, kind, 0.2, random);
    scaleInputs(model.get(), random);
    answerBoth(model, few, fewSparse);
  }
  // A layer of its own, on dense kernels, answers as well.
  answerBoth(randomModel(networkOf(90, {layerOf(LayerKind::Sparse, 5, Activation::Relu, 0.9)}), random), few,
             fewSparse);
  const Samples many = sparseSamples(80, 17000, 0.002, random);
  const core::CsrMatrix manySparse = sparseOf(many);
  for (const bool isScaled : {false, true}) {
    const Ref<core::Model> model = networkFor(17000, LayerKind::Sparse, 0.01, random);
    if (isScaled) scaleInputs(model.get(), random);
    answerBoth(model, many, manySparse);
  }
}

TEST("the reference reads a sparse matrix as the dense one") {
  Random random(93);
  const Samples samples = sparseSamples(20, 40, 0.1, random);
  const core::CsrMatrix sparse = sparseOf(samples);
  const Ref<core::Model> model = networkFor(40, LayerKind::Sparse, 0.2, random);
  scaleInputs(model.get(), random);
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(reference::backend().createPredictor(model, {}, &predictor));
  std::vector<float> x(100), y(100);
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, x));
  REQUIRE_OK(predictor->predict({backend::MatrixView::of(sparse), nullptr, 0, 20}, backend::Output::Raw, y));
  CHECK(x == y);
}

TEST("what means missing becomes 0 in a sparse matrix too") {
  Random random(94);
  for (const uint64_t inputs : {90, 17000}) {
    Samples samples = sparseSamples(40, inputs, 0.01, random);
    for (float& x : samples.x)
      if (x > 1) x = 9;
    const core::CsrMatrix sparse = sparseOf(samples);
    for (const double missing : {9.0, 0.0, std::numeric_limits<double>::quiet_NaN()}) {
      const Ref<core::Model> model = networkFor(inputs, LayerKind::Sparse, 0.02, random);
      scaleInputs(model.get(), random);
      model->scaling.hasMissing = true;
      model->scaling.missing = missing;
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(cpu::backend().createPredictor(model, {}, &predictor));
      std::vector<float> x(200), y(200);
      REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, x));
      REQUIRE_OK(predictor->predict({backend::MatrixView::of(sparse), nullptr, 0, 40}, backend::Output::Raw, y));
      CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
    }
  }
}

TEST("a mean that is not 0 refuses sparse rows, and a number that scaling makes infinite is named") {
  Random random(95);
  for (const uint64_t inputs : {90, 17000}) {
    const Samples samples = sparseSamples(40, inputs, 0.01, random);
    core::CsrMatrix sparse = sparseOf(samples);
    const Ref<core::Model> model = networkFor(inputs, LayerKind::Sparse, 0.02, random);
    scaleInputs(model.get(), random);
    const uint64_t bad = sparse.rowPointers[38];
    REQUIRE(bad < sparse.rowPointers[39]);
    sparse.values[bad] = 3e38f;
    model->scaling.scale[sparse.columnIndices[bad]] = 3;
    const std::string where = "row 38, column " + std::to_string(sparse.columnIndices[bad]);
    const backend::MatrixView view = backend::MatrixView::of(sparse);
    std::vector<float> out(200);
    std::unique_ptr<backend::Engine> engine;
    REQUIRE_OK(cpu::backend().createEngine(*model, sgd(), {2}, &engine));
    backend::StepResult result;
    Status status = engine->step({view, nullptr, 0, 40}, samples.targets(), at(0, 0.1), &result);
    CHECK(status.code() == Code::Nonfinite);
    CHECK(status.message().find(where) != std::string::npos);
    for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency}) {
      backend::PredictorOptions options;
      options.optimizeFor = aim;
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(cpu::backend().createPredictor(model, options, &predictor));
      status = predictor->predict({view, nullptr, 0, 40}, backend::Output::Raw, out);
      CHECK(status.code() == Code::Nonfinite);
      CHECK(status.message().find(where) != std::string::npos);
      status = predictor->predict({view, nullptr, 38, 1}, backend::Output::Raw, {out.data(), 5});
      CHECK(status.code() == Code::Nonfinite);
      CHECK(status.message().find(where) != std::string::npos);
      // Nothing of the failure stays.
      CHECK_OK(predictor->predict({view, nullptr, 0, 38}, backend::Output::Raw, {out.data(), 190}));
    }

    model->scaling.mean[7] = 0.5f;
    REQUIRE_OK(cpu::backend().createEngine(*model, sgd(), {2}, &engine));
    status = engine->step({view, nullptr, 0, 4}, samples.targets(), at(0, 0.1), &result);
    CHECK(status.code() == Code::Option);
    CHECK(status.message().find("scaling.mean[7]") != std::string::npos);
    CHECK(engine->forward({view, nullptr, 0, 40}, out).code() == Code::Option);
    for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(backend->createPredictor(model, {}, &predictor));
      CHECK(predictor->predict({view, nullptr, 0, 40}, backend::Output::Raw, out).code() == Code::Option);
    }
  }
}

TEST("scaling learned from a sparse matrix is 1 / root mean square, zeros counted, and has no mean") {
  core::CsrMatrix x;
  x.rows = 4;
  x.columns = 3;
  x.rowPointers = {0, 2, 2, 4, 5};
  x.columnIndices = {0, 1, 0, 1, 0};
  x.values = {2, 3, 4, 0, -4};
  const auto learn = [&](core::Scaling::Kind kind, const double* missing) {
    core::Scaling scaling;
    scaling.kind = kind;
    scaling.hasMissing = missing != nullptr;
    scaling.missing = missing ? *missing : 0;
    CHECK_OK(train::learnScaling(backend::MatrixView::of(x), &scaling));
    CHECK(scaling.known);
    for (float mean : scaling.mean) CHECK_EQ(mean, 0.0f);
    return scaling.scale;
  };
  const auto root = [](double meanSquare) { return static_cast<float>(1 / std::sqrt(meanSquare)); };
  using Kind = core::Scaling::Kind;
  CHECK(learn(Kind::PerFeature, nullptr) == (std::vector<float>{root(36.0 / 4), root(9.0 / 4), 0}));
  CHECK(learn(Kind::Global, nullptr) == (std::vector<float>{root(45.0 / 12)}));
  // Missing values are left out: a stored one, or all zeros.
  const double four = 4, zero = 0;
  CHECK(learn(Kind::PerFeature, &four) == (std::vector<float>{root(20.0 / 3), root(9.0 / 4), 0}));
  CHECK(learn(Kind::PerFeature, &zero) == (std::vector<float>{root(36.0 / 3), root(9.0), 0}));
  CHECK(learn(Kind::Global, &zero) == (std::vector<float>{root(45.0 / 4)}));
}

TEST("a training panel of a very wide sparse batch holds the inputs of the batch alone") {
  Random random(96);
  const Samples samples = sparseSamples(64, 17000, 0.002, random);
  const core::CsrMatrix sparse = sparseOf(samples);
  const Ref<core::Model> model = networkFor(17000, LayerKind::Sparse, 0.01, random);
  cpu::PackedMatrix packed;
  cpu::PackOptions options;
  options.updatable = true;
  REQUIRE_OK(packed.pack(model->layers[0].weights, options));
  REQUIRE(packed.blocks() > 1);
  cpu::LiveInputs live;
  for (const uint64_t first : {0, 32}) {
    REQUIRE_OK(live.begin({backend::MatrixView::of(sparse), nullptr, first, 32}, packed));
    std::vector<uint32_t> there(sparse.columnIndices.begin() + static_cast<int64_t>(sparse.rowPointers[first]),
                                sparse.columnIndices.begin() + static_cast<int64_t>(sparse.rowPointers[first + 32]));
    std::sort(there.begin(), there.end());
    const int64_t distinct = std::unique(there.begin(), there.end()) - there.begin();
    CHECK_EQ(live.features(), packed.blocks() + distinct);
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) {
  setnet::cpu::pool::configure(3);
  return setnet::test::run(argc, argv);
}
