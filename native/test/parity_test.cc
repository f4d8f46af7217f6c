// Bit for bit: a sparse network is its masked twin, whatever the number of threads, the instruction set (with fused
// multiply-add) and the batch it is computed in (one order of sums).
//
// Run as `parity_test --digests` it prints one line per scenario and nothing else; the test of the instruction sets
// starts itself like that under every SETNET_FORCE_ISA.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/float_bits.h"
#include "base/hash.h"
#include "cpu/backend.h"
#include "cpu/pool/pool.h"
#include "kernels/dispatch.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {
namespace {

using core::LayerKind;
using rules::Activation;

std::string ownPath;  // argv[0]

class Digest {
 public:
  template <class T>
  void add(const std::vector<T>& values) {
    const uint64_t size = values.size();
    hash_.update(&size, sizeof size);
    if (size > 0) hash_.update(values.data(), size * sizeof(T));
  }
  void add(const core::Model& model) {
    for (const core::LayerState& layer : model.layers) {
      add(layer.weights.rowPointers);
      add(layer.weights.columnIndices);
      add(layer.weights.values);
      add(layer.bias);
      for (const std::vector<float>& state : layer.weightState) add(state);
      for (const std::vector<float>& state : layer.biasState) add(state);
      add(layer.activationParameters);
      for (const std::vector<float>& state : layer.activationState) add(state);
    }
  }
  uint64_t value() const { return hash_.digest(); }

