// Checks of the kernels that treat every number by itself or every sample: activations, dropout, losses, the edges
// where user data comes in and answers go out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/philox.h"
#include "kernels/kernel_table.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {

using kernels::KernelTable;

template <class Rule>
void checkActivationOf(const KernelTable& table, rules::Activation rule, Random& random) {
  for (const int64_t batch : kBatches) {
    PanelMemory z(23, batch), y(23, batch);
    z.fill(random);
    const TestActivation<Rule> activation(rule, 23, random);
    for (int64_t b = 0; b < batch; b += 2) z.at(5, b) = TestActivation<Rule>::onGrid(random);
    z.at(5, 0) = 0;
    for (int64_t b = 0; b < batch; ++b) z.at(8, b) = TestActivation<Rule>::ofAnySize(random);
    if (!activation.learned.empty()) z.at(6, 0) = activation.learned[6];
    table.activation({static_cast<int>(rule), activation.choice.parameters, 2, 23, z.panels(), y.panels(), z.vectors(),
                      activation.learnedData(), 23});
    Comparison comparison(table, "activation");
    for (int64_t u = 2; u < 23; ++u) {
      const auto single = activation.template numbers<float>(u);
      const auto exact = activation.template numbers<double>(u);
      for (int64_t b = 0; b < batch; ++b)
        comparison.add(y.at(u, b), Rule::forward(z.at(u, b), single.p), Rule::forward(double{z.at(u, b)}, exact.p),
                       1 + std::fabs(z.at(u, b)));
    }
    CHECK(y.guarded());
    CHECK_EQ(y.at(1, 0), kGuard);
    // In place, as predictions compute it.
    table.activation({static_cast<int>(rule), activation.choice.parameters, 0, 23, z.panels(), z.panels(), z.vectors(),
                      activation.learnedData(), 23});
    int64_t different = 0;
    for (int64_t u = 2; u < 23; ++u)
      for (int64_t b = 0; b < batch; ++b) different += !sameBits(z.at(u, b), y.at(u, b));
    CHECK_EQ(different, 0);
  }
}

inline void check_activation(const KernelTable& table, Random& random) {
#define SETNET_ENTRY(Rule) checkActivationOf<rules::Rule>(table, rules::Activation::Rule, random);
  SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
}

template <class Rule>
void checkActivationGradientOf(const KernelTable& table, rules::Activation rule, Random& random) {
  for (const int64_t batch : kBatches) {
    PanelMemory z(23, batch), y(23, batch), gradient(23, batch);
    std::vector<uint16_t> kept(static_cast<size_t>(23 * y.vectors()));
    for (uint16_t& bits : kept) bits = static_cast<uint16_t>(random.next());
    const TestActivation<Rule> activation(rule, 23, random);
    for (const bool dropped : {false, true}) {
      z.fill(random);
      y.fill(random);
      y.at(7, 0) = 0;
      for (int64_t b = 0; b < batch; ++b) z.at(8, b) = TestActivation<Rule>::ofAnySize(random);
      gradient.fill(random, true);
      PanelMemory before = gradient;
      PanelMemory& input = Rule::needsInput ? z : y;
      // In place, and from other panels.
      PanelMemory& dy = random.chance(0.5) ? gradient : before;
      table.activationGradient({static_cast<int>(rule), activation.choice.parameters, 0, 23, input.panels(), y.panels(),
                                dy.panels(), gradient.panels(), y.vectors(), dropped ? kept.data() : nullptr,
                                y.vectors(), 1.25f, activation.learnedData(), 23});
      Comparison comparison(table, "activationGradient");
      for (int64_t u = 0; u < 23; ++u) {
        const auto numbers = activation.template numbers<float>(u);
        for (int64_t b = 0; b < y.vectors() * 16; ++b) {
          const float dy = activation.kept(kept, dropped, y.vectors(), u, b, before.at(u, b), 1.25f);
          const float result = dropped && Rule::needsOutput ? y.at(u, b) * (1 / 1.25f) : y.at(u, b);
          const float expected = Rule::backward(dy, input.at(u, b), result, numbers.p);
          comparison.add(gradient.at(u, b), expected, expected, 1);
        }
      }
      CHECK(gradient.guarded());
    }
  }
}

