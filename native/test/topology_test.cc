// The canonical matrix, the topologies layers start with, and binomial numbers.
#include "core/topology.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/bijection.h"
#include "base/memory.h"
#include "core/binomial.h"
#include "test/check.h"
#include "test/statistics.h"

using namespace setnet;
using namespace setnet::core;

namespace {

Budget epsilon(double e) { return {e, -1}; }
Budget density(double d) { return {20, d}; }

CsrMatrix drawn(uint64_t inputs, uint64_t units, const Budget& budget, Draw draw, uint64_t seed = 1,
                uint32_t layer = 0) {
  CsrMatrix matrix;
  const Status status = drawTopology(inputs, units, budget, draw, seed, layer, &matrix);
  if (!status.ok()) FAIL(status.message());
  if (!matrix.validate().ok()) FAIL(matrix.validate().message());
  CHECK_EQ(matrix.rows, units);
  CHECK_EQ(matrix.columns, inputs);
  return matrix;
}

// 3 x 4: (0,1) (0,3) (2,0)
CsrMatrix smallMatrix() {
  CsrMatrix m;
  m.rows = 3;
  m.columns = 4;
  m.rowPointers = {0, 2, 2, 3};
  m.columnIndices = {1, 3, 0};
  m.values = {1, 2, 3};
  return m;
}

void refuses(CsrMatrix m, Code code, const std::string& text) {
  const Status status = m.validate();
  CHECK_EQ(status.code(), code);
  if (status.message().find(text) == std::string::npos) FAIL("'" + status.message() + "' lacks '" + text + "'");
}

// How well binomial() fits its distribution: the score of a chi-square test over bins of at least 20 expected.
void checkBinomial(uint64_t trials, double p) {
  constexpr uint64_t kSamples = 60000;
  std::vector<uint64_t> found;
  double sum = 0, squares = 0;
  const double mean = static_cast<double>(trials) * p;
  const double variance = mean * (1 - p);
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    const uint64_t k = binomial({seed, Purpose::Topology, 4, 0}, trials, p);
    REQUIRE(k <= trials);
    found.push_back(k);
    sum += static_cast<double>(k) - mean;
    squares += (static_cast<double>(k) - mean) * (static_cast<double>(k) - mean);
  }
  CHECK_NEAR(sum / kSamples, 0, 4.5 * std::sqrt(variance / kSamples));
  CHECK_NEAR(squares / kSamples / variance, 1, 4.5 * std::sqrt((2 + 1 / variance) / kSamples));

  std::sort(found.begin(), found.end());
  const double n = static_cast<double>(trials);
  double expected = 0, chiSquare = 0, allExpected = 0;
  int bins = 0;
  size_t at = 0;
  const uint64_t low = static_cast<uint64_t>(std::max(0.0, mean - 12 * std::sqrt(variance) - 30));
  const uint64_t high = static_cast<uint64_t>(std::min(n, mean + 12 * std::sqrt(variance) + 30));
  size_t binStart = 0;
  for (uint64_t k = low; k <= high; ++k) {
    const double x = static_cast<double>(k);
    expected += kSamples * std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) + x * std::log(p) +
                                    (n - x) * std::log1p(-p));
    while (at < found.size() && found[at] <= k) ++at;
    const double rest = kSamples - allExpected - expected;
    if ((expected >= 20 && rest >= 20) || k == high) {
      const double difference = static_cast<double>(at - binStart) - expected;
      if (expected > 0.5) {
        chiSquare += difference * difference / expected;
        ++bins;
      }
      allExpected += expected;
      binStart = at;
      expected = 0;
    }
  }
  CHECK_NEAR(allExpected, kSamples, 1);
  CHECK(test::chiSquareScore(chiSquare, bins - 1) < 4);
}

}  // namespace

