// Checks of the kernels on packed sparse weights: products, weight gradients with their updates, and what prepares
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/float_bits.h"
#include "cpu/packed_matrix.h"
#include "kernels/kernel_table.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {

using kernels::KernelTable;

// Shapes of one block of columns, and of several: wide enough, and with so many connections that blocks are worth it.
inline core::CsrMatrix randomWeights(Random& random) {
  if (random.chance(0.7))
    return randomCsr(random.between(1, 60), random.between(1, 90), random.uniform(0, 0.7), random);
  return randomCsr(random.between(1, 20), random.between(700, 1500), random.uniform(0.03, 0.2), random);
}

inline void check_sparseProduct(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const core::CsrMatrix w = randomWeights(random);
    const auto visitRow = [&](int64_t r, auto&& visit) {
      for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) visit(w.columnIndices[k], w.values[k]);
    };
    cpu::PackedMatrix packed;
    CHECK_OK(packed.pack(w, {static_cast<int>(random.between(1, 3)), 0, nullptr, random.chance(0.5)}));
    PanelMemory x(static_cast<int64_t>(w.columns), batch), y(static_cast<int64_t>(w.rows), batch);
    x.fill(random);
    std::vector<float> bias = randomNumbers(w.rows, random);
    for (float& b : bias)
      if (random.chance(0.3)) b = -0.0f;  // which must not leave an empty row
    const int64_t rows = static_cast<int64_t>(w.rows);
    kernels::SparseProductArgs args = {};
    const auto run = [&] {
      for (int part = 0; part < packed.parts(); ++part) {
        args.w = packed.view(part);
        table.sparseProduct(args);
      }
    };
    for (const float* start : {static_cast<const float*>(bias.data()), static_cast<const float*>(nullptr)}) {
      args = {};
      args.start = start;
      args.x = x.panels();
      args.y = y.panels();
      args.vectors = x.vectors();
      args.activation = -1;
      run();
      compareProduct(table, "sparseProduct", x, y, 0, rows, start, visitRow);
    }
    // With an activation, and times the slope of one: the plain product, then the rule.
    PanelMemory plain = y;
    args.start = nullptr;
    args.activation = -1;
    args.y = plain.panels();
    run();
    double parameters[rules::kMaxParameters];
    float numbers[rules::kMaxParameters];
    std::fill(std::begin(parameters), std::end(parameters), 0.75);
    std::fill(std::begin(numbers), std::end(numbers), 0.75f);
    PanelMemory outputs(rows, batch);
    outputs.fill(random);
    outputs.at(0, 0) = 0;
    args.y = y.panels();
    args.parameters = parameters;
    const auto compare = [&](rules::Activation rule, const char* what, auto&& expected) {
      args.activation = static_cast<int>(rule);
      run();
      int64_t wrong = 0;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t b = 0; b < batch; ++b) wrong += !sameBits(y.at(r, b), expected(plain.at(r, b), outputs.at(r, b)));
      if (wrong > 0) FAIL(std::string(table.name) + " sparseProduct " + what + ": " + std::to_string(wrong) + " wrong");
      CHECK(y.guarded());
    };
    const auto both = [&](auto rule, rules::Activation number) {
      using Rule = decltype(rule);
      if constexpr (Rule::isCheap) {
        args.below = nullptr;
        compare(number, Rule::name, [&](float sum, float) { return Rule::forward(sum, numbers); });
        args.below = outputs.panels().data;
        compare(number, Rule::name, [&](float sum, float out) { return Rule::backward(sum, out, out, numbers); });
      }
    };
#define SETNET_ENTRY(Rule) both(rules::Rule(), rules::Activation::Rule);
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  // A matrix without rows, one without connections, one without columns.
  for (const auto& [rows, columns] : {std::pair<uint64_t, uint64_t>{0, 5}, {5, 5}, {5, 0}}) {
    const core::CsrMatrix w = randomCsr(rows, columns, 0, random);
    cpu::PackedMatrix packed;
    CHECK_OK(packed.pack(w, {2, 0, nullptr, true}));
    PanelMemory x(5, 20), y(5, 20);
    x.fill(random);
    kernels::SparseProductArgs args = {};
    args.w = packed.view(0);
    args.x = x.panels();
    args.y = y.panels();
    args.vectors = 2;
    args.activation = -1;
    table.sparseProduct(args);
    CHECK(sameBits(y.at(4, 19), rows == 0 ? kGuard : 0.0f));
  }
}

