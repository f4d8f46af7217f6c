// What the tests of the kernels share: panels with guarded memory, sums in the order of docs/how-it-works.md as plain
// loops, and comparisons with them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#include "test/check.h"
#include "test/random_network.h"

namespace setnet::test {

constexpr float kGuard = 12345.0f;  // in vectors that a kernel must neither use nor write

// Panels of `features` for `samples`. Vectors with samples hold random numbers, also in the lanes beyond the batch.
class PanelMemory {
 public:
  PanelMemory(int64_t features, int64_t samples)
      : features_(features),
        samples_(samples),
        width_(samples <= 16 ? 16 : 32),
        panels_((samples + width_ - 1) / width_),
        data_(static_cast<size_t>(features * width_ * panels_), kGuard) {}

  PanelMemory& fill(Random& random, bool zeroBeyondBatch = false) {
    for (int64_t f = 0; f < features_; ++f)
      for (int64_t b = 0; b < vectors() * 16; ++b)
        at(f, b) = zeroBeyondBatch && b >= samples_ ? 0 : static_cast<float>(random.uniform(-1, 1));
    return *this;
  }
  float& at(int64_t feature, int64_t sample) {
    return data_[static_cast<size_t>((sample / width_ * features_ + feature) * width_ + sample % width_)];
  }
  int64_t vectors() const { return (samples_ + 15) / 16; }
  int64_t samples() const { return samples_; }
  int64_t features() const { return features_; }
  kernels::Panels panels() { return {data_.data(), features_ * width_, width_}; }
  // Whether the vectors without samples still hold what they held.
  bool guarded() {
    for (int64_t f = 0; f < features_; ++f)
      for (int64_t b = vectors() * 16; b < width_ * panels_; ++b)
        if (at(f, b) != kGuard) return false;
    return true;
  }

 private:
  int64_t features_, samples_, width_, panels_;
  std::vector<float> data_;
};

inline bool sameBits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Compares what a kernel computed with the f32 loop (to the bit where multiply and add are fused) and with double.
class Comparison {
 public:
  Comparison(const kernels::KernelTable& table, std::string what) : fused_(table.fused), what_(table.name) {
    what_ += " " + what;
  }
  ~Comparison() {
    if (different_ > 0)
      FAIL(what_ + ": " + std::to_string(different_) + " of " + std::to_string(count_) + " wrong, first " + first_);
  }
  // `magnitude`: the sum of the absolute values of what was added.
  void add(float actual, float expected, double reference, double magnitude) {
    const double tolerance = 2e-6 * magnitude + 1e-7;
    const bool good = std::fabs(actual - reference) <= tolerance && (!fused_ || sameBits(actual, expected));
    ++count_;
    if (good) return;
    if (different_++ == 0)
      first_ = std::to_string(actual) + ", f32 loop " + std::to_string(expected) + ", double " +
               std::to_string(reference) + " at number " + std::to_string(count_ - 1);
  }

 private:
  bool fused_;
  std::string what_, first_;
  int64_t count_ = 0, different_ = 0;
};

// The sum over samples of a gradient: chain b mod 16, ascending, then the tree 8, 4, 2, 1, then +0. Absolute: of the
// terms' absolute values.
template <class T, class Term>
T sumOverSamples(int64_t samples, Term&& term) {
  T chains[16] = {};
  for (int64_t b = 0; b < samples; ++b) chains[b % 16] = term(b, chains[b % 16]);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) chains[i] += chains[i + half];
  return chains[0] + T{0};
}

// One connection's gradient in f32, in double, and the absolute size of its terms.
struct GradientSums {
  float single;
  double exact, magnitude;
};

