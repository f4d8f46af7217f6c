// Evolution of a layer against a short model on maps from cells to weights, over random layers; its refusals; and the
// check of its invariants against broken results.
#include "core/evolve.h"

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "base/bijection.h"
#include "base/float_bits.h"
#include "base/flush_subnormals.h"
#include "core/initialize.h"
#include "core/topology.h"
#include "test/check.h"

using namespace setnet;
using namespace setnet::core;

namespace {

using Random = std::mt19937_64;
using Cells = std::map<uint64_t, uint32_t>;  // cell -> bits of its weight

double uniform(Random& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

rules::RuleChoice initializer(const char* name) {
  return rules::defaultsOf(rules::kInitializers, rules::findRule(rules::kInitializers, name));
}

CsrMatrix randomLayer(Random& random) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float palette[] = {0.0f, -0.0f, tiny, -tiny, 0.5f, -0.5f, 0.25f, -0.25f, 3e38f, -3e38f};
  CsrMatrix m;
  m.rows = random() % 12;
  m.columns = random() % 12;
  if (random() % 8 == 0) m.columns = 1 + random() % 300;
  const double density = random() % 4 == 0 ? static_cast<double>(random() % 2) : uniform(random);
  const bool ties = random() % 2;
  m.rowPointers.push_back(0);
  for (uint64_t r = 0; r < m.rows; ++r) {
    for (uint64_t c = 0; c < m.columns; ++c) {
      if (uniform(random) >= density) continue;
      m.columnIndices.push_back(static_cast<uint32_t>(c));
      m.values.push_back(ties ? palette[random() % 10] : static_cast<float>(uniform(random) - 0.5));
    }
    m.rowPointers.push_back(m.columnIndices.size());
  }
  return m;
}

Cells cellMap(const CsrMatrix& m) {
  Cells cells;
  const std::vector<uint64_t> numbers = cellsOf(m);
  for (size_t i = 0; i < numbers.size(); ++i) cells[numbers[i]] = bitsOf(m.values[i]);
  return cells;
}

// SET's evolution in a few lines: prune by sign from a sorted list, then grow draw by draw.
Cells evolvedModel(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input) {
  Cells cells = cellMap(before);
  const Cells all = cells;
  std::vector<std::pair<uint32_t, uint64_t>> bySign[2];
  for (const auto& [cell, bits] : all) {
    if (bits << 1 == 0) {
      if (!rules.keepZeros) cells.erase(cell);
    } else {
      bySign[bits >> 31].push_back({bits, cell});
    }
  }
  for (auto& ofSign : bySign) {
    std::sort(ofSign.begin(), ofSign.end());
    ofSign.resize(static_cast<size_t>(input.zeta * static_cast<double>(ofSign.size()) + 1e-9));
    for (const auto& weakest : ofSign) cells.erase(weakest.second);
  }
  if (!input.growBack) return cells;
  const Bijection pi({input.seed, Purpose::Topology, input.layer, input.evolution},
                     std::max<uint64_t>(1, before.rows * before.columns));
  std::vector<uint64_t> newcomers;
  const uint64_t wanted = input.budget == kAsRemoved ? all.size() : input.budget;
  for (uint64_t i = 0; i < before.rows * before.columns && cells.size() < wanted; ++i) {
    const uint64_t cell = pi(i);
    if (cells.count(cell) || (!rules.regrowPruned && all.count(cell))) continue;
    cells[cell] = 0;
    newcomers.push_back(cell);
  }
  if (newcomers.empty()) return cells;
  const double inputs = static_cast<double>(before.columns), outputs = static_cast<double>(before.rows);
  const double count = static_cast<double>(cells.size());
  const rules::WeightScale scale =
      rules::weightScale(rules.newWeightsAsLayer ? input.layerInitializer : rules.newWeights,
                         {count / outputs, count / inputs, inputs, outputs});
  for (uint64_t cell : newcomers)
    cells[cell] = bitsOf(weightOfCell({input.seed, Purpose::NewWeight, input.layer, input.evolution}, cell, scale));
  return cells;
}

struct Evolved {
  Status status;
  CsrMatrix after;
  std::vector<uint64_t> origin;
  LayerEvolutionReport report;
};

EvolutionRules setRules() {
  EvolutionRules rules;
  rules.newWeights = initializer("zero");
  return rules;
}

Evolved evolve(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input) {
  Evolved e;
  e.status = evolveLayer(before, rules, input, &e.after, &e.origin, &e.report);
  return e;
}

// Through the interface for layers with state: what the evolution writes lies between elements that must stay.
struct EvolvedInPlace {
  Status status;
  CsrMatrix after;
  std::vector<float> state[2];
  std::vector<uint64_t> origin;
  LayerEvolutionReport report;
};

EvolvedInPlace evolveWithState(const CsrMatrix& before, const std::vector<float>* state, int stateCount,
                               const EvolutionRules& rules, const LayerEvolutionInput& input, EvolutionMemory* memory) {
  constexpr uint32_t kGuard = 0xABCDEF01;
  const size_t count = roomForEvolution(before.count(), input.budget);
  EvolvedInPlace e;
  e.after.rows = before.rows;
  e.after.columns = before.columns;
  e.after.rowPointers.assign(before.rows + 2, kGuard);
  e.after.columnIndices.assign(count + 1, kGuard);
  e.after.values.assign(count + 1, floatOf(kGuard));
  e.origin.assign(count + 1, kGuard);
  EvolutionSource source;
  EvolutionTarget target;
  source.matrix = before;
  source.stateCount = stateCount;
  for (int s = 0; s < stateCount; ++s) {
    e.state[s].assign(count + 1, floatOf(kGuard));
    source.state[s] = state[s].data();
    target.state[s] = e.state[s].data();
  }
  target.rowPointers = e.after.rowPointers.data();
  target.columnIndices = e.after.columnIndices.data();
  target.values = e.after.values.data();
  target.origin = e.origin.data();
  e.status = evolveLayer(source, rules, input, memory, target, &e.report);
  CHECK_EQ(e.after.rowPointers.back(), kGuard);
  CHECK_EQ(e.after.columnIndices.back(), kGuard);
  CHECK_EQ(bitsOf(e.after.values.back()), kGuard);
  CHECK_EQ(e.origin.back(), kGuard);
  for (int s = 0; s < stateCount; ++s) CHECK_EQ(bitsOf(e.state[s].back()), kGuard);
  e.after.rowPointers.pop_back();
  e.after.columnIndices.resize(e.report.connections);
  e.after.values.resize(e.report.connections);
  e.origin.resize(e.report.connections);
  return e;
}

LayerEvolutionInput inputOf(double zeta, bool growBack = true, uint64_t evolution = 1) {
  LayerEvolutionInput input;
  input.zeta = zeta;
  input.growBack = growBack;
  input.seed = 42;
  input.layer = 1;
  input.evolution = evolution;
  input.layerInitializer = initializer("heUniform");
  return input;
}

CsrMatrix weightedLayer(uint64_t inputs, uint64_t units, double epsilon, uint64_t seed) {
  CsrMatrix m;
  if (!drawTopology(inputs, units, {epsilon, -1}, Draw::Exact, seed, 1, &m).ok()) FAIL("no topology");
  const std::vector<uint64_t> cells = cellsOf(m);
  weightsOfCells({seed, Purpose::InitialWeight, 1, 0}, cells, {false, 0.5}, m.values);
  return m;
}

void expectBroken(const CsrMatrix& before, const Evolved& e, bool growBack, const std::string& text) {
  const Status status = checkEvolution(before, e.after, e.origin, e.report, growBack);
  CHECK_EQ(status.code(), Code::Internal);
  if (status.message().find(text) == std::string::npos) FAIL("'" + status.message() + "' lacks '" + text + "'");
}

}  // namespace