template <class Rule>
void checkActivationVectorOf(const KernelTable& table, rules::Activation rule, Random& random) {
  for (int64_t units = 1; units < 50; ++units) {
    const TestActivation<Rule> activation(rule, units, random);
    std::vector<float> z = randomNumbers(static_cast<size_t>(units), random);
    for (size_t u = 0; u < z.size(); u += 3) z[u] = TestActivation<Rule>::onGrid(random);
    for (size_t u = 1; u < z.size(); u += 3) z[u] = TestActivation<Rule>::ofAnySize(random);
    z[0] = 0;
    std::vector<float> y(static_cast<size_t>(units) + 1, kGuard);
    table.activationVector({static_cast<int>(rule), activation.choice.parameters, units, z.data(), y.data(),
                            activation.learnedData(), units});
    Comparison comparison(table, "activationVector");
    for (int64_t u = 0; u < units; ++u)
      comparison.add(y[u], Rule::forward(z[u], activation.template numbers<float>(u).p),
                     Rule::forward(double{z[u]}, activation.template numbers<double>(u).p), 1 + std::fabs(z[u]));
    CHECK_EQ(y[units], kGuard);
  }
}

inline void check_activationVector(const KernelTable& table, Random& random) {
#define SETNET_ENTRY(Rule) checkActivationVectorOf<rules::Rule>(table, rules::Activation::Rule, random);
  SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
}

inline void check_liveSamples(const KernelTable& table, Random& random) {
  for (const int64_t samples : {1, 5, 16, 17, 31, 32}) {
    for (int round = 0; round < 20; ++round) {
      PanelMemory x(static_cast<int64_t>(random.between(0, 40)), samples);
      x.fill(random);  // also beyond the samples, where it must not matter
      uint32_t expected = 0;
      for (int64_t b = 0; b < samples; ++b) {
        // Minus zero is zero; a number that is not one, and the smallest of all, are not.
        const bool live = random.chance(0.5);
        bool any = false;
        for (int64_t f = 0; f < x.features(); ++f) {
          const float something = random.chance(0.1) ? NAN : random.chance(0.1) ? 1e-38f : -1.0f;
          x.at(f, b) = live && random.chance(0.1) ? something : random.chance(0.5) ? 0.0f : -0.0f;
          any = any || !(x.at(f, b) == 0);
        }
        expected |= uint32_t{any} << b;
      }
      uint32_t live = 12345;
      const uint32_t all = samples == 32 ? ~0u : (1u << samples) - 1;
      table.liveSamples({x.features(), x.panels().data, x.panels().width, all, &live});
      CHECK_EQ(live, expected);
    }
  }
}

inline void check_activationGradient(const KernelTable& table, Random& random) {
#define SETNET_ENTRY(Rule) checkActivationGradientOf<rules::Rule>(table, rules::Activation::Rule, random);
  SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
}