TEST("the requested number of connections is min(N, round(...)), half away from zero") {
  CHECK_EQ(requestedConnections(epsilon(20), 784, 1000), 35680);
  CHECK_EQ(requestedConnections(epsilon(0.5), 2, 3), 3);  // 2.5
  CHECK_EQ(requestedConnections(epsilon(0.49), 2, 3), 2);
  CHECK_EQ(requestedConnections(epsilon(20), 4, 4), 16);
  CHECK_EQ(requestedConnections(epsilon(1e300), 4, 4), 16);
  CHECK_EQ(requestedConnections(density(0.5), 3, 3), 5);  // 4.5
  CHECK_EQ(requestedConnections(density(0), 3, 3), 0);
  CHECK_EQ(requestedConnections(density(0.06), 3, 3), 1);
  CHECK_EQ(requestedConnections(density(0.05), 3, 3), 0);
  CHECK_EQ(requestedConnections(density(1), kMaxColumns, 1u << 30), kMaxColumns << 30);
  CHECK_EQ(requestedConnections(epsilon(20), 0, 5), 0);
  CHECK_EQ(requestedConnections(epsilon(1e-12), 5, 5), 0);
  CHECK_EQ(requestedConnections({20, 0.5, 7}, 4, 4), 7);
  CHECK_EQ(requestedConnections({20, 0.5, 0}, 4, 4), 0);
  CHECK_EQ(requestedConnections({20, 0.5, 17}, 4, 4), 16);
}

TEST("an exact draw has exactly the requested connections, the first ones of pi") {
  for (const auto& [inputs, units] : {std::pair<uint64_t, uint64_t>{784, 1000}, {1000, 10}, {1, 50}, {50, 1}, {7, 9}}) {
    const CsrMatrix m = drawn(inputs, units, epsilon(0.9), Draw::Exact, 5, 2);
    const uint64_t count = requestedConnections(epsilon(0.9), inputs, units);
    CHECK_EQ(m.count(), count);
    const Bijection pi({5, Purpose::Topology, 2, 0}, inputs * units);
    std::set<uint64_t> cells;
    for (uint64_t i = 0; i < count; ++i) cells.insert(pi(i));
    CHECK(cellsOf(m) == std::vector<uint64_t>(cells.begin(), cells.end()));
    CHECK(std::all_of(m.values.begin(), m.values.end(), [](float x) { return x == 0; }));
  }
}

TEST("a draw depends on seed and layer and on nothing else") {
  const auto columns = [](Draw draw, uint64_t seed, uint32_t layer) {
    return drawn(100, 80, epsilon(5), draw, seed, layer).columnIndices;
  };
  for (const Draw draw : {Draw::Exact, Draw::Bernoulli, Draw::WithReplacement}) {
    CHECK(columns(draw, 1, 0) == columns(draw, 1, 0));
    CHECK(columns(draw, 1, 0) != columns(draw, 2, 0));
    CHECK(columns(draw, 1, 0) != columns(draw, 1, 1));
  }
}

TEST("a request for every cell gives every cell, under every draw, and ends") {
  for (const Draw draw : {Draw::Exact, Draw::Bernoulli, Draw::WithReplacement}) {
    for (const Budget& budget : {epsilon(20), density(1), density(0.99)}) {
      const CsrMatrix m = drawn(5, 4, budget, draw);
      CHECK_EQ(m.count(), 20);
      CHECK(m.columnIndices[6] == 1 && m.rowPointers[1] == 5);
    }
  }
}

TEST("layers without cells or without connections are matrices like others") {
  for (const Draw draw : {Draw::Exact, Draw::Bernoulli, Draw::WithReplacement}) {
    CHECK_EQ(drawn(0, 5, epsilon(20), draw).count(), 0);
    CHECK_EQ(drawn(5, 0, epsilon(20), draw).count(), 0);
    CHECK_EQ(drawn(5, 6, density(0), draw).rowPointers.size(), 7);
  }
}

TEST("a Bernoulli draw has the mean and the variance of its definition") {
  const double p = 8.0 * (30 + 40) / (30 * 40);
  const double mean = 30 * 40 * p, variance = mean * (1 - p);
  double sum = 0, squares = 0;
  const int seeds = 3000;
  for (int seed = 0; seed < seeds; ++seed) {
    const double count = static_cast<double>(drawn(30, 40, epsilon(8), Draw::Bernoulli, seed).count());
    sum += count - mean;
    squares += (count - mean) * (count - mean);
  }
  CHECK_NEAR(sum / seeds, 0, 4 * std::sqrt(variance / seeds));
  CHECK_NEAR(squares / seeds / variance, 1, 4 * std::sqrt(2.0 / seeds));
}