TEST("evolution does what the model does, on random layers") {
  Random random(1);
  for (int round = 0; round < 1500; ++round) {
    const CsrMatrix before = randomLayer(random);
    EvolutionRules rules = setRules();
    rules.regrowPruned = random() % 3 != 0;
    rules.keepZeros = random() % 4 == 0;
    rules.newWeightsAsLayer = random() % 3 == 0;
    rules.newWeights = initializer(random() % 2 ? "zero" : "normal");
    const double zetas[] = {0, 0.3, 0.5, 1, uniform(random)};
    LayerEvolutionInput input = inputOf(zetas[random() % 5], random() % 5 != 0, random() % 7);
    input.seed = random();
    if (random() % 3 == 0) input.budget = random() % (before.count() + before.rows * before.columns / 2 + 2);
    const Evolved e = evolve(before, rules, input);
    if (!e.status.ok()) FAIL(e.status.message());
    const Status invariants = checkEvolution(before, e.after, e.origin, e.report, input.growBack, input.budget);
    if (!invariants.ok()) FAIL(invariants.message());
    CHECK(cellMap(e.after) == evolvedModel(before, rules, input));
  }
}

TEST("states move with their connections and begin at 0, in memory that other layers have used") {
  Random random(11);
  EvolutionMemory memory;
  for (int round = 0; round < 800; ++round) {
    const CsrMatrix before = randomLayer(random);
    std::vector<float> state[2];
    for (std::vector<float>& s : state) {
      s.resize(before.count());
      for (float& x : s) x = static_cast<float>(uniform(random) + 1);
    }
    EvolutionRules rules = setRules();
    rules.regrowPruned = random() % 3 != 0;
    rules.keepZeros = random() % 4 == 0;
    rules.newWeights = initializer(random() % 2 ? "zero" : "heUniform");
    const double zetas[] = {0, 0.3, 0.5, 1, uniform(random)};
    LayerEvolutionInput input = inputOf(zetas[random() % 5], random() % 5 != 0, random() % 7);
    input.seed = random();
    if (random() % 3 == 0) input.budget = random() % (before.count() + before.rows * before.columns / 2 + 2);
    const int stateCount = round % 3;
    const EvolvedInPlace e = evolveWithState(before, state, stateCount, rules, input, &memory);
    if (!e.status.ok()) FAIL(e.status.message());
    const Status invariants = checkEvolution(before, e.after, e.origin, e.report, input.growBack, input.budget);
    if (!invariants.ok()) FAIL(invariants.message());
    CHECK(cellMap(e.after) == evolvedModel(before, rules, input));
    for (int s = 0; s < stateCount; ++s) {
      for (size_t i = 0; i < e.origin.size(); ++i)
        CHECK_EQ(bitsOf(e.state[s][i]), e.origin[i] == kNewcomer ? 0 : bitsOf(state[s][e.origin[i]]));
    }
  }
}