// Values in half the space: as if the weights had been rounded.
inline void checkBfloat16(const KernelTable& table, Random& random) {
  for (const int64_t batch : {1, 16, 40}) {
    core::CsrMatrix w = randomWeights(random);
    cpu::PackedMatrix halves, rounded;
    CHECK_OK(halves.pack(w, {2, 0, nullptr, false, true}));
    for (float& value : w.values) value = fromBfloat16(toBfloat16(value));
    CHECK_OK(rounded.pack(w, {2, 0, nullptr, false, false}));
    PanelMemory x(static_cast<int64_t>(w.columns), batch), y(static_cast<int64_t>(w.rows), batch);
    x.fill(random);
    PanelMemory expected = y;
    for (int part = 0; part < halves.parts(); ++part) {
      kernels::SparseProductArgs args = {};
      args.x = x.panels();
      args.vectors = x.vectors();
      args.activation = -1;
      args.w = halves.view(part);
      args.y = y.panels();
      table.sparseProduct(args);
      args.w = rounded.view(part);
      args.y = expected.panels();
      table.sparseProduct(args);
    }
    int64_t wrong = 0;
    for (int64_t r = 0; r < y.features(); ++r)
      for (int64_t b = 0; b < batch; ++b) wrong += !sameBits(y.at(r, b), expected.at(r, b));
    CHECK_EQ(wrong, 0);
    const std::vector<float> sample = randomNumbers(w.columns, random);
    std::vector<float> one(w.rows), other(w.rows);
    for (int part = 0; part < halves.parts(); ++part) {
      table.sparseVector({halves.view(part), nullptr, sample.data(), one.data()});
      table.sparseVector({rounded.view(part), nullptr, sample.data(), other.data()});
    }
    CHECK(one == other);
  }
}

// Each row's sum over its connections, from start[r] or 0.
inline void addRowSums(const core::CsrMatrix& w, const std::vector<float>& x, const float* start,
                       const std::vector<float>& y, Comparison* compare) {
  for (uint64_t r = 0; r < w.rows; ++r) {
    float single = start ? start[r] : 0.0f;
    double exact = single, magnitude = std::fabs(single);
    for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) {
      single = std::fma(w.values[k], x[w.columnIndices[k]], single);
      exact += double{w.values[k]} * x[w.columnIndices[k]];
      magnitude += std::fabs(double{w.values[k]} * x[w.columnIndices[k]]);
    }
    compare->add(y[r], single + 0.0f, exact, magnitude);
  }
}

inline void check_sparseColumns(const KernelTable& table, Random& random) {
  checkBfloat16(table, random);
  for (int round = 0; round < 30; ++round) {
    const core::CsrMatrix w = randomWeights(random);
    std::vector<uint64_t> pointers(w.columns + 1, 0);
    for (const uint32_t c : w.columnIndices) ++pointers[c + 1];
    for (uint64_t c = 0; c < w.columns; ++c) pointers[c + 1] += pointers[c];
    std::vector<uint64_t> next(pointers.begin(), pointers.end() - 1);
    std::vector<uint32_t> rows(w.count());
    std::vector<float> values(w.count());
    for (uint64_t r = 0; r < w.rows; ++r) {
      for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) {
        const uint64_t to = next[w.columnIndices[k]]++;
        rows[to] = static_cast<uint32_t>(r);
        values[to] = w.values[k];
      }
    }
    std::vector<float> x = randomNumbers(w.columns, random);
    const double zeros = random.uniform(0, 1);
    for (float& number : x)
      if (random.chance(zeros)) number = random.chance(0.5) ? 0.0f : -0.0f;
    const std::vector<float> bias = randomNumbers(w.rows, random);
    const float* start = random.chance(0.5) ? bias.data() : nullptr;
    std::vector<float> y(w.rows + 1, kGuard);
    table.sparseColumns({static_cast<int64_t>(w.rows), static_cast<int64_t>(w.columns), pointers.data(), rows.data(),
                         values.data(), start, x.data(), y.data()});
    Comparison compare(table, "sparseColumns");
    addRowSums(w, x, start, y, &compare);
    CHECK_EQ(y[w.rows], kGuard);
  }
}