inline GradientSums weightGradient(PanelMemory& x, int64_t input, PanelMemory& gradient, int64_t unit) {
  return {sumOverSamples<float>(
              x.samples(), [&](int64_t b, float sum) { return std::fma(gradient.at(unit, b), x.at(input, b), sum); }),
          sumOverSamples<double>(
              x.samples(), [&](int64_t b, double sum) { return sum + double{gradient.at(unit, b)} * x.at(input, b); }),
          sumOverSamples<double>(x.samples(), [&](int64_t b, double sum) {
            return sum + std::fabs(double{gradient.at(unit, b)} * x.at(input, b));
          })};
}

// An optimizer with its coefficients and how one number is updated by it.
struct TestOptimizer {
  rules::RuleChoice choice;
  int stateCount;
  float coefficients[rules::kMaxCoefficients];

  explicit TestOptimizer(const backend::TrainingRules& rules, float learningRate = 0.05f)
      : choice(rules.optimizer), stateCount(rules::stateCountOf(choice.rule)) {
    rules::prepareOptimizer(choice, {learningRate, 7}, false, coefficients);
  }
  kernels::OptimizerChoice kernel() const { return {choice.rule, coefficients}; }
  std::string name() const { return rules::kOptimizers[choice.rule].name; }

  template <class T>
  void update(T* weight, T gradient, T* state) const {
    T c[rules::kMaxCoefficients];
    for (int i = 0; i < rules::kMaxCoefficients; ++i) c[i] = coefficients[i];
    switch (static_cast<rules::Optimizer>(choice.rule)) {
#define SETNET_ENTRY(Rule)                                                  \
  case rules::Optimizer::Rule:                                              \
    rules::Rule::update(*weight, gradient, state, c, coefficients[3] != 0); \
    break;
      SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
  }

  // What lies in state number s: a second moment is never negative, and here not near 0.
  static float stateFrom(int s, float x) { return s == 0 ? x : 0.25f + std::fabs(x); }
  static std::vector<float> randomState(int s, size_t count, Random& random) {
    std::vector<float> state(count);
    for (float& x : state) x = stateFrom(s, static_cast<float>(random.uniform(-1, 1)));
    return state;
  }
};

// What one number and its state became, against the same update in f32 and in double.
class UpdateComparison {
 public:
  UpdateComparison(const kernels::KernelTable& table, const std::string& kernel, const TestOptimizer& optimizer)
      : optimizer_(optimizer),
        values_(table, kernel + ", values, " + optimizer.name()),
        states_(table, kernel + ", state, " + optimizer.name()) {}

  // `state` and `oldState`: number s gives the s-th of this number.
  template <class State, class OldState>
  void add(float value, State&& state, float oldValue, OldState&& oldState, const GradientSums& sums) {
    float single = oldValue, singleState[rules::kMaxOptimizerState];
    double exact = oldValue, exactState[rules::kMaxOptimizerState];
    for (int s = 0; s < optimizer_.stateCount; ++s) exactState[s] = singleState[s] = oldState(s);
    optimizer_.update(&single, sums.single, singleState);
    optimizer_.update(&exact, sums.exact, exactState);
    values_.add(value, single, exact, sums.magnitude + 2);
    // The square of a gradient is as uncertain as twice its product with the sum's uncertainty.
    for (int s = 0; s < optimizer_.stateCount; ++s)
      states_.add(state(s), singleState[s], exactState[s],
                  s == 0 ? sums.magnitude + 2 : (sums.magnitude + 2) * (2 * std::fabs(sums.exact) + 1));
  }

 private:
  const TestOptimizer& optimizer_;
  Comparison values_, states_;
};

// An activation with its fixed and learned parameters, on a grid on which thresholds and distances from them are exact
// in f32, so that f32 and double are on the same side of them.
template <class Rule>
struct TestActivation {
  static constexpr int fixed = Rule::parameterCount;
  static constexpr int learnedCount = rules::Learned<Rule>::count;
  rules::RuleChoice choice;
  int64_t units;
  std::vector<float> learned;  // [parameter][units]

