// The CPU backend by itself: memory, threads that share a predictor, flags of threads that are not ours, what is
// refused. Its numbers are compared with the reference's in gradients_test.cc, its forms with each other in
// parity_test.cc.
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cpu/backend.h"
#include "cpu/buffer.h"
#include "cpu/layer.h"
#include "cpu/partition.h"
#include "test/check.h"
#include "test/random_network.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

// Every allocation of C++ is counted. Not inlined: compilers warn where they see malloc and delete side by side.
__attribute__((noinline)) void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

Ref<core::Model> testModel(LayerKind kind, Random& random) {
  return randomModel(
      networkOf(90, {layerOf(kind, 130, Activation::Relu, 0.2, 0.3), layerOf(kind, 70, Activation::Linear, 0.3, 0.2),
                     layerOf(LayerKind::Dense, 9, Activation::Linear)}),
      random);
}

TEST("a step allocates nothing after the first, with dropout, for sparse and masked, also for smaller batches") {
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked}) {
    for (const int threads : {1, 3}) {
      Random random(5);
      const Ref<core::Model> model = testModel(kind, random);
      const Samples samples = randomSamples(150, 90, 9, random);
      std::unique_ptr<backend::Engine> engine;
      REQUIRE_OK(cpu::backend().createEngine(*model, sgd(0.9, 1e-4), {threads}, &engine));
      backend::StepResult result;
      REQUIRE_OK(engine->step(samples.rows(0, 100), samples.targets(), at(0, 0.01), &result));
      const uint64_t before = allocations;
      for (uint64_t step = 1; step < 6; ++step)
        REQUIRE_OK(
            engine->step(samples.rows(step, 100 - 17 * (step % 3)), samples.targets(step), at(step, 0.01), &result));
      CHECK_EQ(allocations - before, 0);
    }
  }
}

TEST("predictions allocate nothing after the first") {
  Random random(6);
  const Ref<core::Model> model = testModel(LayerKind::Sparse, random);
  const Samples samples = randomSamples(150, 90, 9, random);
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(cpu::backend().createPredictor(model, {1}, &predictor));
  std::vector<float> out(150 * 9);
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, out));
  const uint64_t before = allocations;
  for (int round = 0; round < 5; ++round)
    REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Probabilities, out));
  CHECK_EQ(allocations - before, 0);
}

TEST("a prediction of one row allocates nothing after the first, whatever is asked and wherever the row lies") {
  for (const LayerKind kind : {LayerKind::Sparse, LayerKind::Masked, LayerKind::Dense}) {
    for (const backend::OptimizeFor aim : {backend::OptimizeFor::Throughput, backend::OptimizeFor::Latency}) {
      Random random(16);
      const Ref<core::Model> model = testModel(kind, random);
      const Samples samples = randomSamples(5, 90, 9, random);
      backend::PredictorOptions options;
      options.optimizeFor = aim;
      Ref<backend::Predictor> predictor;
      REQUIRE_OK(cpu::backend().createPredictor(model, options, &predictor));
      std::vector<float> out(9);
      REQUIRE_OK(predictor->predict(samples.rows(0, 1), backend::Output::Raw, out));
      const uint64_t before = allocations;
      for (uint64_t row = 0; row < 5; ++row)
        for (const backend::Output output : {backend::Output::Raw, backend::Output::Probabilities})
          REQUIRE_OK(predictor->predict(samples.rows(row, 1), output, out));
      CHECK_EQ(allocations - before, 0);
      CHECK(predictor->bytes() >= core::connectionsOf(*model) * 2);
    }
  }
}

TEST("one predictor answers many threads at the same time, each as if it were alone") {
  Random random(7);
  const Ref<core::Model> model = testModel(LayerKind::Masked, random);
  const Samples samples = randomSamples(100, 90, 9, random);
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(cpu::backend().createPredictor(model, {2}, &predictor));
  std::vector<float> expected(100 * 9);
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, expected));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (uint64_t round = 0; round < 20; ++round) {
        const uint64_t first = (round * 7 + static_cast<uint64_t>(t) * 13) % 60, count = 1 + (round * 5) % 40;
        std::vector<float> out(count * 9);
        const Status status = predictor->predict(samples.rows(first, count), backend::Output::Raw, out);
        wrong += !status.ok() || std::memcmp(out.data(), expected.data() + first * 9, out.size() * sizeof(float)) != 0;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
}

TEST("the calling thread keeps its own treatment of subnormal numbers") {
  Random random(8);
  const Ref<core::Model> model = testModel(LayerKind::Sparse, random);
  const Samples samples = randomSamples(20, 90, 9, random);
  std::unique_ptr<backend::Engine> engine;
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(cpu::backend().createEngine(*model, sgd(), {1}, &engine));
  REQUIRE_OK(cpu::backend().createPredictor(model, {1}, &predictor));
  backend::StepResult result;
  std::vector<float> out(20 * 9);
  volatile float tiny = 1e-39f;
  REQUIRE_OK(engine->step(samples.rows(), samples.targets(), at(0, 0.01), &result));
  CHECK(tiny * 0.5f > 0);
  REQUIRE_OK(engine->forward(samples.rows(), out));
  CHECK(tiny * 0.5f > 0);
  REQUIRE_OK(predictor->predict(samples.rows(), backend::Output::Raw, out));
  CHECK(tiny * 0.5f > 0);
}