TEST("layers of one row, of one column, and with rows empty and full evolve as the model does") {
  Random random(12);
  EvolutionMemory memory;
  const auto layerOf = [&](uint64_t rows, uint64_t columns, auto density) {
    CsrMatrix m;
    m.rows = rows;
    m.columns = columns;
    m.rowPointers.push_back(0);
    for (uint64_t r = 0; r < rows; ++r) {
      for (uint64_t c = 0; c < columns; ++c) {
        if (uniform(random) >= density(r)) continue;
        m.columnIndices.push_back(static_cast<uint32_t>(c));
        m.values.push_back(static_cast<float>(static_cast<int>(random() % 9) - 4));
      }
      m.rowPointers.push_back(m.columnIndices.size());
    }
    return m;
  };
  const auto even = [](uint64_t) { return 0.4; };
  const auto emptyOrFull = [](uint64_t r) { return r % 3 == 0 ? 1.0 : 0.0; };
  const auto firstOnly = [](uint64_t r) { return r == 0 ? 0.9 : 0.0; };  // all rows behind it get newcomers only
  const CsrMatrix layers[] = {layerOf(1, 1, even),           layerOf(1, 1000, even),      layerOf(1000, 1, even),
                              layerOf(40, 130, emptyOrFull), layerOf(20, 200, firstOnly), layerOf(300, 2, even),
                              layerOf(2, 70000, even)};
  for (const CsrMatrix& before : layers) {
    for (const double zeta : {0.0, 0.3, 1.0}) {
      for (const bool regrow : {true, false}) {
        EvolutionRules rules = setRules();
        rules.regrowPruned = regrow;
        const EvolvedInPlace e = evolveWithState(before, nullptr, 0, rules, inputOf(zeta), &memory);
        if (!e.status.ok()) FAIL(e.status.message());
        CHECK(checkEvolution(before, e.after, e.origin, e.report, true).ok());
        CHECK(cellMap(e.after) == evolvedModel(before, rules, inputOf(zeta)));
      }
    }
  }
}

TEST("a layer of 2^33 cells evolves as the model does") {
  CsrMatrix before = weightedLayer(uint64_t{1} << 20, uint64_t{1} << 13, 0.01, 5);
  CHECK_EQ(before.rows * before.columns, uint64_t{1} << 33);
  REQUIRE(before.count() > 10000);
  const EvolutionRules rules = setRules();
  const Evolved e = evolve(before, rules, inputOf(0.3));
  if (!e.status.ok()) FAIL(e.status.message());
  CHECK(checkEvolution(before, e.after, e.origin, e.report, true).ok());
  CHECK(cellMap(e.after) == evolvedModel(before, rules, inputOf(0.3)));
}

