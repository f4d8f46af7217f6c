// Checks of the kernels that sum: products, weight gradients with their updates, and what prepares them.
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

// y = start + W x, row by row; `cell` gives the row's (column, value) pairs in ascending order.
template <class Row>
void compareProduct(const KernelTable& table, const char* what, PanelMemory& x, PanelMemory& y, int64_t rowBegin,
                    int64_t rowEnd, const float* start, Row&& row) {
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
    for (uint64_t r = 0; r < w.rows; ++r) {
      float single = start ? start[r] : 0.0f;
      double exact = single, magnitude = std::fabs(single);
      for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) {
        single = std::fma(w.values[k], x[w.columnIndices[k]], single);
        exact += double{w.values[k]} * x[w.columnIndices[k]];
        magnitude += std::fabs(double{w.values[k]} * x[w.columnIndices[k]]);
      }
      compare.add(y[r], single + 0.0f, exact, magnitude);
    }
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
    for (uint64_t r = 0; r < w.rows; ++r) {
      float single = start ? start[r] : 0.0f;
      double exact = single, magnitude = std::fabs(single);
      for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) {
        single = std::fma(w.values[k], x[w.columnIndices[k]], single);
        exact += double{w.values[k]} * x[w.columnIndices[k]];
        magnitude += std::fabs(double{w.values[k]} * x[w.columnIndices[k]]);
      }
      compare.add(y[r], single + 0.0f, exact, magnitude);
    }
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

// A padded dense matrix (kernel_args.h) with exact zeros among its weights.
struct TestMatrix {
  int64_t units, inputs, stride;
  std::vector<float> weights;

  TestMatrix(int64_t rows, int64_t columns, Random& random)
      : units(rows),
        inputs(columns),
        stride(((columns + 15) / 16 | 1) * 16),
        weights(static_cast<size_t>((rows + 15) / 16 * 16 * stride), 0.0f) {
    for (int64_t r = 0; r < units; ++r)
      for (int64_t c = 0; c < inputs; ++c)
        if (!random.chance(0.3)) at(r, c) = static_cast<float>(random.uniform(-1, 1));
  }
  float& at(int64_t r, int64_t c) { return weights[static_cast<size_t>(r * stride + c)]; }
};

inline void check_denseForward(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    // The last ones are longer than a block of depth.
    const int64_t inputs =
        batch % 32 == 1 ? kernels::kDenseDepthBlock + 30 : static_cast<int64_t>(random.between(1, 90));
    const int64_t units = static_cast<int64_t>(random.between(1, batch % 32 == 1 ? 15 : 70));
    TestMatrix w(units, inputs, random);
    PanelMemory x(inputs, batch), y(units, batch);
    x.fill(random);
    const std::vector<float> bias = randomNumbers(static_cast<size_t>(units), random);
    for (const float* start : {bias.data(), static_cast<const float*>(nullptr)}) {
      const int64_t begin = static_cast<int64_t>(random.below(static_cast<uint64_t>(units)));
      table.denseForward(
          {begin, units, inputs, w.weights.data(), w.stride, start, x.panels(), y.panels(), x.vectors()});
      compareProduct(table, "denseForward", x, y, begin, units, start, [&](int64_t r, auto&& visit) {
        for (int64_t c = 0; c < inputs; ++c) visit(c, w.at(r, c));
      });
    }
  }
  // A chain of -0 ends as +0.
  TestMatrix w(1, 1, random);
  w.at(0, 0) = -1;
  PanelMemory x(1, 1), y(1, 1);
  for (int64_t b = 0; b < 16; ++b) x.at(0, b) = 0;
  const float start = -0.0f;
  table.denseForward({0, 1, 1, w.weights.data(), w.stride, &start, x.panels(), y.panels(), 1});
  CHECK(sameBits(y.at(0, 0), 0.0f));
}

