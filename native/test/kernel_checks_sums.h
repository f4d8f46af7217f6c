// Checks of the kernels that sum: products, weight gradients with their updates, and what prepares them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

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

inline void check_sparseProduct(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const core::CsrMatrix w = randomCsr(random.between(1, 60), random.between(1, 90), random.uniform(0, 0.7), random);
    PanelMemory x(static_cast<int64_t>(w.columns), batch), y(static_cast<int64_t>(w.rows), batch);
    x.fill(random);
    std::vector<float> bias = randomNumbers(w.rows, random);
    for (float& b : bias)
      if (random.chance(0.3)) b = -0.0f;  // which must not leave an empty row
    for (const float* start : {static_cast<const float*>(bias.data()), static_cast<const float*>(nullptr)}) {
      const int64_t end = static_cast<int64_t>(w.rows), begin = static_cast<int64_t>(random.below(w.rows));
      table.sparseProduct({begin, end, w.rowPointers.data(), w.columnIndices.data(), w.values.data(), start, x.panels(),
                           y.panels(), x.vectors()});
      compareProduct(table, "sparseProduct", x, y, begin, end, start, [&](int64_t r, auto&& visit) {
        for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) visit(w.columnIndices[k], w.values[k]);
      });
    }
  }
  // A matrix without rows, and one without connections.
  const core::CsrMatrix none = randomCsr(0, 5, 0.5, random), empty = randomCsr(5, 5, 0, random);
  PanelMemory x(5, 20), y(5, 20);
  x.fill(random);
  table.sparseProduct({0, 0, none.rowPointers.data(), none.columnIndices.data(), none.values.data(), nullptr,
                       x.panels(), y.panels(), 2});
  CHECK_EQ(y.at(0, 0), kGuard);
  table.sparseProduct({0, 5, empty.rowPointers.data(), empty.columnIndices.data(), empty.values.data(), nullptr,
                       x.panels(), y.panels(), 2});
  CHECK(sameBits(y.at(4, 19), 0.0f));
}

inline void check_sparseUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    for (const bool nesterov : {false, true}) {
      core::CsrMatrix w = randomCsr(random.between(1, 60), random.between(1, 90), random.uniform(0, 0.7), random);
      PanelMemory x(static_cast<int64_t>(w.columns), batch), gradient(static_cast<int64_t>(w.rows), batch);
      x.fill(random);
      gradient.fill(random, true);
      const TestOptimizer optimizer(0.9, 1e-3, nesterov, 0.05f);
      std::vector<float> velocity = randomNumbers(w.values.size(), random);
      const std::vector<float> oldValues = w.values, oldVelocity = velocity;
      kernels::SparseUpdateArgs args = {};
      args.rowBegin = static_cast<int64_t>(random.below(w.rows));
      args.rowEnd = static_cast<int64_t>(w.rows);
      args.rowPointers = w.rowPointers.data();
      args.columns = w.columnIndices.data();
      args.values = w.values.data();
      args.state[0] = velocity.data();
      args.x = x.panels();
      args.gradient = gradient.panels();
      args.vectors = x.vectors();
      args.optimizer = optimizer.kernel();
      table.sparseUpdate(args);
      Comparison values(table, "sparseUpdate, values"), states(table, "sparseUpdate, velocity");
      for (int64_t r = 0; r < args.rowEnd; ++r) {
        for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k) {
          if (r < args.rowBegin) {
            CHECK(sameBits(w.values[k], oldValues[k]) && sameBits(velocity[k], oldVelocity[k]));
            continue;
          }
          const GradientSums sums = weightGradient(x, w.columnIndices[k], gradient, r);
          float weight = oldValues[k], state = oldVelocity[k];
          double exactWeight = weight, exactState = state;
          optimizer.update(&weight, sums.single, &state);
          optimizer.update(&exactWeight, sums.exact, &exactState);
          values.add(w.values[k], weight, exactWeight, sums.magnitude + 2);
          states.add(velocity[k], state, exactState, sums.magnitude + 2);
        }
      }
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