 private:
  Hash64 hash_;
};

// A network, how it trains, and on what.
struct Scenario {
  const char* name;
  Ref<core::Model> model;  // its layers that are not dense are sparse
  backend::TrainingRules rules;
  Samples samples;
  uint64_t steps = 0;
};

// Real inputs are full of zeros; tiny features make products that underflow, to either zero.
Samples awkwardSamples(uint64_t count, uint64_t columns, uint64_t classes, Random& random) {
  Samples samples = randomSamples(count, columns, classes, random);
  for (float& x : samples.x) {
    if (random.chance(0.3)) x = random.chance(0.5) ? 0.0f : -0.0f;
    if (random.chance(0.02)) x *= 1e-37f;
  }
  return samples;
}

Scenario smallScenario() {
  Random random(8000);
  core::NetworkDefinition definition = networkOf(
      45,
      {layerOf(LayerKind::Sparse, 67, Activation::Relu, 0.12, 0.3),
       layerOf(LayerKind::Sparse, 33, Activation::Linear, 0.3, 0.1, false),
       layerOf(LayerKind::Sparse, 50, Activation::Relu, 0.05), layerOf(LayerKind::Dense, 7, Activation::Linear)},
      0xABCDEF0123456789);
  Scenario scenario{"small", randomModel(definition, random, true), sgd(0.9, 2e-4), {}, 60};
  scenario.samples = awkwardSamples(300, 45, 7, random);
  return scenario;
}

// Wide enough for several blocks of columns and groups of rows, all layers sparse, Nesterov, bias decay.
Scenario wideScenario() {
  Random random(8001);
  core::NetworkDefinition definition = networkOf(2100,
                                                 {layerOf(LayerKind::Sparse, 130, Activation::Relu, 0.03, 0.2),
                                                  layerOf(LayerKind::Sparse, 10, Activation::Linear, 0.4)},
                                                 5);
  Scenario scenario{"wide", randomModel(definition, random, true), sgd(0.8, 1e-3, true, true), {}, 24};
  scenario.samples = awkwardSamples(200, 2100, 10, random);
  return scenario;
}

// Each layer is more than 200,000 multiply-adds at 16 samples, from where on a step is cut for threads: forward, input
// gradient and update, in both kinds.
Scenario deepScenario() {
  Random random(8002);
  core::NetworkDefinition definition = networkOf(
      190,
      {layerOf(LayerKind::Sparse, 310, Activation::Relu, 0.25, 0.3),
       layerOf(LayerKind::Sparse, 205, Activation::Relu, 0.25, 0.1),
       layerOf(LayerKind::Sparse, 301, Activation::Relu, 0.25), layerOf(LayerKind::Dense, 10, Activation::Linear)},
      6);
  Scenario scenario{"deep", randomModel(definition, random, true), sgd(0.9, 2e-4), {}, 15};
  scenario.samples = awkwardSamples(160, 190, 10, random);
  return scenario;
}

// Activations that learn, with and without dropout, also in the last layer; parts of layers end between groups of 16
// units.
Scenario learnedScenario() {
  Random random(8003);
  core::NetworkDefinition definition = networkOf(
      120,
      {layerOf(LayerKind::Sparse, 275, Activation::Srelu, 0.3, 0.3),
       layerOf(LayerKind::Sparse, 243, Activation::Srelu, 0.3),
       layerOf(LayerKind::Dense, 61, Activation::Srelu, 1, 0.2), layerOf(LayerKind::Sparse, 9, Activation::Srelu, 0.5)},
      7);
  Scenario scenario{"learned", randomModel(definition, random, true), sgd(0.9, 1e-3, false, true), {}, 24};
  scenario.samples = awkwardSamples(170, 120, 9, random);
  return scenario;
}

// Optimizers with more than one state, and decay beside the momentum.
Scenario withOptimizer(const char* name, Scenario scenario, const backend::TrainingRules& rules) {
  scenario.name = name;
  scenario.rules = rules;
  return scenario;
}

std::vector<Scenario> optimizerScenarios() {
  return {withOptimizer("adam", smallScenario(), adam(rules::Optimizer::Adam, 1e-8, 1e-3)),
          withOptimizer("adamw", learnedScenario(), adam(rules::Optimizer::Adamw, 1e-8, 1e-2, true)),
          withOptimizer("wide adam", wideScenario(), adam(rules::Optimizer::Adam)),
          withOptimizer("adam from birth", learnedScenario(), adam(rules::Optimizer::AdamBirth, 1e-8, 1e-3, true)),
          withOptimizer("clipped", learnedScenario(), clipped(sgd(0.9, 1e-3, true, true), 0.02)),
          withOptimizer("clipped adam, wide", wideScenario(), clipped(adam(rules::Optimizer::Adam), 0.01)),
          withOptimizer("unscaled decay", smallScenario(), sgd(0.9, 2e-4, false, true, true))};
}

// Activations of every other kind, with and without dropout: slopes from the result, from the input, by the sign, and
// turned over from layer to layer.
Scenario variedScenario() {
  Random random(8004);
  core::NetworkDefinition definition = networkOf(
      70,
      {layerOf(LayerKind::Sparse, 95, Activation::Sigmoid, 0.2, 0.3),
       layerOf(LayerKind::Sparse, 81, Activation::AllRelu, 0.2), layerOf(LayerKind::Sparse, 77, Activation::Gelu, 0.2),
       layerOf(LayerKind::Sparse, 90, Activation::Tanh, 0.2, 0.2),
       layerOf(LayerKind::Sparse, 66, Activation::LeakyRelu, 0.2),
       layerOf(LayerKind::Sparse, 72, Activation::Gelu, 0.2, 0.1),
       layerOf(LayerKind::Sparse, 51, Activation::AllRelu, 0.2, 0.2),
       layerOf(LayerKind::Dense, 43, Activation::Sigmoid), layerOf(LayerKind::Sparse, 8, Activation::Tanh, 0.5)},
      8);
  Scenario scenario{"varied", randomModel(definition, random, true), sgd(0.9, 2e-4), {}, 24};
  scenario.samples = awkwardSamples(150, 70, 8, random);
  return scenario;
}

// What a training run left behind, step by step.
struct Course {
  std::vector<double> losses;
  std::vector<uint64_t> correct;
  std::vector<core::LayerEvolutionReport> reports;
  std::vector<Ref<core::Model>> models;  // after every third of the steps, and after each evolution