inline void check_denseVector(const KernelTable& table, Random& random) {
  for (int round = 0; round < 30; ++round) {
    const int64_t units = static_cast<int64_t>(random.between(1, 70)),
                  inputs = static_cast<int64_t>(random.between(1, 90));
    TestMatrix w(units, inputs, random);
    std::vector<float> x = randomNumbers(static_cast<size_t>(w.stride), random);
    const std::vector<float> bias = randomNumbers(static_cast<size_t>(units), random);
    const float* start = random.chance(0.5) ? bias.data() : nullptr;
    const int64_t begin = units > 40 && random.chance(0.5) ? 32 : 0;
    std::vector<float> y(static_cast<size_t>((units + 15) / 16 * 16), kGuard);
    table.denseVector({begin, units, inputs, w.weights.data(), w.stride, start, x.data(), y.data()});
    Comparison compare(table, "denseVector");
    for (int64_t r = 0; r < units; ++r) {
      if (r < begin) {
        CHECK_EQ(y[r], kGuard);
        continue;
      }
      float single = start ? start[r] : 0.0f;
      double exact = single, magnitude = std::fabs(single);
      for (int64_t c = 0; c < inputs; ++c) {
        single = std::fma(w.at(r, c), x[c], single);
        exact += double{w.at(r, c)} * x[c];
        magnitude += std::fabs(double{w.at(r, c)} * x[c]);
      }
      compare.add(y[r], single + 0.0f, exact, magnitude);
    }
  }
}

inline void check_denseInputGradient(const KernelTable& table, Random& random) {
  std::vector<float> scratch(kernels::kDenseScratch + 16);
  float* aligned = scratch.data();
  while (reinterpret_cast<uintptr_t>(aligned) % 64 != 0) ++aligned;
  for (const int64_t batch : kBatches) {
    const int64_t units =
        batch % 32 == 1 ? kernels::kDenseDepthBlock + 30 : static_cast<int64_t>(random.between(1, 90));
    const int64_t inputs = static_cast<int64_t>(random.between(1, batch % 32 == 1 ? 15 : 130));
    TestMatrix w(units, inputs, random);
    PanelMemory gradient(units, batch), result(inputs, batch);
    gradient.fill(random, true);
    const int64_t begin = inputs > kernels::kDenseColumnBlock ? kernels::kDenseColumnBlock : 0;
    table.denseInputGradient({begin, inputs, units, w.weights.data(), w.stride, gradient.panels(), result.panels(),
                              gradient.vectors(), aligned});
    compareProduct(table, "denseInputGradient", gradient, result, begin, inputs, nullptr, [&](int64_t c, auto&& visit) {
      for (int64_t r = 0; r < units; ++r) visit(r, w.at(r, c));
    });
    for (int64_t b = batch; b < gradient.vectors() * 16; ++b) CHECK(sameBits(result.at(inputs - 1, b), 0.0f));
  }
}

// Sample-major tiles of panels (kernel_args.h), zeros elsewhere.
inline std::vector<float> tilesOf(PanelMemory& x) {
  const auto row = [&](int64_t b) {
    const int64_t chain = b % 16;
    const int64_t reversed = (chain & 1) << 3 | (chain & 2) << 1 | (chain & 4) >> 1 | (chain & 8) >> 3;
    return reversed * x.vectors() + b / 16;
  };
  const int64_t stride = x.vectors() * 256;
  std::vector<float> tiles(static_cast<size_t>((x.features() + 15) / 16 * stride), 0.0f);
  for (int64_t f = 0; f < x.features(); ++f)
    for (int64_t b = 0; b < x.vectors() * 16; ++b)
      tiles[static_cast<size_t>(f / 16 * stride + row(b) * 16 + f % 16)] = x.at(f, b);
  return tiles;
}

inline void check_sampleTiles(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    PanelMemory x(static_cast<int64_t>(random.between(1, 70)), batch);
    x.fill(random);
    const std::vector<float> expected = tilesOf(x);
    std::vector<float> tiles(expected.size(), kGuard);
    table.sampleTiles({0, x.features(), x.panels(), x.vectors(), tiles.data(), x.vectors() * 256});
    CHECK(std::memcmp(tiles.data(), expected.data(), expected.size() * sizeof(float)) == 0);
  }
}