TEST("what does not fit is refused with a code, and nothing has changed") {
  Random random(9);
  const Ref<core::Model> model = testModel(LayerKind::Sparse, random);
  Samples samples = randomSamples(20, 90, 9, random);
  std::unique_ptr<backend::Engine> engine;
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(cpu::backend().createEngine(*model, sgd(), {1}, &engine));
  REQUIRE_OK(cpu::backend().createPredictor(model, {1}, &predictor));
  backend::StepResult result;
  std::vector<float> out(20 * 9), small(19 * 9);
  CHECK(engine->step(samples.rows(0, 0), samples.targets(), at(0, 0.1), &result).code() == Code::Data);
  CHECK(engine->step(samples.rows(1, 20), samples.targets(), at(0, 0.1), &result).code() == Code::Shape);
  CHECK(engine->step(samples.rows(), {}, at(0, 0.1), &result).code() == Code::Data);
  CHECK(engine->forward(samples.rows(), small).code() == Code::Shape);
  CHECK(predictor->predict(samples.rows(), backend::Output::Raw, small).code() == Code::Shape);
  samples.classes[4] = 9;
  CHECK(engine->step(samples.rows(), samples.targets(), at(0, 0.1), &result).code() == Code::Data);
  samples.classes[4] = -1;
  CHECK(engine->step(samples.rows(), samples.targets(), at(0, 0.1), &result).code() == Code::Data);
  backend::RowSet narrow = samples.rows();
  narrow.matrix.columns = 89;
  CHECK(predictor->predict(narrow, backend::Output::Raw, out).code() == Code::Shape);
  const uint64_t indices[] = {3, 20};
  backend::RowSet chosen = samples.rows(0, 2);
  chosen.indices = indices;
  std::vector<float> two(2 * 9);
  CHECK(predictor->predict(chosen, backend::Output::Raw, two).code() == Code::Shape);
  Ref<core::Model> unknown = copyOf(*model);
  unknown->scaling.kind = core::Scaling::Kind::PerFeature;
  unknown->scaling.known = false;
  CHECK(cpu::backend().createEngine(*unknown, sgd(), {1}, &engine).code() == Code::State);

  core::Model exported;
  exported.definition = model->definition;
  REQUIRE_OK(engine->exportLayers(&exported, false));
  CHECK_EQ(firstDifference(exported, *model), "");
}

TEST("no rows: nothing is asked and nothing is answered") {
  Random random(10);
  const Ref<core::Model> model = testModel(LayerKind::Sparse, random);
  const Samples samples = randomSamples(3, 90, 9, random);
  Ref<backend::Predictor> predictor;
  REQUIRE_OK(cpu::backend().createPredictor(model, {1}, &predictor));
  CHECK_OK(predictor->predict(samples.rows(0, 0), backend::Output::Raw, Span<float>()));
}

TEST("rows are cut for threads where the connections are, and every row is in one part") {
  const std::vector<uint64_t> pointers = {0, 0, 100, 100, 110, 1000, 1001, 1002, 1500, 1500, 2000};
  for (int parts = 1; parts < 14; ++parts) {
    const std::vector<int64_t> cuts = cpu::cutRows(pointers, parts);
    REQUIRE(cuts.size() == static_cast<size_t>(parts) + 1);
    CHECK_EQ(cuts.front(), 0);
    CHECK_EQ(cuts.back(), 10);
    for (int part = 0; part < parts; ++part) CHECK(cuts[part] <= cuts[part + 1]);
    int64_t next = 0;
    for (int part = 0; part < parts; ++part) {
      const cpu::Range range = cpu::evenRange(100, 16, parts, part);
      CHECK_EQ(range.begin, next);
      CHECK(range.begin % 16 == 0 || range.begin == 100);
      next = range.end;
    }
    CHECK_EQ(next, 100);
  }
  const std::vector<int64_t> halves = cpu::cutRows(pointers, 2);
  CHECK(halves[1] == 5 || halves[1] == 4);
}

TEST("a buffer that cannot be had is a status, not an exception") {
  cpu::Buffer<float> buffer;
  CHECK(buffer.reserve(~uint64_t{0}).code() == Code::Memory);
  CHECK(buffer.reserve(uint64_t{1} << 60).code() == Code::Memory);
  CHECK_OK(buffer.reserve(1000));
  buffer[999] = 1;
  CHECK_OK(buffer.reserve(10));
  CHECK_EQ(buffer[999], 1);
  CHECK_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0);
  cpu::DenseForm dense;
  CHECK(dense.allocate(uint64_t{1} << 30, uint64_t{1} << 30, 1, true).code() == Code::Memory);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
