// Every kernel of the table, for every instruction set that runs here, against a plain loop: in f32 with the order of
// sums of kernels.md section 0, to the bit where multiply and add are fused, and in double everywhere.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/philox.h"
#include "kernels/dispatch.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {
namespace {

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

void check_sparseProduct(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const core::CsrMatrix w =
        randomCsr(random.between(1, 60), random.between(1, 90), random.uniform(0, 0.7), random);
    PanelMemory x(static_cast<int64_t>(w.columns), batch), y(static_cast<int64_t>(w.rows), batch);
    x.fill(random);
    const std::vector<float> bias = randomNumbers(w.rows, random);
    for (const float* start : {bias.data(), static_cast<const float*>(nullptr)}) {
      const int64_t end = static_cast<int64_t>(w.rows), begin = static_cast<int64_t>(random.below(w.rows));
      table.sparseProduct({begin, end, w.rowPointers.data(), w.columnIndices.data(), w.values.data(), start,
                           x.panels(), y.panels(), x.vectors()});
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

void check_sparseUpdate(const KernelTable& table, Random& random) {
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

void check_gather(const KernelTable& table, Random& random) {
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
      : units(rows), inputs(columns), stride(((columns + 15) / 16 | 1) * 16),
        weights(static_cast<size_t>((rows + 15) / 16 * 16 * stride), 0.0f) {
    for (int64_t r = 0; r < units; ++r)
      for (int64_t c = 0; c < inputs; ++c)
        if (!random.chance(0.3)) at(r, c) = static_cast<float>(random.uniform(-1, 1));
  }
  float& at(int64_t r, int64_t c) { return weights[static_cast<size_t>(r * stride + c)]; }
};

void check_denseForward(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    // The last ones are longer than a block of depth.
    const int64_t inputs = batch % 32 == 1 ? kernels::kDenseDepthBlock + 30 : static_cast<int64_t>(random.between(1, 90));
    const int64_t units = static_cast<int64_t>(random.between(1, batch % 32 == 1 ? 15 : 70));
    TestMatrix w(units, inputs, random);
    PanelMemory x(inputs, batch), y(units, batch);
    x.fill(random);
    const std::vector<float> bias = randomNumbers(static_cast<size_t>(units), random);
    for (const float* start : {bias.data(), static_cast<const float*>(nullptr)}) {
      const int64_t begin = static_cast<int64_t>(random.below(static_cast<uint64_t>(units)));
      table.denseForward({begin, units, inputs, w.weights.data(), w.stride, start, x.panels(), y.panels(), x.vectors()});
      compareProduct(table, "denseForward", x, y, begin, units, start, [&](int64_t r, auto&& visit) {
        for (int64_t c = 0; c < inputs; ++c) visit(c, w.at(r, c));
      });
    }
  }
}

void check_denseInputGradient(const KernelTable& table, Random& random) {
  std::vector<float> scratch(kernels::kDenseScratch + 16);
  float* aligned = scratch.data();
  while (reinterpret_cast<uintptr_t>(aligned) % 64 != 0) ++aligned;
  for (const int64_t batch : kBatches) {
    const int64_t units = batch % 32 == 1 ? kernels::kDenseDepthBlock + 30 : static_cast<int64_t>(random.between(1, 90));
    const int64_t inputs = static_cast<int64_t>(random.between(1, batch % 32 == 1 ? 15 : 130));
    TestMatrix w(units, inputs, random);
    PanelMemory gradient(units, batch), result(inputs, batch);
    gradient.fill(random, true);
    const int64_t begin = inputs > kernels::kDenseColumnBlock ? kernels::kDenseColumnBlock : 0;
    table.denseInputGradient({begin, inputs, units, w.weights.data(), w.stride, gradient.panels(), result.panels(),
                              gradient.vectors(), aligned});
    compareProduct(table, "denseInputGradient", gradient, result, begin, inputs, nullptr,
                   [&](int64_t c, auto&& visit) {
                     for (int64_t r = 0; r < units; ++r) visit(r, w.at(r, c));
                   });
    for (int64_t b = batch; b < gradient.vectors() * 16; ++b) CHECK(sameBits(result.at(inputs - 1, b), 0.0f));
  }
}

// Tiles [feature / 16][sample][16] of panels, zeros elsewhere.
std::vector<float> tilesOf(PanelMemory& x) {
  const int64_t stride = x.vectors() * 256;
  std::vector<float> tiles(static_cast<size_t>((x.features() + 15) / 16 * stride), 0.0f);
  for (int64_t f = 0; f < x.features(); ++f)
    for (int64_t b = 0; b < x.vectors() * 16; ++b)
      tiles[static_cast<size_t>(f / 16 * stride + b * 16 + f % 16)] = x.at(f, b);
  return tiles;
}

void check_sampleTiles(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    PanelMemory x(static_cast<int64_t>(random.between(1, 70)), batch);
    x.fill(random);
    const std::vector<float> expected = tilesOf(x);
    std::vector<float> tiles(expected.size(), kGuard);
    table.sampleTiles({0, x.features(), x.panels(), x.vectors(), tiles.data(), x.vectors() * 256});
    CHECK(std::memcmp(tiles.data(), expected.data(), expected.size() * sizeof(float)) == 0);
  }
}

void check_denseUpdate(const KernelTable& table, Random& random) {
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

void check_biasUpdate(const KernelTable& table, Random& random) {
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

void check_activation(const KernelTable& table, Random& random) {
  const double parameters[rules::kMaxParameters] = {};
  for (const int64_t batch : kBatches) {
    PanelMemory z(23, batch), y(23, batch);
    z.fill(random);
    z.at(5, 0) = 0;
    const auto compare = [&](rules::Activation rule, auto&& forward) {
      table.activation({static_cast<int>(rule), parameters, 2, 23, z.panels(), y.panels(), z.vectors()});
      Comparison comparison(table, "activation");
      for (int64_t u = 2; u < 23; ++u)
        for (int64_t b = 0; b < batch; ++b)
          comparison.add(y.at(u, b), forward(z.at(u, b)), forward(double{z.at(u, b)}), 1);
      CHECK(y.guarded());
      CHECK_EQ(y.at(1, 0), kGuard);
    };
#define SETNET_ENTRY(Rule)                                                                        \
  compare(rules::Activation::Rule, [](auto x) {                                                   \
    return rules::Rule::forward(x, static_cast<const decltype(x)*>(nullptr));                     \
  });
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

void check_activationGradient(const KernelTable& table, Random& random) {
  const double parameters[rules::kMaxParameters] = {};
  for (const int64_t batch : kBatches) {
    PanelMemory y(23, batch), gradient(23, batch);
    std::vector<uint16_t> kept(static_cast<size_t>(23 * y.vectors()));
    for (uint16_t& bits : kept) bits = static_cast<uint16_t>(random.next());
    for (const bool dropped : {false, true}) {
      const auto compare = [&](rules::Activation rule, auto&& backward) {
        y.fill(random);
        y.at(7, 0) = 0;
        gradient.fill(random, true);
        PanelMemory before = gradient;
        table.activationGradient({static_cast<int>(rule), parameters, 0, 23, y.panels(), y.panels(), gradient.panels(),
                                  y.vectors(), dropped ? kept.data() : nullptr, y.vectors(), 1.25f});
        Comparison comparison(table, "activationGradient");
        for (int64_t u = 0; u < 23; ++u) {
          for (int64_t b = 0; b < y.vectors() * 16; ++b) {
            float dy = before.at(u, b);
            if (dropped) dy = kept[static_cast<size_t>(u * y.vectors() + b / 16)] >> b % 16 & 1 ? dy * 1.25f : 0;
            const float expected = backward(dy, y.at(u, b));
            comparison.add(gradient.at(u, b), expected, expected, 1);
          }
        }
        CHECK(gradient.guarded());
      };
#define SETNET_ENTRY(Rule)                                                                     \
  compare(rules::Activation::Rule, [](float dy, float out) {                                   \
    return rules::Rule::backward(dy, out, out, static_cast<const float*>(nullptr));            \
  });
      SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
    }
  }
}

void check_dropout(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    for (const uint32_t threshold : {0u, 1u, 19661u, 65536u}) {
      const int64_t units = static_cast<int64_t>(random.between(5, 60));
      PanelMemory y(units, batch);
      y.fill(random);
      PanelMemory before = y;
      const RandomStream stream = {random.next(), Purpose::Dropout, 3, 0x123456789ull};
      std::vector<uint16_t> kept(static_cast<size_t>(units * y.vectors()), 0);
      kernels::DropoutArgs args = {};
      args.unitBegin = 3;
      args.unitEnd = units - 1;
      args.y = y.panels();
      args.vectors = y.vectors();
      args.seed = stream.seed;
      args.counter1 = static_cast<uint32_t>(stream.purpose) | stream.layer << 8;
      args.counter3 = static_cast<uint32_t>(stream.time);
      args.threshold = threshold;
      args.keptScale = 1.5f;
      args.kept = kept.data();
      args.keptStride = y.vectors();
      table.dropout(args);
      int64_t wrong = 0;
      for (int64_t u = 0; u < units; ++u) {
        for (int64_t b = 0; b < batch; ++b) {
          const PhiloxBlock block = stream.block(static_cast<uint64_t>(b) << 32 | static_cast<uint64_t>(u / 8));
          const uint32_t half = block.word[u % 8 / 2] >> (u % 2 * 16) & 0xFFFF;
          const bool keep = half >= threshold;
          const bool inside = u >= 3 && u < units - 1;
          const float expected = !inside ? before.at(u, b) : keep ? before.at(u, b) * 1.5f : 0.0f;
          wrong += !sameBits(y.at(u, b), expected);
          wrong += inside && (kept[static_cast<size_t>(u * y.vectors() + b / 16)] >> b % 16 & 1) != keep;
        }
      }
      CHECK_EQ(wrong, 0);
      CHECK(y.guarded());
    }
  }
}

// One sample of panels as the losses want to see it, in T.
template <class T>
struct SamplePanel {
  PanelMemory* z;
  int64_t sample;
  int64_t target_;
  std::vector<T> result;

  T logit(int64_t u) const { return static_cast<T>(z->at(u, sample)); }
  T target(int64_t u) const { return u == target_ ? T{1} : T{0}; }
  void set(int64_t u, T value) { result[static_cast<size_t>(u)] = value; }
  T get(int64_t u) const { return result[static_cast<size_t>(u)]; }
};

void check_loss(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const int64_t units = static_cast<int64_t>(random.between(1, 20));
    PanelMemory z(units, batch), gradient(units, batch);
    z.fill(random);
    for (int64_t u = 0; u < units; ++u)
      for (int64_t b = 0; b < batch; ++b) z.at(u, b) *= 20;
    if (units > 2)
      for (int64_t u = 0; u < units; ++u) z.at(u, 0) = u == 1 || u == 2 ? 30.0f : -30.0f;  // a tie, and e^-60
    std::vector<int32_t> classes(static_cast<size_t>(batch));
    for (int32_t& c : classes) c = static_cast<int32_t>(random.below(static_cast<uint64_t>(units)));
    const int64_t lanes = z.vectors() * 16;
    std::vector<float> terms(static_cast<size_t>(rules::kLossTerms * lanes));
    std::vector<uint32_t> predicted(static_cast<size_t>(lanes));
    const float scale = 1.0f / static_cast<float>(batch);
    const auto compare = [&](rules::Loss rule, auto&& single, auto&& exact) {
      table.loss({static_cast<int>(rule), units, z.panels(), gradient.panels(), z.vectors(), batch, classes.data(), scale,
                  terms.data(), predicted.data()});
      Comparison gradients(table, "loss, gradient"), sums(table, "loss, terms");
      for (int64_t b = 0; b < batch; ++b) {
        const size_t room = static_cast<size_t>(units);
        SamplePanel<float> p = {&z, b, classes[static_cast<size_t>(b)], std::vector<float>(room)};
        SamplePanel<double> q = {&z, b, classes[static_cast<size_t>(b)], std::vector<double>(room)};
        float singleTerms[rules::kLossTerms];
        double exactTerms[rules::kLossTerms];
        single(p, singleTerms);
        exact(q, exactTerms);
        for (int64_t u = 0; u < units; ++u)
          gradients.add(gradient.at(u, b), p.result[static_cast<size_t>(u)], q.result[static_cast<size_t>(u)], 1);
        for (int i = 0; i < rules::kLossTerms; ++i)
          sums.add(terms[static_cast<size_t>(i * lanes + b)], singleTerms[i], exactTerms[i],
                   std::fabs(exactTerms[i]) + 1);
        int64_t best = 0;
        for (int64_t u = 1; u < units; ++u)
          if (z.at(u, b) > z.at(best, b)) best = u;
        CHECK_EQ(predicted[static_cast<size_t>(b)], best);
      }
      for (int64_t b = batch; b < lanes; ++b)
        for (int64_t u = 0; u < units; ++u) CHECK(sameBits(gradient.at(u, b), 0.0f));
      CHECK(gradient.guarded());
    };
#define SETNET_ENTRY(Rule)                                                                            \
  compare(                                                                                            \
      rules::Loss::Rule, [&](auto& p, float* t) { rules::Rule::gradient(p, units, scale, t); },       \
      [&](auto& p, double* t) { rules::Rule::gradient(p, units, double{scale}, t); });
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

void check_probabilities(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    const int64_t units = static_cast<int64_t>(random.between(1, 20));
    PanelMemory y(units, batch);
    y.fill(random);
    PanelMemory z = y;
    const auto compare = [&](rules::Loss rule, auto&& single, auto&& exact) {
      y = z;
      table.probabilities({static_cast<int>(rule), units, y.panels(), y.vectors()});
      Comparison comparison(table, "probabilities");
      for (int64_t b = 0; b < batch; ++b) {
        SamplePanel<float> p = {&z, b, -1, std::vector<float>(static_cast<size_t>(units))};
        SamplePanel<double> q = {&z, b, -1, std::vector<double>(static_cast<size_t>(units))};
        single(p);
        exact(q);
        for (int64_t u = 0; u < units; ++u)
          comparison.add(y.at(u, b), p.result[static_cast<size_t>(u)], q.result[static_cast<size_t>(u)], 1);
      }
      CHECK(y.guarded());
    };
#define SETNET_ENTRY(Rule)                                                                               \
  compare(                                                                                               \
      rules::Loss::Rule, [&](auto& p) { rules::Rule::template probabilities<float>(p, units); },         \
      [&](auto& p) { rules::Rule::template probabilities<double>(p, units); });
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

template <class T>
void comparePack(const KernelTable& table, kernels::Element type, int64_t batch, Random& random) {
  const int64_t columns = static_cast<int64_t>(random.between(1, 70)), rows = 50;
  std::vector<T> data(static_cast<size_t>(rows * columns));
  const double low = std::is_unsigned_v<T> ? 0 : -100;
  for (T& x : data) x = static_cast<T>(random.uniform(low, 100));
  std::vector<uint64_t> indices(static_cast<size_t>(batch));
  for (uint64_t& index : indices) index = random.below(static_cast<uint64_t>(rows));
  const std::vector<float> mean = randomNumbers(static_cast<size_t>(columns), random);
  const std::vector<float> scale = randomNumbers(static_cast<size_t>(columns), random);
  for (int mode = 0; mode < 6; ++mode) {
    PanelMemory x(columns, batch);
    uint8_t nonfinite = 0;
    kernels::PackRowsArgs args = {};
    args.type = type;
    args.data = data.data();
    args.columns = columns;
    args.indices = mode % 2 == 0 ? indices.data() : nullptr;
    args.samples = args.indices ? batch : std::min(batch, rows - 1);
    args.first = 1;
    args.mean = mode < 2 ? nullptr : mean.data();
    args.scale = mode < 2 ? nullptr : scale.data();
    args.perFeature = mode >= 4;
    args.hasMissing = mode % 3 != 0;
    args.missing = static_cast<float>(data[static_cast<size_t>(columns / 2)]);
    args.columnEnd = columns;
    args.out = x.panels();
    args.nonfinite = &nonfinite;
    table.packRows(args);
    CHECK_EQ(nonfinite, 0);
    int64_t wrong = 0;
    for (int64_t b = 0; b < (args.samples + 15) / 16 * 16; ++b) {
      for (int64_t c = 0; c < columns; ++c) {
        float expected = 0;
        if (b < args.samples) {
          const uint64_t row = args.indices ? indices[static_cast<size_t>(b)] : static_cast<uint64_t>(1 + b);
          const float raw = static_cast<float>(data[static_cast<size_t>(row * columns + c)]);
          const size_t at = args.perFeature ? static_cast<size_t>(c) : 0;
          const float centred = raw - mean[at];
          expected = args.mean ? centred * scale[at] : raw;
          if (args.hasMissing && raw == args.missing) expected = 0;
        }
        wrong += !(x.at(c, b) == expected);
      }
    }
    CHECK_EQ(wrong, 0);
    CHECK(x.guarded() || args.samples < batch);
  }
}

void check_packRows(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    comparePack<float>(table, kernels::Element::Float32, batch, random);
    comparePack<double>(table, kernels::Element::Float64, batch, random);
    comparePack<uint8_t>(table, kernels::Element::Uint8, batch, random);
    comparePack<int8_t>(table, kernels::Element::Int8, batch, random);
    comparePack<uint16_t>(table, kernels::Element::Uint16, batch, random);
    comparePack<int16_t>(table, kernels::Element::Int16, batch, random);
  }
  // What is not finite is seen wherever it lies, unless NaN means missing.
  for (int64_t position = 0; position < 3 * 37; ++position) {
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1e300}) {
      std::vector<double> data(3 * 37, 1.0);
      data[static_cast<size_t>(position)] = bad;
      PanelMemory x(37, 3);
      uint8_t nonfinite = 0;
      kernels::PackRowsArgs args = {};
      args.type = kernels::Element::Float64;
      args.data = data.data();
      args.columns = args.columnEnd = 37;
      args.samples = 3;
      args.out = x.panels();
      args.nonfinite = &nonfinite;
      table.packRows(args);
      CHECK_EQ(nonfinite, 1);
      nonfinite = 0;
      args.hasMissing = true;
      args.missing = std::numeric_limits<float>::quiet_NaN();
      table.packRows(args);
      CHECK_EQ(nonfinite, std::isnan(bad) ? 0 : 1);
      if (std::isnan(bad)) CHECK(sameBits(x.at(position % 37, position / 37), 0.0f));
    }
  }
}

void check_unpackRows(const KernelTable& table, Random& random) {
  for (const int64_t batch : kBatches) {
    PanelMemory y(static_cast<int64_t>(random.between(1, 70)), batch);
    y.fill(random);
    std::vector<float> out(static_cast<size_t>(batch * y.features()) + 16, kGuard);
    table.unpackRows({y.features(), y.panels(), batch, out.data()});
    int64_t wrong = 0;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t u = 0; u < y.features(); ++u)
        wrong += !sameBits(out[static_cast<size_t>(b * y.features() + u)], y.at(u, b));
    CHECK_EQ(wrong, 0);
    for (size_t k = static_cast<size_t>(batch * y.features()); k < out.size(); ++k) CHECK_EQ(out[k], kGuard);
  }
}

// A kernel that is added to the table does not compile here before it has its check.
struct KernelCheck {
  const char* name;
  void (*check)(const KernelTable&, Random&);
};
constexpr KernelCheck kChecks[] = {
#define SETNET_ENTRY(name, Args) {#name, &check_##name},
    SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

void checkIsa(const char* name) {
  for (const kernels::Isa& isa : kernels::available()) {
    if (std::strcmp(isa.name, name) != 0) continue;
    if (!isa.runsHere) {
      std::printf("    %s: not run here, which is not a pass\n", name);
      return;
    }
    for (const KernelCheck& kernel : kChecks) {
      Random random(2024);
      kernel.check(*isa.table, random);
    }
    return;
  }
  std::printf("    %s: not part of this build\n", name);
}

TEST("all kernels of AVX-512 sum as ordered, to the bit") { checkIsa("avx512"); }
TEST("all kernels of AVX2 sum as ordered, to the bit") { checkIsa("avx2"); }
TEST("all kernels of NEON sum as ordered, to the bit") { checkIsa("neon"); }
TEST("all kernels of the baseline are near the double reference") { checkIsa("baseline"); }

TEST("the table in use runs here, and its name is listed") {
  const KernelTable* table = nullptr;
  CHECK_OK(kernels::active(&table));
  bool listed = false;
  for (const kernels::Isa& isa : kernels::available()) listed = listed || (isa.table == table && isa.runsHere);
  CHECK(listed);
  CHECK(kernels::available().size() >= 2 || kernels::available()[0].table->fused == false);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