// Of the rules that learn: each parameter's sum over the batch, and its update.
template <class Rule>
void checkActivationUpdateOf(const KernelTable& table, rules::Activation rule, Random& random) {
  constexpr int count = rules::Learned<Rule>::count;
  if constexpr (count > 0) {
    for (const int64_t batch : kBatches) {
      const int64_t units = static_cast<int64_t>(random.between(1, 60));
      const int64_t begin = units > 3 ? 3 : 0, end = units > 20 ? units - 2 : units;
      PanelMemory z(units, batch), gradient(units, batch);
      std::vector<uint16_t> kept(static_cast<size_t>(units * z.vectors()));
      for (uint16_t& bits : kept) bits = static_cast<uint16_t>(random.next());
      for (const backend::TrainingRules& rules : everyOptimizer()) {
        const bool dropped = random.chance(0.5);
        TestActivation<Rule> activation(rule, units, random);
        const TestActivation<Rule> old = activation;
        const TestOptimizer optimizer(rules, 0.1f);
        std::vector<float> state[rules::kMaxOptimizerState], oldState[rules::kMaxOptimizerState];
        for (int s = 0; s < optimizer.stateCount; ++s)
          oldState[s] = state[s] = optimizer.randomState(s, activation.learned.size(), random);
        z.fill(random);
        for (int64_t u = 0; u < units; ++u)
          for (int64_t b = 0; b < batch; b += 3) z.at(u, b) = activation.onGrid(random);  // on and near the kinks
        gradient.fill(random, true);
        kernels::ActivationUpdateArgs args = {};
        args.rule = static_cast<int>(rule);
        args.parameters = activation.choice.parameters;
        args.unitBegin = begin;
        args.unitEnd = end;
        args.z = z.panels();
        args.dy = gradient.panels();
        args.vectors = z.vectors();
        args.kept = dropped ? kept.data() : nullptr;
        args.keptStride = z.vectors();
        args.keptScale = 1.25f;
        args.learned = activation.learned.data();
        args.learnedStride = units;
        for (int s = 0; s < optimizer.stateCount; ++s) args.state[s] = state[s].data();
        args.optimizer = optimizer.kernel();
        table.activationUpdate(args);
        UpdateComparison compare(table, "activationUpdate", optimizer);
        for (int64_t u = 0; u < units; ++u) {
          const bool inside = u >= begin && u < end;
          const auto single = old.template numbers<float>(u);
          const auto exact = old.template numbers<double>(u);
          const auto dy = [&](int64_t b) {
            return old.kept(kept, dropped, z.vectors(), u, b, gradient.at(u, b), 1.25f);
          };
          for (int i = 0; i < count; ++i) {
            const size_t at = static_cast<size_t>(i * units + u);
            if (!inside) {
              CHECK(sameBits(activation.learned[at], old.learned[at]));
              for (int s = 0; s < optimizer.stateCount; ++s) CHECK(sameBits(state[s][at], oldState[s][at]));
              continue;
            }
            const float sum = sumOverSamples<float>(batch, [&](int64_t b, float chain) {
              float g[rules::kMaxLearned] = {};
              g[i] = chain;
              Rule::addGradient(dy(b), z.at(u, b), single.p, g);
              return g[i];
            });
            const double exactSum = sumOverSamples<double>(batch, [&](int64_t b, double chain) {
              double g[rules::kMaxLearned] = {};
              g[i] = chain;
              Rule::addGradient(double{dy(b)}, double{z.at(u, b)}, exact.p, g);
              return g[i];
            });
            compare.add(
                activation.learned[at], [&](int n) { return state[n][at]; }, old.learned[at],
                [&](int n) { return oldState[n][at]; }, {sum, exactSum, 3 * static_cast<double>(batch)});
          }
        }
      }
    }
  }
}

inline void check_activationUpdate(const KernelTable& table, Random& random) {
#define SETNET_ENTRY(Rule) checkActivationUpdateOf<rules::Rule>(table, rules::Activation::Rule, random);
  SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
}

inline void check_dropout(const KernelTable& table, Random& random) {
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
      args.firstSample = threshold == 1 ? 64 : 0;
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
          const PhiloxBlock block =
              stream.block(static_cast<uint64_t>(b + args.firstSample) << 32 | static_cast<uint64_t>(u / 8));
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
  std::vector<float> numbers = {};  // one per output, where the loss takes them

  T logit(int64_t u) const { return static_cast<T>(z->at(u, sample)); }
  T target(int64_t u) const {
    if (!numbers.empty()) return static_cast<T>(numbers[static_cast<size_t>(u)]);
    return u == target_ ? T{1} : T{0};
  }
  void set(int64_t u, T value) { result[static_cast<size_t>(u)] = value; }
  T get(int64_t u) const { return result[static_cast<size_t>(u)]; }
};