TEST("the time of the phases is reported where somebody asks, and only there") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  CHECK_EQ(evolve(before, setRules(), inputOf(0.3)).report.phases.size(), 0);
  LayerEvolutionInput input = inputOf(0.3);
  input.measurePhases = true;
  const Phases phases = evolve(before, setRules(), input).report.phases;
  std::string names;
  for (int i = 0; i < phases.size(); ++i) {
    names += std::string(phases.name(i)) + ",";
    CHECK(phases.seconds(i) >= 0 && phases.seconds(i) < 60);
  }
  CHECK_EQ(names, "check,prune,count,draw,sort,keep free,cut,new weights,merge,");
}

TEST("more states than an optimizer can have are refused") {
  const CsrMatrix before = weightedLayer(20, 10, 2, 3);
  EvolutionSource source;
  source.matrix = before;
  source.stateCount = rules::kMaxOptimizerState + 1;
  EvolutionMemory memory;
  LayerEvolutionReport report;
  CHECK_EQ(evolveLayer(source, setRules(), inputOf(0.3), &memory, {}, &report).code(), Code::Internal);
}

TEST("evolution gives the same bits while subnormals are flushed") {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    const CsrMatrix before = randomLayer(random);
    const Evolved plain = evolve(before, setRules(), inputOf(0.3));
    Evolved flushed;
    {
      FlushSubnormals flush;
      flushed = evolve(before, setRules(), inputOf(0.3));
    }
    CHECK(cellMap(plain.after) == cellMap(flushed.after));
    CHECK(plain.origin == flushed.origin);
  }
}

TEST("the report counts what was pruned by sign, zeros apart, and what has grown") {
  CsrMatrix m;
  m.rows = 2;
  m.columns = 10;
  m.rowPointers = {0, 6, 11};
  m.columnIndices = {0, 1, 2, 3, 4, 5, 0, 2, 4, 6, 8};
  m.values = {1, 2, 3, 4, -1, -2, -3, 0.0f, -0.0f, 5, -4};
  const Evolved e = evolve(m, setRules(), inputOf(0.5));
  REQUIRE(e.status.ok());
  CHECK_EQ(e.report.prunedPositive, 2);  // of 5
  CHECK_EQ(e.report.prunedNegative, 2);  // of 4
  CHECK_EQ(e.report.prunedZero, 2);
  CHECK_EQ(e.report.grown, 6);
  CHECK_EQ(e.report.connections, 11);
  CHECK_EQ(e.after.count(), 11);
}

TEST("survivors keep their bits and their place in the order, and newcomers are zero by default") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  const Evolved e = evolve(before, setRules(), inputOf(0.3));
  REQUIRE(e.status.ok());
  uint64_t newcomers = 0;
  for (size_t i = 0; i < e.origin.size(); ++i) {
    if (e.origin[i] == kNewcomer) {
      ++newcomers;
      CHECK_EQ(bitsOf(e.after.values[i]), 0u);
    } else {
      CHECK_EQ(bitsOf(e.after.values[i]), bitsOf(before.values[e.origin[i]]));
      CHECK_EQ(e.after.columnIndices[i], before.columnIndices[e.origin[i]]);
    }
  }
  CHECK_EQ(newcomers, e.report.grown);
  CHECK_EQ(e.after.count(), before.count());
}

TEST("newcomers that never got a weight are removed by the next evolution") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  const Evolved first = evolve(before, setRules(), inputOf(0.3));
  const Evolved second = evolve(first.after, setRules(), inputOf(0, true, 2));
  REQUIRE(second.status.ok());
  CHECK_EQ(second.report.prunedZero, first.report.grown);
  CHECK_EQ(second.report.prunedPositive + second.report.prunedNegative, 0);
  CHECK_EQ(second.after.count(), before.count());
}

TEST("removal alone grows nothing") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  const Evolved e = evolve(before, setRules(), inputOf(0.3, false));
  REQUIRE(e.status.ok());
  CHECK_EQ(e.report.grown, 0);
  CHECK_EQ(e.after.count(), before.count() - e.report.prunedPositive - e.report.prunedNegative);
  CHECK_EQ(e.report.connections, e.after.count());
}