  uint64_t digest() const {
    Digest digest;
    digest.add(losses);
    digest.add(correct);
    for (const Ref<core::Model>& model : models) digest.add(*model);
    return digest.value();
  }
};

// Evolutions that differ in every rule: SET with zeros, random pruning with drawn weights, largest without regrowing
// what was pruned, and the final removal.
backend::EvolutionSettings evolutionNumber(uint64_t number) {
  backend::EvolutionSettings settings = evolutionOf(0.3, number, number != 4);
  if (number == 2) {
    settings.rules.prune = static_cast<int>(rules::Prune::RandomPrune);
    settings.rules.newWeights.rule = static_cast<int>(rules::Initializer::HeUniform);
  }
  if (number == 3) {
    settings.rules.prune = static_cast<int>(rules::Prune::Largest);
    settings.rules.regrowPruned = false;
    settings.rules.newWeightsAsLayer = true;
  }
  return settings;
}

void train(const Scenario& scenario, const core::Model& model, int threads, Course* course) {
  backend::EngineOptions options;
  options.threads = threads;
  std::unique_ptr<backend::Engine> engine;
  REQUIRE_OK(cpu::backend().createEngine(model, scenario.rules, options, &engine));
  const auto keep = [&] {
    Ref<core::Model> copy = copyOf(model);
    CHECK_OK(engine->exportLayers(copy.get(), true));
    course->models.push_back(copy);
  };
  const uint64_t batches[] = {64, 1, 100, 33, 16, 17, 32, 5, 47};
  const uint64_t third = scenario.steps / 3;
  for (uint64_t step = 0; step < scenario.steps; ++step) {
    const uint64_t count = batches[step % std::size(batches)];
    const uint64_t first = step * 37 % (scenario.samples.count() - count);
    backend::StepResult result;
    REQUIRE_OK(
        engine->step(scenario.samples.rows(first, count), scenario.samples.targets(first), at(step, 0.05), &result));
    course->losses.push_back(result.lossSum);
    course->correct.push_back(result.correct);
    if (step % third != third - 1) continue;
    keep();
    const uint64_t number = step / third + 1;
    // The last of three thirds ends with two evolutions: an ordinary one and the final removal.
    for (uint64_t n = number; n <= (number == 3 ? 4 : number); ++n) {
      std::vector<core::LayerEvolutionReport> reports;
      REQUIRE_OK(engine->evolve(evolutionNumber(n), &reports));
      course->reports.insert(course->reports.end(), reports.begin(), reports.end());
      keep();
    }
  }
  CHECK_OK(engine->checkFinite());
}

void checkEqualCourses(const std::string& name, const Course& a, const Course& b) {
  REQUIRE(a.losses.size() == b.losses.size());
  for (size_t step = 0; step < a.losses.size(); ++step)
    if (std::memcmp(&a.losses[step], &b.losses[step], sizeof(double)) != 0)
      return FAIL(name + ": loss of step " + std::to_string(step) + " is " + show(a.losses[step]) + " and " +
                  show(b.losses[step]));
  CHECK(a.correct == b.correct);
  REQUIRE(a.models.size() == b.models.size());
  for (size_t m = 0; m < a.models.size(); ++m) {
    const std::string difference = firstDifference(*a.models[m], *b.models[m]);
    if (!difference.empty()) return FAIL(name + ": " + difference + " in model " + std::to_string(m));
  }
  REQUIRE(a.reports.size() == b.reports.size());
  for (size_t r = 0; r < a.reports.size(); ++r) {
    CHECK_EQ(a.reports[r].prunedPositive, b.reports[r].prunedPositive);
    CHECK_EQ(a.reports[r].prunedNegative, b.reports[r].prunedNegative);
    CHECK_EQ(a.reports[r].prunedZero, b.reports[r].prunedZero);
    CHECK_EQ(a.reports[r].grown, b.reports[r].grown);
    CHECK_EQ(a.reports[r].connections, b.reports[r].connections);
  }
}

void checkParity(const Scenario& scenario) {
  REQUIRE_OK(core::validateModel(*scenario.model));
  Ref<core::Model> masked = withKind(*scenario.model, LayerKind::Sparse, LayerKind::Masked);
  Course first;
  train(scenario, *scenario.model, 1, &first);
  REQUIRE(first.models.size() == 7);
  // There was something to compare: it learned, and every evolution moved connections.
  CHECK(!firstDifference(*first.models[0], *scenario.model).empty());
  CHECK(first.reports[0].grown > 0 && first.reports[0].prunedPositive > 0);
  for (int threads = 1; threads <= 3; ++threads) {
    const std::string with = std::string(scenario.name) + ", " + std::to_string(threads) + " threads";
    if (threads > 1) {
      Course sparse;
      train(scenario, *scenario.model, threads, &sparse);
      checkEqualCourses(with + ", sparse", sparse, first);
    }
    Course other;
    train(scenario, *masked, threads, &other);
    checkEqualCourses(with + ", masked", other, first);
  }
}

TEST("sparse and masked train to the same bits on 1, 2 and 3 threads, through four evolutions") {
  checkParity(smallScenario());
}

TEST("sparse and masked train to the same bits where a layer is wide") { checkParity(wideScenario()); }

TEST("sparse and masked train to the same bits where every pass is cut for threads") {
  checkParity(deepScenario());
  CHECK_EQ(cpu::pool::threadCount(), 2);  // beside the caller: the threads were there
}

TEST("sparse and masked train to the same bits where activations learn") {
  const Scenario scenario = learnedScenario();
  checkParity(scenario);
  Course course;
  train(scenario, *scenario.model, 2, &course);
  // All four parameters of every unit that has a connection moved; momentum is there.
  const core::LayerState& before = scenario.model->layers[0];
  const core::LayerState& after = course.models.back()->layers[0];
  REQUIRE(after.activationParameters.size() == 4 * 275 && after.activationState.size() == 1);
  int64_t moved = 0;
  for (size_t k = 0; k < after.activationParameters.size(); ++k)
    moved += after.activationParameters[k] != before.activationParameters[k] && after.activationState[0][k] != 0;
  CHECK(moved > 4 * 260);
}

TEST("sparse and masked train to the same bits under every optimizer") {
  for (const Scenario& scenario : optimizerScenarios()) checkParity(scenario);
}

TEST("what survives an evolution keeps the state of every optimizer bit for bit, what is new starts at 0") {
  for (const Scenario& scenario : optimizerScenarios()) {
    Course course;
    train(scenario, *scenario.model, 2, &course);
    REQUIRE(course.models.size() == 7);
    const size_t states = static_cast<size_t>(rules::stateCountOf(scenario.rules.optimizer.rule));
    // Models 0 and 1: before and after the first evolution, whose newcomers have the weight 0.
    const core::LayerState& before = course.models[0]->layers[0];
    const core::LayerState& after = course.models[1]->layers[0];
    REQUIRE(before.weightState.size() == states && after.weightState.size() == states);
    uint64_t survivors = 0, newcomers = 0;
    for (uint64_t r = 0; r < after.weights.rows; ++r) {
      const auto first = before.weights.columnIndices.begin();
      const auto rowBegin = first + static_cast<int64_t>(before.weights.rowPointers[r]);
      const auto rowEnd = first + static_cast<int64_t>(before.weights.rowPointers[r + 1]);
      for (uint64_t k = after.weights.rowPointers[r]; k < after.weights.rowPointers[r + 1]; ++k) {
        const auto was = std::lower_bound(rowBegin, rowEnd, after.weights.columnIndices[k]);
        const bool existed = was != rowEnd && *was == after.weights.columnIndices[k];
        const size_t from = static_cast<size_t>(was - first);
        // A weight of 0 was pruned, and so was what grew again in its own cell.
        const bool survived = existed && bitsOf(after.weights.values[k]) != 0;
        (survived ? survivors : newcomers) += 1;
        if (survived) CHECK_EQ(bitsOf(after.weights.values[k]), bitsOf(before.weights.values[from]));
        for (size_t s = 0; s < states; ++s)
          CHECK_EQ(bitsOf(after.weightState[s][k]), survived ? bitsOf(before.weightState[s][from]) : 0u);
      }
    }
    CHECK(survivors > 100 && newcomers > 50);
  }
}
TEST("sparse and masked train to the same bits under every activation") { checkParity(variedScenario()); }

TEST("a dense layer is a masked or sparse layer whose every cell exists") {
  Random random(8100);
  core::NetworkDefinition definition = networkOf(
      37, {layerOf(LayerKind::Dense, 41, Activation::Srelu, 1, 0.2), layerOf(LayerKind::Dense, 9, Activation::Linear)},
      3);
  Scenario scenario{"full", randomModel(definition, random), sgd(0.9, 1e-3), {}, 12};
  scenario.samples = awkwardSamples(150, 37, 9, random);
  Course dense;
  train(scenario, *scenario.model, 1, &dense);
  for (LayerKind kind : {LayerKind::Masked, LayerKind::Sparse})
    for (int threads = 1; threads <= 3; ++threads) {
      Ref<core::Model> full = withKind(*scenario.model, LayerKind::Dense, kind);
      for (core::LayerState& layer : full->layers)
        layer.weights = core::fullMatrix(layer.weights.rows, layer.weights.columns, layer.weights.values);
      REQUIRE_OK(core::validateModel(*full));
      Course other;
      train(scenario, *full, threads, &other);
      REQUIRE(other.reports.size() == dense.reports.size());
      for (const core::LayerEvolutionReport& report : other.reports) CHECK_EQ(report.grown, 0);
      for (Ref<core::Model>& model : other.models)
        for (core::LayerState& layer : model->layers) {
          CHECK_EQ(layer.weights.count(), layer.weights.values.size());
          layer.weights.rowPointers.clear();  // as a dense layer has it
          layer.weights.columnIndices.clear();
        }
      checkEqualCourses(core::kLayerKindNames[static_cast<int>(kind)], other, dense);
    }
}

// The answers for all samples, computed `batch` rows at a time.
std::vector<float> predictions(const Scenario& scenario, const core::Model& model, uint64_t batch, int threads,
                               backend::Output output) {
  const uint64_t units = model.definition.layers.back().units;
  std::vector<float> out(scenario.samples.count() * units);
  backend::PredictorOptions options;
  options.threads = threads;
  Ref<backend::Predictor> predictor;
  const Status made = cpu::backend().createPredictor(Ref<const core::Model>(&model), options, &predictor);
  if (!made.ok()) {
    FAIL(made.message());
    return out;
  }
  for (uint64_t first = 0; first < scenario.samples.count(); first += batch) {
    const uint64_t count = std::min(batch, scenario.samples.count() - first);
    CHECK_OK(predictor->predict(scenario.samples.rows(first, count), output,
                                Span<float>(out).part(first * units, count * units)));
  }
  return out;
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST("a row's answer depends neither on its batch, nor on threads, nor on the kind of layer") {
  for (Scenario scenario : {smallScenario(), wideScenario(), deepScenario(), learnedScenario(), variedScenario()}) {
    Ref<core::Model> masked = withKind(*scenario.model, LayerKind::Sparse, LayerKind::Masked);
    for (backend::Output output : {backend::Output::Raw, backend::Output::Probabilities}) {
      // One by one on one thread: what all others must give.
      const std::vector<float> single = predictions(scenario, *scenario.model, 1, 1, output);
      for (uint64_t batch = 1; batch <= 40; ++batch) {
        const int threads = 1 + static_cast<int>(batch % 3);
        if (!sameBits(predictions(scenario, *scenario.model, batch, threads, output), single))
          FAIL(std::string(scenario.name) + ": batch " + std::to_string(batch));
      }
      for (int threads = 1; threads <= 3; ++threads) {
        const uint64_t all = scenario.samples.count();
        CHECK(sameBits(predictions(scenario, *scenario.model, all, threads, output), single));
        CHECK(sameBits(predictions(scenario, *masked, all, threads, output), single));
      }
      CHECK(sameBits(predictions(scenario, *masked, 1, 1, output), single));
    }
    // Training's own forward gives the predictor's raw answer.
    std::unique_ptr<backend::Engine> engine;
    REQUIRE_OK(cpu::backend().createEngine(*scenario.model, scenario.rules, backend::EngineOptions(), &engine));
    const std::vector<float> single = predictions(scenario, *scenario.model, 1, 1, backend::Output::Raw);
    std::vector<float> forward(single.size());
    REQUIRE_OK(engine->forward(scenario.samples.rows(), forward));
    CHECK(sameBits(forward, single));
  }
}

// One line per scenario and kind, equal on every instruction set with fused multiply-add.
int printDigests() {
  const kernels::KernelTable* table = nullptr;
  const Status chosen = kernels::active(&table);
  if (!chosen.ok()) {
    std::printf("%s\n", chosen.message().c_str());
    return 1;
  }
  std::printf("isa %s\n", table->name);
  std::vector<Scenario> scenarios = {smallScenario(), wideScenario(), deepScenario(), learnedScenario(),
                                     variedScenario()};
  for (Scenario& scenario : optimizerScenarios()) scenarios.push_back(scenario);
  for (const Scenario& scenario : scenarios)
    for (LayerKind kind : {LayerKind::Sparse, LayerKind::Masked}) {
      Ref<core::Model> model = withKind(*scenario.model, LayerKind::Sparse, kind);
      Course course;
      train(scenario, *model, 2, &course);
      Digest answers;
      answers.add(predictions(scenario, *course.models.back(), 1, 1, backend::Output::Probabilities));
      answers.add(predictions(scenario, *course.models.back(), 40, 2, backend::Output::Raw));
      std::printf("%s %s training %016llx predictions %016llx\n", scenario.name,
                  core::kLayerKindNames[static_cast<int>(kind)], static_cast<unsigned long long>(course.digest()),
                  static_cast<unsigned long long>(answers.value()));
    }
  return state().failures == 0 ? 0 : 1;
}

// What this program prints with --digests under the forced instruction set; the first line apart.
std::string digestsUnder(const std::string& isa, std::string* firstLine) {
  std::string output;
  // Where this program runs in an emulator, so must the one that it starts.
  const char* launcher = std::getenv("SETNET_TEST_LAUNCHER");
  const std::string command =
      "SETNET_FORCE_ISA=" + isa + " " + (launcher ? launcher : "") + " '" + ownPath + "' --digests";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) {
    FAIL("cannot start " + command);
    return output;
  }
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  if (pclose(pipe) != 0) FAIL(command + " failed and printed: " + output);
  const size_t end = output.find('\n');
  *firstLine = output.substr(0, end);
  return end == std::string::npos ? "" : output.substr(end + 1);
}

TEST("every instruction set with fused multiply-add trains and predicts to the same bits") {
  std::string expected, expectedIsa;
  for (const kernels::Isa& isa : kernels::available()) {
    if (!isa.table->fused) continue;
    if (!isa.runsHere) {
      std::printf("    not run here: %s\n", isa.name);
      continue;
    }
    std::string firstLine;
    const std::string digests = digestsUnder(isa.name, &firstLine);
    CHECK_EQ(firstLine, std::string("isa ") + isa.name);
    CHECK(digests.find("wide masked training") != std::string::npos);
    if (expected.empty()) {
      expected = digests;
      expectedIsa = isa.name;
    }
    if (digests != expected) FAIL(std::string(isa.name) + " differs from " + expectedIsa + ":\n" + digests + expected);
  }
  if (expected.empty()) std::printf("    not run here: no fused multiply-add on this processor\n");
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) {
  setnet::test::ownPath = argv[0];
  setnet::cpu::pool::configure(3);  // whatever the machine has
  if (argc == 2 && std::strcmp(argv[1], "--digests") == 0) return setnet::test::printDigests();
  return setnet::test::run(argc, argv);
}