TEST("draws with replacement keep the distinct ones, as many as theory expects") {
  const uint64_t cells = 30 * 40, draws = 560;  // epsilon 8
  const double n = cells, m = draws;
  const double mean = n * (1 - std::pow(1 - 1 / n, m));
  const double variance =
      n * std::pow(1 - 1 / n, m) + n * (n - 1) * std::pow(1 - 2 / n, m) - n * n * std::pow(1 - 1 / n, 2 * m);
  double sum = 0;
  const int seeds = 2000;
  std::vector<uint64_t> counts(cells);
  for (int seed = 0; seed < seeds; ++seed) {
    const CsrMatrix matrix = drawn(30, 40, epsilon(8), Draw::WithReplacement, seed);
    sum += static_cast<double>(matrix.count());
    for (uint64_t cell : cellsOf(matrix)) ++counts[cell];
  }
  CHECK_NEAR(sum / seeds, mean, 4 * std::sqrt(variance / seeds));
  const double each = mean / n * seeds;
  for (uint64_t count : counts) CHECK_NEAR(static_cast<double>(count), each, 5 * std::sqrt(each * (1 - mean / n)));
}

TEST("draw i with replacement is the high half of 64 random bits times the number of cells") {
  const uint64_t inputs = 97, units = 89, cells = inputs * units;
  std::set<uint64_t> expected;
  const RandomStream stream{11, Purpose::Topology, 3, 0};
  for (uint64_t i = 0; i < 372; ++i) {  // 2 * (97 + 89)
    const PhiloxBlock block = stream.block(i);
    const long double fraction = static_cast<long double>(block.word[1] * 0x1p32L + block.word[0]) * 0x1p-64L;
    expected.insert(static_cast<uint64_t>(fraction * cells));
  }
  CHECK(cellsOf(drawn(inputs, units, epsilon(2), Draw::WithReplacement, 11, 3)) ==
        std::vector<uint64_t>(expected.begin(), expected.end()));
}

TEST("cells are chosen equally often") {
  std::vector<uint64_t> counts(12 * 9);
  for (uint64_t seed = 0; seed < 5000; ++seed)
    for (uint64_t cell : cellsOf(drawn(12, 9, density(0.25), Draw::Exact, seed))) ++counts[cell];
  for (uint64_t count : counts) CHECK_NEAR(static_cast<double>(count), 1250, 5 * std::sqrt(1250 * 0.75));
}

TEST("a sparse layer of 10^18 cells costs what its connections cost") {
  CsrMatrix m;
  const Status status = drawTopology(1000000000, 100000, {20, 1e-9}, Draw::Bernoulli, 1, 0, &m);
  REQUIRE(status.ok());
  CHECK(m.validate().ok());
  CHECK_NEAR(static_cast<double>(m.count()), 1e5, 5 * std::sqrt(1e5));
  // So large that cells need more than 53 bits.
  REQUIRE(drawTopology(kMaxColumns, 3000, {1e-6, -1}, Draw::Exact, 1, 0, &m).ok());
  CHECK(m.validate().ok());
  CHECK_EQ(m.count(), 4295);
}

TEST("what cannot be held or numbered is refused with its size") {
  CsrMatrix m;
  Status status = drawTopology(4000000000, 2000000000, density(0.5), Draw::Exact, 1, 0, &m);
  CHECK_EQ(status.code(), Code::Memory);
  CHECK(status.message().find("4000000000 x 2000000000") != std::string::npos);
  CHECK(status.message().find("connections") != std::string::npos);
  status = drawTopology(4000000000, 2000000000, density(1), Draw::Exact, 1, 0, &m);
  CHECK_EQ(status.code(), Code::Memory);
  status = drawTopology(kMaxColumns + 1, 1, density(0), Draw::Exact, 1, 0, &m);
  CHECK_EQ(status.code(), Code::Option);
  CHECK(status.message().find("4294967296 x 1") != std::string::npos);
  status = drawTopology(kMaxColumns, kMaxColumns, density(0), Draw::Exact, 1, 0, &m);
  CHECK_EQ(status.code(), Code::Option);
}

