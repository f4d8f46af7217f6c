// Prune and grow rules against short models written another way, on random cases full of ties, zeros and subnormals.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bijection.h"
#include "base/flush_subnormals.h"
#include "rules/grow.h"
#include "rules/prune.h"
#include "rules/triggers.h"
#include "test/check.h"

using namespace setnet;
using namespace setnet::rules;

namespace {

using Random = std::mt19937_64;

double uniform(Random& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// Few distinct values, so that ties are the rule.
std::vector<float> randomValues(Random& random, size_t count) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float palette[] = {0.0f, -0.0f, tiny, -tiny, 3 * tiny, -3 * tiny, 0.5f, -0.5f, 0.25f, -0.25f, 3e38f, -3e38f};
  const uint64_t kind = random() % 4;
  std::vector<float> values(count);
  for (float& x : values) {
    if (kind == 0) x = palette[random() % 12];
    if (kind == 1) x = static_cast<float>(uniform(random) - 0.5);
    if (kind == 2) x = static_cast<float>(static_cast<int>(random() % 9) - 4);
    if (kind == 3) x = random() % 2 ? palette[random() % 12] : static_cast<float>(uniform(random));
  }
  return values;
}

double randomZeta(Random& random) {
  const double common[] = {0, 0.1, 0.2, 0.3, 0.5, 0.7, 1};
  return random() % 3 ? common[random() % 7] : uniform(random);
}

// The definition, by a stable sort of each sign: ties keep their order, so the lower cell goes first.
std::vector<uint8_t> modelOfSigned(const std::vector<float>& values, double zeta, bool largest) {
  std::vector<uint8_t> removed(values.size());
  for (const bool negative : {false, true}) {
    std::vector<size_t> order;
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0 && (values[i] < 0) == negative) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const float x = std::fabs(values[a]), y = std::fabs(values[b]);
      return largest ? x > y : x < y;
    });
    const auto goes = static_cast<size_t>(std::floor(zeta * static_cast<double>(order.size()) + 1e-9));
    for (size_t k = 0; k < goes; ++k) removed[order[k]] = 1;
  }
  return removed;
}

std::vector<uint8_t> modelOfRandom(const std::vector<float>& values, double zeta, const RandomStream& stream) {
  std::vector<size_t> nonzero;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) nonzero.push_back(i);
  std::vector<uint8_t> removed(values.size());
  const auto goes = static_cast<uint64_t>(std::floor(zeta * static_cast<double>(nonzero.size()) + 1e-9));
  for (uint64_t k = 0; k < goes; ++k) removed[nonzero[Bijection(stream, nonzero.size())(k)]] = 1;
  return removed;
}

constexpr uint64_t kFreeCells = 7;

std::vector<uint8_t> pruned(const char* name, const std::vector<float>& values, double zeta,
                            const RandomStream& stream = {}) {
  std::vector<uint8_t> removed(values.size());
  markPruned(findRule(kPruneRules, name), {values, zeta, stream, values.size() + kFreeCells}, removed);
  return removed;
}

// The authors' programs, with all numbers sorted, zeros of cells without a connection among them where `zeros` says so.
std::vector<uint8_t> modelOfThreshold(const std::vector<float>& values, double zeta, uint64_t zeros) {
  std::vector<double> v(values.begin(), values.end());
  v.resize(v.size() + zeros, 0.0);
  std::sort(v.begin(), v.end());
  std::vector<uint8_t> removed(values.size());
  const size_t n = v.size();
  const auto magnitude = [](double a, double b) { return std::abs(a) < std::abs(b); };
  if (n == 0) return removed;
  const double first = static_cast<double>(std::min_element(v.begin(), v.end(), magnitude) - v.begin());
  const double fromEnd = static_cast<double>(std::min_element(v.rbegin(), v.rend(), magnitude) - v.rbegin());
  const double end = static_cast<double>(n) - fromEnd;
  const double low = v[static_cast<size_t>((1 - zeta) * first)];
  const double high = v[std::min(n - 1, static_cast<size_t>(end + zeta * (static_cast<double>(n) - end)))];
  for (size_t i = 0; i < values.size(); ++i)
    removed[i] = values[i] != 0 && !(static_cast<double>(values[i]) < low || static_cast<double>(values[i]) > high);
  return removed;
}