  TestActivation(rules::Activation rule, int64_t units, Random& random)
      : choice(rules::defaultsOf(rules::kActivations, static_cast<int>(rule))),
        units(units),
        learned(static_cast<size_t>(learnedCount * units)) {
    for (float& x : learned) x = onGrid(random);
    // So small that numbers of the size that is used here lie on both sides of a limit.
    for (int i = 0; i < fixed; ++i) choice.parameters[i] *= 0.1;
    choice = rules::placed(choice, random.below(2));
  }
  static float onGrid(Random& random) { return static_cast<float>(static_cast<int>(random.below(129)) - 64) / 64; }
  // Of every size and sign, where exponentials end as well.
  static float ofAnySize(Random& random) {
    const double size = std::exp2(random.uniform(-30, 8));
    return static_cast<float>(random.chance(0.5) ? size : -size);
  }
  const float* learnedData() const { return learned.empty() ? nullptr : learned.data(); }

  // What the rule's functions take for one unit.
  template <class T>
  struct Numbers {
    T p[rules::kMaxParameters + rules::kMaxLearned] = {};
  };
  template <class T>
  Numbers<T> numbers(int64_t unit) const {
    Numbers<T> n;
    for (int i = 0; i < fixed; ++i) n.p[i] = static_cast<T>(static_cast<float>(choice.parameters[i]));
    for (int i = 0; i < learnedCount; ++i) n.p[fixed + i] = learned[static_cast<size_t>(i * units + unit)];
    return n;
  }
  // dy after dropout, as the gradient kernels make it.
  static float kept(const std::vector<uint16_t>& bits, bool dropped, int64_t vectors, int64_t u, int64_t b, float dy,
                    float scale) {
    if (!dropped) return dy;
    return bits[static_cast<size_t>(u * vectors + b / 16)] >> b % 16 & 1 ? dy * scale : 0;
  }
};

// A random matrix with empty rows and columns.
inline core::CsrMatrix randomCsr(uint64_t rows, uint64_t columns, double density, Random& random) {
  core::CsrMatrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.rowPointers.push_back(0);
  std::vector<bool> emptyColumn(columns);
  for (uint64_t c = 0; c < columns; ++c) emptyColumn[c] = random.chance(0.1);
  for (uint64_t r = 0; r < rows; ++r) {
    const bool empty = random.chance(0.15);
    for (uint64_t c = 0; c < columns; ++c) {
      if (empty || emptyColumn[c] || !random.chance(density)) continue;
      matrix.columnIndices.push_back(static_cast<uint32_t>(c));
      matrix.values.push_back(random.chance(0.05) ? 0.0f : static_cast<float>(random.uniform(-1, 1)));
    }
    matrix.rowPointers.push_back(matrix.columnIndices.size());
  }
  return matrix;
}

inline std::vector<float> randomNumbers(size_t count, Random& random) {
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(random.uniform(-1, 1));
  return numbers;
}

// Batches below, at and above the sizes of vectors, panels and register tiles.
constexpr int64_t kBatches[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 64, 100, 127, 128, 129, 200, 300};

// y = start + W x, row by row; `cell` gives the row's (column, value) pairs in ascending order.
template <class Row>
void compareProduct(const kernels::KernelTable& table, const char* what, PanelMemory& x, PanelMemory& y,
                    int64_t rowBegin, int64_t rowEnd, const float* start, Row&& row) {
  Comparison compare(table, what);
  for (int64_t r = rowBegin; r < rowEnd; ++r) {
    for (int64_t b = 0; b < x.samples(); ++b) {
      float single = start ? start[r] : 0.0f;
      double exact = single, magnitude = std::fabs(single);
      row(r, [&](int64_t column, float value) {
        single = std::fma(value, x.at(column, b), single);
        exact += double{value} * x.at(column, b);
        magnitude += std::fabs(double{value} * x.at(column, b));
      });
      compare.add(y.at(r, b), single + 0.0f, exact, magnitude);
    }
  }
  CHECK(y.guarded());
}

}  // namespace setnet::test
