// The metrics of an evaluation against plain models that count pairs, on random data with ties, in one walk over rows
// as train::evaluateRows does it.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "test/check.h"
#include "test/random_network.h"
#include "train/evaluate.h"

namespace setnet::test {
namespace {

using rules::Loss;
using rules::Metric;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Outputs with what they shall be: classes, or a number for each output.
struct Answers {
  Loss loss;
  uint64_t units;
  std::vector<float> outputs;  // [sample][unit]
  std::vector<int32_t> classes;
  std::vector<float> numbers;

  uint64_t samples() const { return outputs.size() / units; }
  float output(uint64_t sample, uint64_t unit) const { return outputs[sample * units + unit]; }
  bool byClass() const { return loss == Loss::SoftmaxCrossEntropy; }
};

std::vector<int> everyMetric(Loss loss, uint64_t units) {
  std::vector<int> metrics;
  for (int metric = 0; metric < static_cast<int>(std::size(rules::kMetrics)); ++metric)
    if (rules::metricApplies(metric, static_cast<int>(loss), units)) metrics.push_back(metric);
  return metrics;
}

Status evaluate(const Answers& answers, const std::vector<int>& metrics, train::Evaluation* out,
                const std::atomic<bool>* abort = nullptr) {
  train::Dataset data;
  data.x.rows = answers.samples();
  data.classes = answers.classes;
  data.numbers = answers.numbers;
  const auto forward = [&](uint64_t first, uint64_t count, Span<float> rows) {
    std::copy_n(answers.outputs.data() + first * answers.units, count * answers.units, rows.data());
    return Status();
  };
  return train::evaluateRows(forward, static_cast<int>(answers.loss), answers.units, data, metrics, abort, out);
}

train::Evaluation evaluated(const Answers& answers) {
  train::Evaluation evaluation;
  CHECK_OK(evaluate(answers, everyMetric(answers.loss, answers.units), &evaluation));
  return evaluation;
}

// On a grid, so that there are ties.
Answers randomAnswers(Loss loss, uint64_t units, uint64_t samples, Random& random) {
  Answers answers{loss, units, {}, {}, {}};
  for (uint64_t i = 0; i < samples * units; ++i)
    answers.outputs.push_back(0.25f * static_cast<float>(static_cast<int>(random.below(25)) - 12));
  const uint64_t occurring = random.between(1, units);
  for (uint64_t i = 0; i < samples && answers.byClass(); ++i)
    answers.classes.push_back(static_cast<int32_t>(random.below(occurring)));
  for (uint64_t i = 0; i < samples * units && !answers.byClass(); ++i)
    answers.numbers.push_back(0.25f * static_cast<float>(random.below(5)));
  return answers;
}

int64_t predictedOf(const Answers& answers, uint64_t sample) {
  if (!answers.byClass()) return answers.output(sample, 0) > 0;
  int64_t best = 0;
  for (uint64_t u = 1; u < answers.units; ++u)
    if (answers.output(sample, u) > answers.output(sample, static_cast<uint64_t>(best))) best = static_cast<int64_t>(u);
  return best;
}

// Mean over the groups' means of recalls; a group is a list of (class, right).
double recallOf(const std::vector<std::pair<int64_t, bool>>& group, int64_t classes, uint64_t* occurring) {
  double sum = 0;
  *occurring = 0;
  for (int64_t c = 0; c < classes; ++c) {
    const auto all = std::count_if(group.begin(), group.end(), [&](const auto& entry) { return entry.first == c; });
    const auto right =
        std::count_if(group.begin(), group.end(), [&](const auto& entry) { return entry.first == c && entry.second; });
    if (all == 0) continue;
    sum += static_cast<double>(right) / static_cast<double>(all);
    *occurring += 1;
  }
  return sum / static_cast<double>(*occurring);
}

double plainBalancedAccuracy(const Answers& answers) {
  uint64_t occurring = 0;
  std::vector<std::pair<int64_t, bool>> group;
  if (answers.byClass() || answers.units == 1) {
    for (uint64_t i = 0; i < answers.samples(); ++i) {
      const int64_t actual = answers.byClass() ? answers.classes[i] : answers.numbers[i] > 0.5f;
      group.emplace_back(actual, predictedOf(answers, i) == actual);
    }
    return recallOf(group, std::max<int64_t>(2, static_cast<int64_t>(answers.units)), &occurring);
  }
  double sum = 0, outputs = 0;
  for (uint64_t u = 0; u < answers.units; ++u) {
    group.clear();
    for (uint64_t i = 0; i < answers.samples(); ++i) {
      const bool actual = answers.numbers[i * answers.units + u] > 0.5f;
      group.emplace_back(actual, (answers.output(i, u) > 0) == actual);
    }
    const double recall = recallOf(group, 2, &occurring);
    if (occurring < 2) continue;
    sum += recall;
    outputs += 1;
  }
  return outputs > 0 ? sum / outputs : kNaN;
}

// Every positive with every negative.
double plainArea(const std::vector<float>& scores, const std::vector<bool>& positive) {
  double sum = 0, pairs = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    for (size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      sum += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      pairs += 1;
    }
  return pairs > 0 ? sum / pairs : kNaN;
}

double plainAuc(const Answers& answers) {
  double sum = 0, curves = 0;
  for (uint64_t u = 0; u < answers.units; ++u) {
    std::vector<float> scores;
    std::vector<bool> positive;
    for (uint64_t i = 0; i < answers.samples(); ++i) {
      double rest = 0;
      for (uint64_t v = 0; v < answers.units; ++v)
        if (v != u) rest += std::exp(double{answers.output(i, v)});
      // Log-odds; of two classes they are exact, and so are ties.
      if (answers.byClass())
        scores.push_back(answers.units == 2 ? answers.output(i, u) - answers.output(i, 1 - u)
                                            : static_cast<float>(answers.output(i, u) - std::log(rest)));
      else
        scores.push_back(answers.output(i, u));
      positive.push_back(answers.byClass() ? answers.classes[i] == static_cast<int64_t>(u)
                                           : answers.numbers[i * answers.units + u] > 0.5f);
    }
    const double area = plainArea(scores, positive);
    if (std::isnan(area)) continue;
    sum += area;
    curves += 1;
  }
  return curves > 0 ? sum / curves : kNaN;
}

void checkSame(double actual, double expected) {
  if (std::isnan(expected))
    CHECK(std::isnan(actual));
  else
    CHECK_NEAR(actual, expected, 1e-12);
}

TEST("every metric equals a plain model that counts, with ties, absent classes and fractions") {
  Random random(3);
  for (int round = 0; round < 400; ++round) {
    const Loss loss = random.chance(0.5) ? Loss::SoftmaxCrossEntropy : Loss::BinaryCrossEntropy;
    const uint64_t units = random.between(loss == Loss::SoftmaxCrossEntropy ? 2 : 1, 5);
    const Answers answers = randomAnswers(loss, units, random.between(1, 60), random);
    const train::Evaluation evaluation = evaluated(answers);
    checkSame(evaluation.numberOf(Metric::BalancedAccuracy), plainBalancedAccuracy(answers));
    checkSame(evaluation.numberOf(Metric::Auc), plainAuc(answers));
    if (loss == Loss::BinaryCrossEntropy && units > 1) continue;
    const rules::MetricValue& confusion = evaluation.metrics[3];
    REQUIRE(confusion.metric == static_cast<int>(Metric::Confusion));
    REQUIRE(confusion.classes == std::max<uint64_t>(2, units));
    std::vector<uint64_t> counts(confusion.classes * confusion.classes);
    for (uint64_t i = 0; i < answers.samples(); ++i) {
      const uint64_t actual = answers.byClass() ? static_cast<uint64_t>(answers.classes[i]) : answers.numbers[i] > 0.5f;
      counts[actual * confusion.classes + static_cast<uint64_t>(predictedOf(answers, i))] += 1;
    }
    CHECK(confusion.counts == counts);
    uint64_t right = 0;
    for (uint64_t c = 0; c < confusion.classes; ++c) right += confusion.counts[c * confusion.classes + c];
    CHECK_NEAR(evaluation.accuracy, static_cast<double>(right) / static_cast<double>(answers.samples()), 0);
  }
}

TEST("values by hand") {
  // Scores 1 2 2 3 of negatives and positives in turns: of four pairs 1 < 2, 1 < 3, 2 = 2, 2 < 3.
  Answers answers{Loss::BinaryCrossEntropy, 1, {1, 2, 2, 3}, {}, {0, 1, 0.5f, 0.75f}};
  CHECK_NEAR(evaluated(answers).numberOf(Metric::Auc), 3.5 / 4, 0);
  // All say yes: of the noes none is right.
  CHECK_NEAR(evaluated(answers).numberOf(Metric::BalancedAccuracy), 0.5, 0);
  CHECK(evaluated(answers).metrics[3].counts == (std::vector<uint64_t>{0, 2, 0, 2}));

  answers = {Loss::SoftmaxCrossEntropy, 3, {1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1}, {0, 0, 1, 1}, {}};
  CHECK_NEAR(evaluated(answers).numberOf(Metric::BalancedAccuracy), (1.0 / 2 + 2.0 / 2) / 2, 0);
}

TEST("the area follows log-odds where probabilities would round to 0 and 1") {
  // In f32 and in double every one of these probabilities is 1.
  const Answers sure{Loss::SoftmaxCrossEntropy, 2, {0, 100, 0, 200, 0, 300}, {0, 1, 1}, {}};
  CHECK_NEAR(evaluated(sure).numberOf(Metric::Auc), 1, 0);
  const Answers three{Loss::SoftmaxCrossEntropy, 3, {0, 100, -900, 0, 200, -900, 0, 300, -900}, {0, 1, 1}, {}};
  CHECK_NEAR(evaluated(three).numberOf(Metric::Auc), 1, 0);
}

TEST("metrics beside loss and accuracy are there where they were asked for") {
  Random random(4);
  const Answers answers = randomAnswers(Loss::SoftmaxCrossEntropy, 3, 20, random);
  train::Evaluation evaluation;
  REQUIRE_OK(evaluate(answers, {}, &evaluation));
  CHECK_EQ(evaluation.metrics.size(), 2);
  CHECK_NEAR(evaluation.numberOf(Metric::MeanLoss), evaluation.loss, 0);
  CHECK_NEAR(evaluation.numberOf(Metric::Accuracy), evaluation.accuracy, 0);
  CHECK(std::isnan(evaluation.numberOf(Metric::Auc)));
  const double loss = evaluation.loss;
  REQUIRE_OK(evaluate(answers, {static_cast<int>(Metric::Confusion), static_cast<int>(Metric::MeanLoss)}, &evaluation));
  CHECK_EQ(evaluation.metrics.size(), 3);
  CHECK_EQ(evaluation.loss, loss);
}

TEST("an area is undefined where a score is no number or only one class occurs") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const uint64_t units : {2, 3}) {
    Answers answers{Loss::SoftmaxCrossEntropy, units, std::vector<float>(4 * units, 1), {0, 1, 0, 1}, {}};
    CHECK_NEAR(evaluated(answers).numberOf(Metric::Auc), 0.5, 0);
    answers.classes = {1, 1, 1, 1};
    CHECK(std::isnan(evaluated(answers).numberOf(Metric::Auc)));
    CHECK(!std::isnan(evaluated(answers).numberOf(Metric::BalancedAccuracy)));
    answers.classes = {0, 1, 0, 1};
    for (uint64_t u = 0; u < units; ++u) answers.outputs[u] = infinity;
    CHECK(std::isnan(evaluated(answers).numberOf(Metric::Auc)));
    answers.outputs[0] = std::nanf("");
    CHECK(std::isnan(evaluated(answers).numberOf(Metric::Auc)));
  }
  // Infinite scores of single outputs can be ordered.
  const Answers single{Loss::BinaryCrossEntropy, 1, {-infinity, infinity}, {}, {0, 1}};
  CHECK_NEAR(evaluated(single).numberOf(Metric::Auc), 1, 0);
}