// The definition, one draw at a time.
std::vector<uint64_t> modelOfGrow(uint64_t cells, const std::set<uint64_t>& occupied, uint64_t count,
                                  const RandomStream& stream) {
  std::set<uint64_t> chosen;
  for (uint64_t i = 0; i < cells && chosen.size() < count; ++i) {
    const uint64_t cell = Bijection(stream, cells)(i);
    if (occupied.count(cell) == 0) chosen.insert(cell);
  }
  return {chosen.begin(), chosen.end()};
}

// Occupied cells as a grow rule sees them: in rows of a layer, some of them beside connections that were removed.
struct Layer {
  uint64_t rows = 1, columns = 0;
  std::vector<uint64_t> rowPointers;
  std::vector<uint32_t> columnIndices;
  std::vector<uint8_t> removed;
  uint64_t taken = 0;

  Layer(uint64_t cells, const std::set<uint64_t>& occupied, uint64_t rowCount = 1, const std::set<uint64_t>& gone = {})
      : rows(rowCount), columns(cells / rowCount), rowPointers(rowCount + 1) {
    std::set<uint64_t> all = occupied;
    all.insert(gone.begin(), gone.end());
    for (const uint64_t cell : all) {
      ++rowPointers[cell / columns + 1];
      columnIndices.push_back(static_cast<uint32_t>(cell % columns));
      removed.push_back(gone.count(cell) != 0);
      taken += gone.count(cell) == 0;
    }
    for (uint64_t r = 0; r < rows; ++r) rowPointers[r + 1] += rowPointers[r];
  }
  OccupiedCells cells(bool withRemoved) const {
    OccupiedCells view;
    view.rows = rows;
    view.columns = columns;
    view.count = withRemoved ? taken : columnIndices.size();
    view.rowPointers = rowPointers.data();
    view.columnIndices = columnIndices.data();
    view.removed = withRemoved ? removed.data() : nullptr;
    return view;
  }
};

std::vector<uint64_t> grown(const Layer& layer, bool withRemoved, uint64_t count, const RandomStream& stream) {
  GrowMemory memory;
  CellList chosen;
  chooseGrown(findRule(kGrowRules, "random"), {layer.cells(withRemoved), count, stream}, &memory, &chosen);
  return {chosen.begin(), chosen.end()};
}

std::vector<uint64_t> grown(uint64_t cells, const std::set<uint64_t>& occupied, uint64_t count,
                            const RandomStream& stream) {
  return grown(Layer(cells, occupied), false, count, stream);
}

}  // namespace

TEST("signMagnitude and largest choose what a stable sort of each sign chooses") {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const std::vector<float> values = randomValues(random, random() % (round % 20 ? 60 : 3000));
    const double zeta = randomZeta(random);
    CHECK(pruned("signMagnitude", values, zeta) == modelOfSigned(values, zeta, false));
    CHECK(pruned("largest", values, zeta) == modelOfSigned(values, zeta, true));
  }
}

TEST("the choice by magnitude is the same while subnormals are flushed") {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    const std::vector<float> values = randomValues(random, 100);
    const std::vector<uint8_t> expected = modelOfSigned(values, 0.3, false);
    std::vector<uint8_t> found;
    {
      FlushSubnormals flush;
      found = pruned("signMagnitude", values, 0.3);
    }
    CHECK(found == expected);
  }
}

TEST("random prune chooses the first values of the bijection over what is not zero") {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    const std::vector<float> values = randomValues(random, random() % (round % 20 ? 60 : 3000));
    const double zeta = randomZeta(random);
    const RandomStream stream{random(), Purpose::RandomPrune, 2, random() % 9};
    CHECK(pruned("random", values, zeta, stream) == modelOfRandom(values, zeta, stream));
  }
}