inline void check_sparseVector(const KernelTable& table, Random& random) {
  for (int round = 0; round < 41; ++round) {
    // The last one is too large for near caches.
    const core::CsrMatrix w = round < 40 ? randomWeights(random) : randomCsr(1100, 1300, 0.52, random);
    cpu::PackedMatrix packed;
    CHECK_OK(packed.pack(w, {static_cast<int>(random.between(1, 3)), 0, nullptr, random.chance(0.5)}));
    const std::vector<float> x = randomNumbers(w.columns, random), bias = randomNumbers(w.rows, random);
    const float* start = random.chance(0.5) ? bias.data() : nullptr;
    std::vector<float> y(w.rows, kGuard);
    for (int part = 0; part < packed.parts(); ++part)
      table.sparseVector({packed.view(part), start, x.data(), y.data()});
    Comparison compare(table, "sparseVector");
    addRowSums(w, x, start, y, &compare);
  }
}

inline void check_sparseUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    for (const backend::TrainingRules& rules : everyOptimizer()) {
      const core::CsrMatrix w = randomWeights(random);
      PanelMemory x(static_cast<int64_t>(w.columns), batch), gradient(static_cast<int64_t>(w.rows), batch);
      x.fill(random);
      gradient.fill(random, true);
      const TestOptimizer optimizer(rules);
      std::vector<float> oldState[rules::kMaxOptimizerState], newState[rules::kMaxOptimizerState];
      const float* companions[rules::kMaxOptimizerState];
      float* unpacked[rules::kMaxOptimizerState];
      for (int s = 0; s < optimizer.stateCount; ++s) {
        oldState[s] = optimizer.randomState(s, w.values.size(), random);
        newState[s].resize(w.values.size());
        companions[s] = oldState[s].data();
        unpacked[s] = newState[s].data();
      }
      cpu::PackedMatrix packed;
      CHECK_OK(packed.pack(w, {static_cast<int>(random.between(1, 3)), optimizer.stateCount, companions, true}));
      for (int part = 0; part < packed.parts(); ++part) {
        kernels::SparseUpdateArgs args = {};
        args.w = packed.view(part);
        for (int s = 0; s < optimizer.stateCount; ++s) args.state[s] = packed.companion(part, s);
        args.x = x.panels();
        args.gradient = gradient.panels();
        args.vectors = x.vectors();
        args.optimizer = optimizer.kernel();
        table.sparseUpdate(args);
      }
      std::vector<float> newValues(w.values.size());
      cpu::PackMemory memory;
      CHECK_OK(packed.unpack(nullptr, nullptr, newValues.data(), unpacked, &memory));
      UpdateComparison compare(table, "sparseUpdate", optimizer);
      for (uint64_t r = 0; r < w.rows; ++r)
        for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k)
          compare.add(
              newValues[k], [&](int s) { return newState[s][k]; }, w.values[k], [&](int s) { return oldState[s][k]; },
              weightGradient(x, w.columnIndices[k], gradient, static_cast<int64_t>(r)));
      // What pads the groups is 0 still, and so is its state: the sums of all slots are those of the connections.
      const auto checkPadding = [](Span<const float> slots, const std::vector<float>& connections) {
        double all = 0, real = 0;
        for (const float value : slots) all += std::fabs(value);
        for (const float value : connections) real += std::fabs(value);
        CHECK(std::fabs(all - real) <= 1e-9 * real);
      };
      checkPadding(packed.slots(), newValues);
      for (int s = 0; s < optimizer.stateCount; ++s) checkPadding(packed.companionSlots(s), newState[s]);
    }
  }
}

inline void check_gather(const KernelTable& table, Random& random) {
  const std::vector<float> from = randomNumbers(300, random);
  std::vector<uint32_t> positions(200);
  for (uint32_t& position : positions) position = static_cast<uint32_t>(random.below(300));
  std::vector<float> to(200, kGuard);
  table.gather({3, 197, positions.data(), from.data(), to.data()});
  for (size_t k = 0; k < 200; ++k) CHECK_EQ(to[k], k >= 3 && k < 197 ? from[positions[k]] : kGuard);
}

}  // namespace setnet::test