TEST("what has no meaning for a loss does not apply, and a table of too many classes neither") {
  const auto applies = [](Metric metric, Loss loss, uint64_t units) {
    return rules::metricApplies(static_cast<int>(metric), static_cast<int>(loss), units);
  };
  CHECK(everyMetric(Loss::MeanSquaredError, 2) == (std::vector<int>{static_cast<int>(Metric::MeanLoss)}));
  CHECK(applies(Metric::Confusion, Loss::SoftmaxCrossEntropy, 1024));
  CHECK(!applies(Metric::Confusion, Loss::SoftmaxCrossEntropy, 1025));
  CHECK(applies(Metric::Confusion, Loss::BinaryCrossEntropy, 1));
  CHECK(!applies(Metric::Confusion, Loss::BinaryCrossEntropy, 2));
  CHECK(applies(Metric::Auc, Loss::SoftmaxCrossEntropy, 100000));
}

TEST("more memory than there is, is said before any of it is asked for") {
  rules::MetricSet set;
  const int auc = static_cast<int>(Metric::Auc);
  const Status status =
      set.begin({static_cast<int>(Loss::SoftmaxCrossEntropy), 1u << 30, uint64_t{1} << 40}, Span<const int>(&auc, 1));
  CHECK(status.code() == Code::Memory);
}

TEST("an abort after the last block counts as well") {
  Random random(5);
  const Answers answers = randomAnswers(Loss::SoftmaxCrossEntropy, 3, 20, random);
  std::atomic<bool> abort{true};
  train::Evaluation evaluation;
  CHECK(evaluate(answers, everyMetric(answers.loss, 3), &evaluation, &abort).code() == Code::Aborted);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