TEST("counts are floor(zeta * count) even where the product falls just below a whole number") {
  CHECK_EQ(prunedCount(0.3, 10), 3);
  CHECK_EQ(prunedCount(0.7, 10), 7);
  CHECK_EQ(prunedCount(0.29, 100), 29);  // 0.29 * 100 is 28.999999999999996
  CHECK_EQ(prunedCount(0.3, 11), 3);
  CHECK_EQ(prunedCount(0, 11), 0);
  CHECK_EQ(prunedCount(1, 11), 11);
  CHECK_EQ(prunedCount(1, 0), 0);
  CHECK_EQ(prunedCount(0.5, 1), 0);
  CHECK_EQ(prunedCount(std::numeric_limits<double>::quiet_NaN(), 5), 0);
}

TEST("no rule marks exact zeros or unmarks what is marked already") {
  const std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, 0.0f};
  for (const RuleInfo& rule : kPruneRules) {
    CHECK(pruned(rule.name, values, 1) == (std::vector<uint8_t>{0, 0, 1, 1, 0}));
    std::vector<uint8_t> removed = {1, 1, 0, 0, 1};
    markPruned(findRule(kPruneRules, rule.name), {values, 0, {}, 10}, removed);
    // The programs with thresholds take one positive weight even then: the one on the threshold.
    const uint8_t positive = std::string(rule.name).find("threshold") == 0;
    CHECK(removed == (std::vector<uint8_t>{1, 1, positive, 0, 1}));
    CHECK(pruned(rule.name, {}, 1).empty());
    CHECK(pruned(rule.name, {0.0f, -0.0f}, 1) == (std::vector<uint8_t>{0, 0}));
  }
}

TEST("thresholds of the authors' programs: 11 negative and 9 positive weights lose what the programs take") {
  std::vector<float> values;
  for (int i = 0; i < 11; ++i) values.push_back(-0.25f - static_cast<float>(i));
  for (int i = 0; i < 9; ++i) values.push_back(0.75f + static_cast<float>(i));
  const auto lost = [&](const char* rule, double zeta) {
    const std::vector<uint8_t> removed = pruned(rule, values, zeta);
    const auto count = [&](size_t begin, size_t end) {
      return std::accumulate(removed.begin() + static_cast<int64_t>(begin), removed.begin() + static_cast<int64_t>(end),
                             0);
    };
    return std::make_pair(count(0, 11), count(11, 20));
  };
  // The whole matrix has zeros; of stored weights alone the smallest in magnitude is negative, then positive.
  CHECK(lost("thresholdOfMatrix", 0.3) == std::make_pair(4, 3));
  CHECK(lost("thresholdOfStored", 0.3) == std::make_pair(4, 3));
  CHECK(lost("signMagnitude", 0.3) == std::make_pair(3, 2));
  values[11] = 0.125f;
  CHECK(lost("thresholdOfMatrix", 0.3) == std::make_pair(4, 3));
  CHECK(lost("thresholdOfStored", 0.3) == std::make_pair(4, 4));
}

TEST("thresholds of the authors' programs: as their programs choose, ties and zeros included") {
  Random random(12);
  for (int round = 0; round < 3000; ++round) {
    const double zeta = static_cast<double>(random() % 1001) / 1000;
    std::vector<float> values(random() % 40);
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 21) - 10) / 8;
    if (round % 3 == 0)
      for (float& value : values) value = value == 0 ? 3.0f : value;
    if (round % 7 == 0)
      for (float& value : values) value = std::abs(value);
    CHECK(pruned("thresholdOfStored", values, zeta) == modelOfThreshold(values, zeta, 0));
    CHECK(pruned("thresholdOfMatrix", values, zeta) == modelOfThreshold(values, zeta, kFreeCells));
  }
  // Subnormals are not zeros, even where the processor takes them for that.
  const FlushSubnormals flush;
  const std::vector<float> tiny = {-1e-40f, -2e-40f, 1e-40f, 3e-40f};
  CHECK(pruned("thresholdOfMatrix", tiny, 0.5) == (std::vector<uint8_t>{1, 0, 1, 1}));
}