inline void checkDenseUpdateOf(const KernelTable& table, const TestOptimizer& optimizer, int64_t batch, bool masked,
                               Random& random) {
  TestMatrix w(static_cast<int64_t>(random.between(1, 50)), static_cast<int64_t>(random.between(1, 110)), random);
  std::vector<TestMatrix> states;
  for (int s = 0; s < optimizer.stateCount; ++s) states.emplace_back(w.units, w.inputs, random);
  const int64_t maskStride = (w.inputs + 15) / 16;
  std::vector<uint16_t> mask(static_cast<size_t>((w.units + 15) / 16 * 16 * maskStride), 0);
  for (int64_t r = 0; r < w.units; ++r) {
    for (int64_t c = 0; c < w.inputs; ++c) {
      const bool there = !masked || random.chance(0.3);
      if (there)
        mask[static_cast<size_t>(r * maskStride + c / 16)] |= static_cast<uint16_t>(1u << c % 16);
      else
        w.at(r, c) = 0;
      for (int s = 0; s < optimizer.stateCount; ++s)
        states[s].at(r, c) = there ? TestOptimizer::stateFrom(s, states[s].at(r, c)) : 0;
    }
  }
  const TestMatrix old = w;
  const std::vector<TestMatrix> oldStates = states;
  PanelMemory x(w.inputs, batch), gradient(w.units, batch);
  x.fill(random);
  gradient.fill(random, true);
  const std::vector<float> xTiles = tilesOf(x), gradientTiles = tilesOf(gradient);
  kernels::DenseUpdateArgs args = {};
  args.rowBegin = w.units > 20 ? 16 : 0;
  args.rowEnd = w.units;
  args.inputs = w.inputs;
  args.samples = batch;
  args.vectors = x.vectors();
  args.x = xTiles.data();
  args.gradient = gradientTiles.data();
  args.tileStride = x.vectors() * 256;
  args.weights = w.weights.data();
  for (int s = 0; s < optimizer.stateCount; ++s) args.state[s] = states[s].weights.data();
  args.stride = w.stride;
  args.mask = masked ? mask.data() : nullptr;
  args.maskStride = maskStride;
  args.optimizer = optimizer.kernel();
  table.denseUpdate(args);
  UpdateComparison compare(table, "denseUpdate", optimizer);
  for (int64_t r = 0; r < (w.units + 15) / 16 * 16; ++r) {
    for (int64_t c = 0; c < w.stride; ++c) {
      const size_t at = static_cast<size_t>(r * w.stride + c);
      const bool there = r >= args.rowBegin && r < w.units && c < w.inputs &&
                         mask[static_cast<size_t>(r * maskStride + c / 16)] >> c % 16 & 1;
      if (!there) {
        // Outside the mask, outside the rows asked for and in the padding nothing changes, not even a sign.
        CHECK(sameBits(w.weights[at], old.weights[at]));
        for (int s = 0; s < optimizer.stateCount; ++s) CHECK(sameBits(states[s].weights[at], oldStates[s].weights[at]));
        continue;
      }
      compare.add(
          w.weights[at], [&](int s) { return states[s].weights[at]; }, old.weights[at],
          [&](int s) { return oldStates[s].weights[at]; }, weightGradient(x, c, gradient, r));
    }
  }
}

inline void check_denseUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches)
    for (const backend::TrainingRules& rules : everyOptimizer())
      checkDenseUpdateOf(table, TestOptimizer(rules), batch, random.chance(0.5), random);
}

inline void check_biasUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    for (const backend::TrainingRules& rules : everyOptimizer()) {
      const int64_t units = static_cast<int64_t>(random.between(1, 70));
      PanelMemory gradient(units, batch);
      gradient.fill(random, true);
      const TestOptimizer optimizer(rules, 0.1f);
      std::vector<float> bias = randomNumbers(static_cast<size_t>(units), random);
      std::vector<float> state[rules::kMaxOptimizerState], oldState[rules::kMaxOptimizerState];
      kernels::BiasUpdateArgs args = {};
      for (int s = 0; s < optimizer.stateCount; ++s) {
        oldState[s] = state[s] = optimizer.randomState(s, bias.size(), random);
        args.state[s] = state[s].data();
      }
      const std::vector<float> oldBias = bias;
      args.unitBegin = units > 3 ? 3 : 0;
      args.unitEnd = units;
      args.gradient = gradient.panels();
      args.vectors = gradient.vectors();
      args.bias = bias.data();
      args.optimizer = optimizer.kernel();
      table.biasUpdate(args);
      UpdateComparison compare(table, "biasUpdate", optimizer);
      for (int64_t u = 0; u < units; ++u) {
        if (u < args.unitBegin) {
          CHECK(sameBits(bias[u], oldBias[u]));
          continue;
        }
        const auto term = [&](int64_t b, auto sum) { return sum + gradient.at(u, b); };
        compare.add(
            bias[u], [&](int s) { return state[s][u]; }, oldBias[u], [&](int s) { return oldState[s][u]; },
            {sumOverSamples<float>(batch, term), sumOverSamples<double>(batch, term), static_cast<double>(batch)});
      }
    }
  }
}

}  // namespace setnet::test