inline void check_denseUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    for (const bool masked : {false, true}) {
      TestMatrix w(static_cast<int64_t>(random.between(1, 50)), static_cast<int64_t>(random.between(1, 110)), random);
      TestMatrix velocity(w.units, w.inputs, random);
      const int64_t maskStride = (w.inputs + 15) / 16;
      std::vector<uint16_t> mask(static_cast<size_t>((w.units + 15) / 16 * 16 * maskStride), 0);
      for (int64_t r = 0; r < w.units; ++r) {
        for (int64_t c = 0; c < w.inputs; ++c) {
          if (!masked || random.chance(0.3))
            mask[static_cast<size_t>(r * maskStride + c / 16)] |= static_cast<uint16_t>(1u << c % 16);
          else
            w.at(r, c) = velocity.at(r, c) = 0;
        }
      }
      const TestMatrix old = w, oldVelocity = velocity;
      PanelMemory x(w.inputs, batch), gradient(w.units, batch);
      x.fill(random);
      gradient.fill(random, true);
      const std::vector<float> xTiles = tilesOf(x), gradientTiles = tilesOf(gradient);
      const TestOptimizer optimizer(0.9, 1e-3, random.chance(0.5), 0.05f);
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
      args.state[0] = velocity.weights.data();
      args.stride = w.stride;
      args.mask = masked ? mask.data() : nullptr;
      args.maskStride = maskStride;
      args.optimizer = optimizer.kernel();
      table.denseUpdate(args);
      Comparison values(table, "denseUpdate, values"), states(table, "denseUpdate, velocity");
      for (int64_t r = 0; r < (w.units + 15) / 16 * 16; ++r) {
        for (int64_t c = 0; c < w.stride; ++c) {
          const size_t at = static_cast<size_t>(r * w.stride + c);
          const bool there = r >= args.rowBegin && r < w.units && c < w.inputs &&
                             mask[static_cast<size_t>(r * maskStride + c / 16)] >> c % 16 & 1;
          if (!there) {
            // Outside the mask, outside the rows asked for and in the padding nothing changes, not even a sign.
            CHECK(sameBits(w.weights[at], old.weights[at]));
            CHECK(sameBits(velocity.weights[at], oldVelocity.weights[at]));
            continue;
          }
          const GradientSums sums = weightGradient(x, c, gradient, r);
          float weight = old.weights[at], state = oldVelocity.weights[at];
          double exactWeight = weight, exactState = state;
          optimizer.update(&weight, sums.single, &state);
          optimizer.update(&exactWeight, sums.exact, &exactState);
          values.add(w.weights[at], weight, exactWeight, sums.magnitude + 2);
          states.add(velocity.weights[at], state, exactState, sums.magnitude + 2);
        }
      }
    }
  }
}

inline void check_biasUpdate(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const int64_t units = static_cast<int64_t>(random.between(1, 70));
    PanelMemory gradient(units, batch);
    gradient.fill(random, true);
    const TestOptimizer optimizer(0.5, 1e-3, random.chance(0.5), 0.1f);
    std::vector<float> bias = randomNumbers(static_cast<size_t>(units), random);
    std::vector<float> velocity = randomNumbers(static_cast<size_t>(units), random);
    const std::vector<float> oldBias = bias, oldVelocity = velocity;
    kernels::BiasUpdateArgs args = {};
    args.unitBegin = units > 3 ? 3 : 0;
    args.unitEnd = units;
    args.gradient = gradient.panels();
    args.vectors = gradient.vectors();
    args.bias = bias.data();
    args.state[0] = velocity.data();
    args.optimizer = optimizer.kernel();
    table.biasUpdate(args);
    Comparison compare(table, "biasUpdate");
    for (int64_t u = 0; u < units; ++u) {
      if (u < args.unitBegin) {
        CHECK(sameBits(bias[u], oldBias[u]));
        continue;
      }
      const auto term = [&](int64_t b, auto sum) { return sum + gradient.at(u, b); };
      float weight = oldBias[u], state = oldVelocity[u];
      double exactWeight = weight, exactState = state;
      optimizer.update(&weight, sumOverSamples<float>(batch, term), &state);
      optimizer.update(&exactWeight, sumOverSamples<double>(batch, term), &exactState);
      compare.add(bias[u], weight, exactWeight, static_cast<double>(batch) + 2);
      compare.add(velocity[u], state, exactState, static_cast<double>(batch) + 2);
    }
  }
}

}  // namespace setnet::test