TEST("triggers: every so many steps, and by chance with the probability of each layer") {
  const RuleChoice steps = {findRule(kTriggers, "steps"), {7}};
  CHECK(!triggersAtEpochEnd(steps));
  for (uint64_t step = 1; step <= 50; ++step) CHECK_EQ(triggerFires(steps, {1, 0, 2, 900 + step, step}), step % 7 == 0);
  CHECK(triggersAtEpochEnd({findRule(kTriggers, "epoch"), {}}));
  CHECK(!triggerFires({findRule(kTriggers, "epoch"), {}}, {1, 0, 2, 7, 7}));
  const RuleChoice chance = {findRule(kTriggers, "probability"), {0.3}};
  constexpr uint64_t kSteps = 40000;
  uint64_t fired[2] = {}, both = 0;
  for (uint64_t step = 0; step < kSteps; ++step) {
    const bool first = triggerFires(chance, {5, 0, 2, step, step + 1}),
               second = triggerFires(chance, {5, 1, 2, step, 1});
    fired[0] += first;
    fired[1] += second;
    both += first && second;
  }
  // 0.15 each, independent: within five standard deviations.
  for (const uint64_t count : fired) CHECK(std::abs(static_cast<double>(count) / kSteps - 0.15) < 5 * 0.00179);
  CHECK(std::abs(static_cast<double>(both) / kSteps - 0.0225) < 5 * 0.00075);
  for (uint64_t step = 0; step < 1000; ++step) {
    CHECK(triggerFires({chance.rule, {1}}, {5, 3, 1, step, 1}));
    CHECK(!triggerFires({chance.rule, {0}}, {5, 3, 1, step, 1}));
  }
}

TEST("growth takes the first free cells of pi, as drawn one by one") {
  Random random(4);
  for (int round = 0; round < 1500; ++round) {
    const uint64_t cells = 1 + random() % (round % 10 ? 80 : 4000);
    std::set<uint64_t> occupied;
    const uint64_t wantedOccupied = random() % (cells + 1);
    while (occupied.size() < wantedOccupied) occupied.insert(random() % cells);
    const uint64_t count = random() % (cells + 3);
    const RandomStream stream{random(), Purpose::Topology, 1, random() % 5};
    CHECK(grown(cells, occupied, count, stream) == modelOfGrow(cells, occupied, count, stream));
  }
}

TEST("growth sees which cells are free in any shape of layer, with removed connections between the others") {
  Random random(6);
  GrowMemory memory;  // of all layers: what one leaves in it must not reach the next
  for (int round = 0; round < 600; ++round) {
    // Many columns: a row is looked through in windows of 2^15.
    const uint64_t columns = round % 5 == 0 ? 1 + random() % 100000 : 1 + random() % 60;
    const uint64_t rows = columns > 1000 ? 1 + random() % 3 : round % 7 == 0 ? 600 : 1 + random() % 40;
    const uint64_t cells = rows * columns;
    std::set<uint64_t> occupied, gone;
    for (uint64_t i = random() % (std::min<uint64_t>(cells, 2000) + 1); i > 0; --i) {
      // Crowds in some rows, none in others.
      const uint64_t cell = (random() % 3 == 0 ? random() % cells : random() % columns);
      if (gone.count(cell) + occupied.count(cell) == 0) (random() % 3 == 0 ? gone : occupied).insert(cell);
    }
    const RandomStream stream{random(), Purpose::Topology, 1, random() % 5};
    const uint64_t count = random() % std::min<uint64_t>(cells + 2, 3000);
    const Layer layer(cells, occupied, rows, gone);
    CellList chosen;
    chooseGrown(0, {layer.cells(true), count, stream}, &memory, &chosen);
    CHECK((std::vector<uint64_t>(chosen.begin(), chosen.end()) == modelOfGrow(cells, occupied, count, stream)));
    // And where a removed cell may not be taken again.
    std::set<uint64_t> all = occupied;
    all.insert(gone.begin(), gone.end());
    CHECK(grown(layer, false, count, stream) == modelOfGrow(cells, all, count, stream));
  }
}