TEST("zeta 0 changes nothing where no weight is zero, and zeta 1 replaces everything") {
  const CsrMatrix before = weightedLayer(60, 40, 5, 9);
  const Evolved none = evolve(before, setRules(), inputOf(0));
  CHECK(cellMap(none.after) == cellMap(before));
  EvolutionRules rules = setRules();
  rules.regrowPruned = false;
  const Evolved all = evolve(before, rules, inputOf(1));
  REQUIRE(all.status.ok());
  CHECK_EQ(all.report.grown, before.count());
  for (const auto& [cell, bits] : cellMap(all.after)) CHECK_EQ(cellMap(before).count(cell) + bits, 0);
}

TEST("growth is limited by the free cells") {
  const CsrMatrix full = fullMatrix(4, 5, std::vector<float>(20, 0.5f));
  EvolutionRules rules = setRules();
  Evolved e = evolve(full, rules, inputOf(0.3));
  REQUIRE(e.status.ok());
  CHECK_EQ(e.report.grown, 6);
  CHECK_EQ(e.after.count(), 20);
  rules.regrowPruned = false;
  e = evolve(full, rules, inputOf(0.3));
  REQUIRE(e.status.ok());
  CHECK_EQ(e.report.grown, 0);
  CHECK_EQ(e.after.count(), 14);
  CHECK(checkEvolution(full, e.after, e.origin, e.report, true).ok());
}

TEST("newcomers depend on the evolution, the layer and the seed") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  const Cells reference = cellMap(evolve(before, setRules(), inputOf(0.3)).after);
  CHECK(reference == cellMap(evolve(before, setRules(), inputOf(0.3)).after));
  CHECK(reference != cellMap(evolve(before, setRules(), inputOf(0.3, true, 2)).after));
  LayerEvolutionInput other = inputOf(0.3);
  other.layer = 2;
  CHECK(reference != cellMap(evolve(before, setRules(), other).after));
  other = inputOf(0.3);
  other.seed = 43;
  CHECK(reference != cellMap(evolve(before, setRules(), other).after));
}

TEST("two runs whose pruning differs in a few cells share nearly all newcomers") {
  const CsrMatrix one = weightedLayer(500, 300, 10, 3);
  CsrMatrix other = one;
  for (size_t i = 0; i < 5; ++i) other.values[i * 1000] = i % 2 ? 0.49f : 1e-6f;
  const auto newcomers = [](const Evolved& e) {
    std::vector<uint64_t> cells = cellsOf(e.after), grown;
    for (size_t i = 0; i < cells.size(); ++i)
      if (e.origin[i] == kNewcomer) grown.push_back(cells[i]);
    return grown;
  };
  const std::vector<uint64_t> a = newcomers(evolve(one, setRules(), inputOf(0.3)));
  const std::vector<uint64_t> b = newcomers(evolve(other, setRules(), inputOf(0.3)));
  std::vector<uint64_t> shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  CHECK_NEAR(static_cast<double>(a.size()), 2400, 1);  // floored for each sign
  CHECK(shared.size() + 20 >= a.size());
  CHECK(cellMap(evolve(one, setRules(), inputOf(0.3)).after) != cellMap(evolve(other, setRules(), inputOf(0.3)).after));
}

TEST("the other prune rules evolve a layer too, with as many connections as before") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  for (const rules::RuleInfo& rule : rules::kPruneRules) {
    EvolutionRules rules = setRules();
    rules.prune = rules::findRule(rules::kPruneRules, rule.name);
    const Evolved e = evolve(before, rules, inputOf(0.3));
    REQUIRE(e.status.ok());
    CHECK(checkEvolution(before, e.after, e.origin, e.report, true).ok());
    CHECK_EQ(e.after.count(), before.count());
    // Per sign 0.3 of about half is floored twice.
    CHECK_NEAR(static_cast<double>(e.report.grown), 0.3 * static_cast<double>(before.count()), 2);
  }
}

TEST("random prune removes other connections than the weakest, and another set at every evolution") {
  const CsrMatrix before = weightedLayer(200, 100, 10, 3);
  EvolutionRules rules = setRules();
  rules.prune = rules::findRule(rules::kPruneRules, "random");
  const auto survivors = [&](const EvolutionRules& r, uint64_t t) {
    return cellMap(evolve(before, r, inputOf(0.3, false, t)).after);
  };
  CHECK(survivors(rules, 1) != survivors(setRules(), 1));
  CHECK(survivors(rules, 1) != survivors(rules, 2));
}