TEST("binomial numbers follow their distribution by inversion and by rejection") {
  checkBinomial(20, 0.3);
  checkBinomial(1000, 0.009);
  checkBinomial(100000000, 5e-8);
  checkBinomial(3, 0.5);
  checkBinomial(100, 0.4);
  checkBinomial(25, 0.45);
  checkBinomial(1000000, 1e-4);
  checkBinomial(1000, 0.93);
  checkBinomial(40, 0.9);
}

TEST("binomial numbers know their ends") {
  const RandomStream stream{1, Purpose::Topology, 0, 0};
  CHECK_EQ(binomial(stream, 0, 0.5), 0);
  CHECK_EQ(binomial(stream, 10, 0), 0);
  CHECK_EQ(binomial(stream, 10, 1), 10);
  CHECK_EQ(binomial(stream, 10, std::numeric_limits<double>::quiet_NaN()), 0);
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const uint64_t trials = uint64_t{1} << 62;
    const double count = static_cast<double>(binomial({seed, Purpose::Topology, 0, 0}, trials, 1e-13));
    CHECK_NEAR(count, 0x1p62 * 1e-13, 6 * std::sqrt(0x1p62 * 1e-13));
  }
}

TEST("a matrix knows its cells, its degrees and its dense form") {
  const CsrMatrix m = smallMatrix();
  CHECK(m.validate().ok());
  CHECK_EQ(m.count(), 3);
  CHECK(cellsOf(m) == (std::vector<uint64_t>{1, 3, 8}));
  CHECK(rowCounts(m) == (std::vector<uint32_t>{2, 0, 1}));
  CHECK(columnCounts(m) == (std::vector<uint32_t>{1, 1, 0, 1}));
  std::vector<float> dense(12, 9.0f);
  toDense(m, dense);
  CHECK(dense == (std::vector<float>{0, 1, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0}));
  const CsrMatrix full = fullMatrix(2, 3, {1, 2, 3, 4, 5, 6});
  CHECK(full.validate().ok());
  CHECK(cellsOf(full) == (std::vector<uint64_t>{0, 1, 2, 3, 4, 5}));
  CHECK_EQ(full.values[4], 5.0f);
}

TEST("a matrix that indexing could not rely on is refused with row and position") {
  CsrMatrix m = smallMatrix();
  m.columns = kMaxColumns + 1;
  refuses(m, Code::Shape, "columns is 4294967296");
  m = smallMatrix();
  m.columns = kMaxColumns;
  m.rows = uint64_t{1} << 40;
  refuses(m, Code::Shape, "2^63 cells");
  m = smallMatrix();
  m.rows = 4;
  refuses(m, Code::Shape, "rowPointers has 4 elements");
  m = smallMatrix();
  m.values.pop_back();
  refuses(m, Code::Shape, "values has 2 elements");
  m = smallMatrix();
  m.rowPointers[0] = 1;
  refuses(m, Code::Shape, "rowPointers[0] is 1");
  m = smallMatrix();
  m.rowPointers[3] = 4;
  refuses(m, Code::Shape, "rowPointers[3] is 4");
  m = smallMatrix();
  m.rowPointers = {0, 2, 1, 3};
  refuses(m, Code::Shape, "row 1 begins at 2");
  m.rowPointers = {0, ~uint64_t{0}, 1, 3};
  refuses(m, Code::Shape, "row 1 begins at");
  m = smallMatrix();
  m.columnIndices[1] = 4;
  refuses(m, Code::Data, "column 4 in row 0 (position 1)");
  m = smallMatrix();
  m.columnIndices = {3, 1, 0};
  refuses(m, Code::Data, "column 1 in row 0 (position 1) follows column 3");
  m.columnIndices = {3, 3, 0};
  refuses(m, Code::Data, "without repetition");
  m = smallMatrix();
  m.values[2] = std::numeric_limits<float>::quiet_NaN();
  refuses(m, Code::Nonfinite, "row 2, column 0 (position 2) is NaN");
  m.values[2] = -std::numeric_limits<float>::infinity();
  refuses(m, Code::Nonfinite, "is infinite");
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