inline void check_loss(const KernelTable& table, Random& random) {
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
    // One for each sample, 0 among them; every loss is computed with and without them.
    std::vector<float> weights(static_cast<size_t>(batch));
    for (float& w : weights) w = random.chance(0.2) ? 0.0f : static_cast<float>(random.uniform(0, 4));
    const auto compare = [&](rules::Loss rule, bool weighted, auto&& single, auto&& exact) {
      const bool byClass = rules::targetOf(static_cast<int>(rule)) == rules::Target::Class;
      // Where there are numbers they lie where the gradient is written, zeros beyond the batch.
      PanelMemory targets = gradient;
      for (int64_t u = 0; u < units; ++u)
        for (int64_t b = 0; b < lanes; ++b)
          targets.at(u, b) = b >= batch ? 0.0f : random.chance(0.5) ? 1.0f : static_cast<float>(random.uniform(0, 1));
      if (!byClass) gradient = targets;
      const auto numbersOf = [&](int64_t b) {
        std::vector<float> numbers;
        for (int64_t u = 0; u < units && !byClass; ++u) numbers.push_back(targets.at(u, b));
        return numbers;
      };
      table.loss({static_cast<int>(rule), units, z.panels(), gradient.panels(), z.vectors(), batch, classes.data(),
                  scale, terms.data(), lanes, predicted.data(), weighted ? weights.data() : nullptr});
      Comparison gradients(table, "loss, gradient"), sums(table, "loss, terms");
      for (int64_t b = 0; b < batch; ++b) {
        const size_t room = static_cast<size_t>(units);
        SamplePanel<float> p = {&z, b, classes[static_cast<size_t>(b)], std::vector<float>(room), numbersOf(b)};
        SamplePanel<double> q = {&z, b, classes[static_cast<size_t>(b)], std::vector<double>(room), numbersOf(b)};
        float singleTerms[rules::kLossTerms];
        double exactTerms[rules::kLossTerms];
        const float weight = weighted ? weights[static_cast<size_t>(b)] : 1.0f;
        single(p, scale * weight, singleTerms);
        exact(q, double{scale} * double{weight}, exactTerms);
        for (int64_t u = 0; u < units; ++u)
          gradients.add(gradient.at(u, b), p.result[static_cast<size_t>(u)], q.result[static_cast<size_t>(u)],
                        (byClass ? 1 : 1 + std::fabs(q.result[static_cast<size_t>(u)])) * std::max(1.0f, weight));
        for (int i = 0; i < rules::kLossTerms; ++i)
          sums.add(terms[static_cast<size_t>(i * lanes + b)], singleTerms[i], exactTerms[i],
                   std::fabs(exactTerms[i]) + 1);
        int64_t best = 0;
        for (int64_t u = 1; u < units; ++u)
          if (z.at(u, b) > z.at(best, b)) best = u;
        if (byClass) CHECK_EQ(predicted[static_cast<size_t>(b)], best);
      }
      for (int64_t b = batch; b < lanes; ++b)
        for (int64_t u = 0; u < units; ++u) CHECK(sameBits(gradient.at(u, b), 0.0f));
      CHECK(gradient.guarded());
    };
#define SETNET_ENTRY(Rule)                                                                    \
  for (const bool weighted : {false, true})                                                   \
    compare(                                                                                  \
        rules::Loss::Rule, weighted,                                                          \
        [&](auto& p, float factor, float* t) { rules::Rule::gradient(p, units, factor, t); }, \
        [&](auto& p, double factor, double* t) { rules::Rule::gradient(p, units, factor, t); });
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

inline void check_probabilities(const KernelTable& table, Random& random) {
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
#define SETNET_ENTRY(Rule)                                                                       \
  compare(                                                                                       \
      rules::Loss::Rule, [&](auto& p) { rules::Rule::template probabilities<float>(p, units); }, \
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
    // A single row as a vector: the same numbers, then zeros to the next multiple of 16.
    std::vector<float> row(static_cast<size_t>((columns + 15) / 16 * 16), kGuard);
    args.samples = 1;
    args.out = {row.data(), 0, 1};
    table.packRows(args);
    CHECK_EQ(nonfinite, 0);
    for (size_t c = 0; c < row.size(); ++c)
      CHECK(sameBits(row[c], c < static_cast<size_t>(columns) ? x.at(static_cast<int64_t>(c), 0) : 0.0f));
  }
}

inline void check_packRows(const KernelTable& table, Random& random) {
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
    for (const double bad :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1e300}) {
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
      std::vector<float> row(48);
      kernels::PackRowsArgs single = args;
      single.samples = 1;
      single.first = static_cast<uint64_t>(position / 37);
      single.out = {row.data(), 0, 1};
      single.nonfinite = &nonfinite;
      nonfinite = 0;
      table.packRows(single);
      CHECK_EQ(nonfinite, std::isnan(bad) ? 0 : 1);
      if (std::isnan(bad)) CHECK(sameBits(x.at(position % 37, position / 37), 0.0f));
    }
  }
}

inline void check_unpackRows(const KernelTable& table, Random& random) {
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

}  // namespace setnet::test