TEST("a weight that is not finite is refused by row and column, and nothing has changed") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    CsrMatrix before = weightedLayer(20, 10, 2, 3);
    const uint64_t at = before.rowPointers[7];
    before.values[at] = bad;
    Evolved e;
    e.after = fullMatrix(1, 1, {5});
    e.origin = {3};
    e.report.grown = 77;
    e.status = evolveLayer(before, setRules(), inputOf(0.3), &e.after, &e.origin, &e.report);
    CHECK_EQ(e.status.code(), Code::Nonfinite);
    const std::string place = "row 7, column " + std::to_string(before.columnIndices[at]);
    CHECK(e.status.message().find(place) != std::string::npos);
    CHECK(e.status.message().find(bad != bad ? "NaN" : "infinite") != std::string::npos);
    CHECK(e.after.values == std::vector<float>{5});
    CHECK(e.origin == std::vector<uint64_t>{3});
    CHECK_EQ(e.report.grown, 77);
  }
}

TEST("a place in rows behind empty ones is named right") {
  CsrMatrix m;
  m.rows = 5;
  m.columns = 3;
  m.rowPointers = {0, 0, 1, 1, 1, 2};
  m.columnIndices = {2, 1};
  m.values = {1, std::numeric_limits<float>::quiet_NaN()};
  CHECK(evolve(m, setRules(), inputOf(0.3)).status.message().find("row 4, column 1") != std::string::npos);
}

TEST("zeta outside 0 to 1 and unknown rules are refused") {
  const CsrMatrix m = weightedLayer(20, 10, 2, 3);
  for (const double zeta : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    const Evolved e = evolve(m, setRules(), inputOf(zeta));
    CHECK_EQ(e.status.code(), Code::Option);
    CHECK(e.status.message().find("zeta") != std::string::npos);
  }
  EvolutionRules rules = setRules();
  rules.prune = 99;
  CHECK(evolve(m, rules, inputOf(0.3)).status.message().find("prune rule is number 99") != std::string::npos);
  rules = setRules();
  rules.grow = -1;
  CHECK(evolve(m, rules, inputOf(0.3)).status.message().find("grow rule is number -1") != std::string::npos);
  rules = setRules();
  rules.newWeights.rule = 50;
  CHECK_EQ(evolve(m, rules, inputOf(0.3)).status.code(), Code::Option);
}

TEST("the check of invariants sees every kind of broken evolution") {
  const CsrMatrix before = weightedLayer(30, 20, 3, 3);
  const Evolved good = evolve(before, setRules(), inputOf(0.3));
  REQUIRE(checkEvolution(before, good.after, good.origin, good.report, true).ok());
  size_t survivor = 0, newcomer = 0;
  while (good.origin[survivor] == kNewcomer) ++survivor;
  while (good.origin[newcomer] != kNewcomer) ++newcomer;

  Evolved e = good;
  e.after.rows = 19;
  expectBroken(before, e, true, "shape");
  e = good;
  std::swap(e.after.columnIndices[0], e.after.columnIndices[1]);
  expectBroken(before, e, true, "ascend");
  e = good;
  e.report.prunedZero = 1000000;
  expectBroken(before, e, true, "more was pruned");
  e = good;
  ++e.report.connections;
  expectBroken(before, e, true, "reported");
  e = good;
  e.origin.pop_back();
  expectBroken(before, e, true, "origin has");
  e = good;
  expectBroken(before, e, false, "more has grown");
  e = good;
  e.report.prunedPositive += 1;
  e.report.connections -= 1;
  e.after.columnIndices.pop_back();
  e.after.values.pop_back();
  e.after.rowPointers.back() -= 1;
  e.origin.pop_back();
  expectBroken(before, e, true, "cells were free");
  e = good;
  e.origin[survivor] = before.count();
  expectBroken(before, e, true, "does not ascend");
  e = good;
  ++e.origin[survivor];
  expectBroken(before, e, true, "");
  e = good;
  e.after.values[survivor] *= 2;
  expectBroken(before, e, true, "has changed");
  e = good;
  e.origin[survivor] = kNewcomer;
  expectBroken(before, e, true, "newcomers");
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