TEST("growth takes several batches where few cells are free, and still the first ones") {
  Random random(5);
  for (const uint64_t free : {uint64_t{1}, uint64_t{20}, uint64_t{3000}}) {
    const uint64_t cells = 300000;
    std::vector<uint8_t> isFree(cells);
    for (uint64_t left = free; left > 0;) {
      uint8_t& cell = isFree[random() % cells];
      left -= cell == 0;
      cell = 1;
    }
    std::set<uint64_t> occupied;
    for (uint64_t c = 0; c < cells; ++c)
      if (!isFree[c]) occupied.insert(occupied.end(), c);
    for (const uint64_t count : {(free + 1) / 2, free, free + 7}) {
      const RandomStream stream{random(), Purpose::Topology, 0, 3};
      const std::vector<uint64_t> chosen = grown(cells, occupied, count, stream);
      std::vector<uint64_t> expected;
      const Bijection pi(stream, cells);
      for (uint64_t i = 0; i < cells && expected.size() < count; ++i)
        if (isFree[pi(i)]) expected.push_back(pi(i));
      std::sort(expected.begin(), expected.end());
      CHECK(chosen == expected);
    }
  }
}

TEST("growth in a full layer adds nothing, and growth appends to what is there") {
  CHECK(grown(4, {0, 1, 2, 3}, 2, {}).empty());
  CHECK(grown(0, {}, 2, {}).empty());
  CHECK(grown(9, {1}, 0, {}).empty());
  const Layer layer(4, {0, 2});
  GrowMemory memory;
  CellList cells;
  cells.resize(1);
  cells[0] = 77;
  chooseGrown(0, {layer.cells(false), 9, {}}, &memory, &cells);
  CHECK((std::vector<uint64_t>(cells.begin(), cells.end()) == std::vector<uint64_t>{77, 1, 3}));
}

TEST("growth works in layers of more cells than 32 bits count") {
  const uint64_t cells = uint64_t{1} << 44;
  std::set<uint64_t> occupied;
  const RandomStream stream{8, Purpose::Topology, 0, 1};
  const Bijection pi(stream, cells);
  for (uint64_t i = 0; i < 3000; i += 2) occupied.insert(pi(i));
  for (const uint64_t rows : {uint64_t{1} << 13, uint64_t{1} << 20})
    CHECK(grown(Layer(cells, occupied, rows), false, 1000, stream) == modelOfGrow(cells, occupied, 1000, stream));
}

TEST("every cell is grown equally often") {
  std::vector<uint64_t> counts(40);
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    for (uint64_t cell : grown(50, {0, 1, 2, 3, 4, 45, 46, 47, 48, 49}, 10, {seed, Purpose::Topology, 0, 1}))
      ++counts[cell - 5];
  }
  // 20000 * 10 / 40 each, with a standard deviation of sqrt(20000 / 4 * 3 / 4) = 61.
  for (uint64_t count : counts) CHECK_NEAR(static_cast<double>(count), 5000, 5 * 61);
}

TEST("rules are found by name") {
  CHECK_EQ(findRule(kPruneRules, "signMagnitude"), static_cast<int>(Prune::SignMagnitude));
  CHECK_EQ(findRule(kPruneRules, "random"), static_cast<int>(Prune::RandomPrune));
  CHECK_EQ(findRule(kPruneRules, "largest"), static_cast<int>(Prune::Largest));
  CHECK_EQ(findRule(kPruneRules, "smallest"), -1);
  CHECK_EQ(findRule(kGrowRules, "random"), static_cast<int>(Grow::RandomGrow));
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
