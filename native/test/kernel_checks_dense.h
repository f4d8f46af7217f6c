// Checks of the kernels on dense weights and on biases: products, gradients with their updates, and what prepares them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernel_table.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {

using kernels::KernelTable;

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

inline void check_scaledUpdate(const KernelTable& table, Random& random) {
  for (const backend::TrainingRules& rules : everyOptimizer()) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{100}}) {
      const TestOptimizer optimizer(rules, 0.1f);
      std::vector<float> values = randomNumbers(count + 1, random);
      const std::vector<float> gradient = randomNumbers(count, random);
      std::vector<float> state[rules::kMaxOptimizerState], oldState[rules::kMaxOptimizerState];
      kernels::ScaledUpdateArgs args = {};
      for (int s = 0; s < optimizer.stateCount; ++s) {
        oldState[s] = state[s] = optimizer.randomState(s, values.size(), random);
        args.state[s] = state[s].data();
      }
      const std::vector<float> old = values;
      args.count = static_cast<int64_t>(count);
      args.values = values.data();
      args.gradient = gradient.data();
      args.scale = static_cast<float>(random.uniform(0.01, 1));
      args.optimizer = optimizer.kernel();
      table.scaledUpdate(args);
      UpdateComparison compare(table, "scaledUpdate", optimizer);
      for (size_t i = 0; i < count; ++i)
        compare.add(
            values[i], [&](int s) { return state[s][i]; }, old[i], [&](int s) { return oldState[s][i]; },
            {gradient[i] * args.scale, static_cast<double>(gradient[i]) * static_cast<double>(args.scale), 1.0});
      CHECK(sameBits(values[count], old[count]));
    }
  }
}

}  // namespace setnet::test
