// The order of events, counters, schedules, stop and abort of a fit, against a backend that only takes notes; and a
// fit on the real CPU backend from two threads at once (for TSan).
#include "train/trainer.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/philox.h"
#include "core/model.h"
#include "cpu/backend.h"
#include "test/check.h"
#include "train/scaling.h"

using namespace setnet;

namespace {

struct Notes {
  std::vector<std::string> events;
  std::vector<std::vector<uint64_t>> batches;
  std::vector<float> rates;
  std::vector<float> weights;  // of the samples of all batches
  std::vector<uint64_t> steps, optimizerSteps;
  std::vector<backend::EvolutionSettings> evolutions;
  std::vector<std::vector<uint8_t>> chosen;
  std::vector<double> answers;  // what forward gives the wrong class, validation by validation; none: 0
  size_t validations = 0;
  std::vector<float> madeFrom;  // each engine's first bias
  double lossAtStep = 1;        // what every sample costs
  uint64_t nanAtStep = ~uint64_t{0};
  bool finite = true;
  std::atomic<bool>* abortAtStep = nullptr;
  uint64_t abortStep = ~uint64_t{0};
  std::atomic<bool>* abortAtForward = nullptr;
  int forwardsUntilAbort = 0;
};

class NoteEngine : public backend::Engine {
 public:
  NoteEngine(Notes* notes, const core::Model& model) : notes_(notes), layers_(model.layers) {}

  Status step(const backend::RowSet& rows, const backend::Targets& targets, const backend::StepSettings& settings,
              backend::StepResult* result) override {
    std::vector<uint64_t> batch;
    for (uint64_t k = 0; k < rows.count; ++k) batch.push_back(rows.row(k));
    for (uint64_t k = 0; k < rows.count; ++k) CHECK_EQ(targets.classes[k], static_cast<int32_t>(batch[k] % 2));
    for (uint64_t k = 0; targets.weights && k < rows.count; ++k) notes_->weights.push_back(targets.weights[k]);
    notes_->batches.push_back(batch);
    notes_->rates.push_back(settings.learningRate);
    notes_->steps.push_back(settings.step);
    notes_->optimizerSteps.push_back(settings.optimizerStep);
    notes_->events.push_back("step");
    const bool nan = notes_->steps.size() - 1 == notes_->nanAtStep;
    result->lossSum = nan ? std::nan("") : notes_->lossAtStep * static_cast<double>(rows.count);
    result->correct = 1;
    if (notes_->abortAtStep && notes_->steps.size() - 1 == notes_->abortStep) notes_->abortAtStep->store(true);
    return Status();
  }
  Status forward(const backend::RowSet& rows, Span<float> out) override {
    notes_->events.push_back("forward");
    if (notes_->abortAtForward && --notes_->forwardsUntilAbort == 0) notes_->abortAtForward->store(true);
    const size_t at = notes_->validations++;
    const double answer = at < notes_->answers.size() ? notes_->answers[at] : 0;
    for (uint64_t k = 0; k < rows.count; ++k) {  // always answers class 0
      out[2 * k] = 1;
      out[2 * k + 1] = static_cast<float>(answer);
    }
    return Status();
  }
  Status evolve(const backend::EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) override {
    notes_->events.push_back(settings.growBack ? "evolve" : "remove");
    notes_->evolutions.push_back(settings);
    notes_->chosen.emplace_back(settings.chosen.begin(), settings.chosen.end());
    core::LayerEvolutionReport report;
    report.prunedPositive = 3;
    report.grown = settings.growBack ? 3 : 0;
    report.connections = settings.growBack ? 100 : 97;
    reports->assign(1, report);
    return Status();
  }
  Status checkFinite() const override {
    return notes_->finite ? Status() : Status(Code::Diverged, "a weight of layer 0 is not finite");
  }
  Status exportLayers(core::Model* model, bool withState) const override {
    model->layers = layers_;
    // Tells one engine's state of its training from another's.
    model->layers[0].bias[0] = static_cast<float>(notes_->steps.size());
    if (withState) notes_->events.push_back("keep");
    return Status();
  }
  // The trainer knows whole steps only.
  Status forwardStep(const backend::RowSet&, uint64_t, Span<float>) override { return notNeeded(); }
  Status backward(const backend::MatrixView&, Span<float>) override { return notNeeded(); }
  Status weightGradient(size_t, Span<float>) override { return notNeeded(); }
  Status finishStep(const rules::OptimizerStep&) override { return notNeeded(); }
  uint64_t bytes() const override { return 0; }

 private:
  static Status notNeeded() { return Status(Code::State, "not needed here"); }

  Notes* notes_;
  std::vector<core::LayerState> layers_;
};

class NoteBackend : public backend::Backend {
 public:
  explicit NoteBackend(Notes* notes) : notes_(notes) {}
  const char* name() const override { return "notes"; }
  Status createEngine(const core::Model& model, const backend::TrainingRules&, const backend::EngineOptions&,
                      std::unique_ptr<backend::Engine>* out) const override {
    out->reset(new NoteEngine(notes_, model));
    notes_->madeFrom.push_back(model.layers[0].bias[0]);
    return Status();
  }
  Status createPredictor(Ref<const core::Model>, const backend::PredictorOptions&,
                         Ref<backend::Predictor>*) const override {
    return Status(Code::State, "not needed here");
  }
  Status sampledProduct(const core::CsrMatrix&, const backend::MatrixView&, const backend::MatrixView&, int,
                        Span<float>) const override {
    return Status(Code::State, "not needed here");
  }

 private:
  Notes* notes_;
};

class NoteObserver : public train::Observer {
 public:
  explicit NoteObserver(std::vector<std::string>* events) : events_(events) {}
  void onProgress(const train::Progress& progress) override { progress_.push_back(progress); }
  void publish(Ref<const core::Model> model) override {
    events_->push_back(model->finalised ? "publish-final" : "publish");
    model_ = model;
  }
  void checkpoint(Ref<const core::Checkpoint> checkpoint, const train::EpochRecord* record, const train::FitResult&,
                  bool due) override {
    events_->push_back(due ? "store" : "hold");
    CHECK_EQ(record ? record->epoch : (due ? 0 : checkpoint->state.epoch), checkpoint->state.epoch);
    checkpoints_.push_back(checkpoint);
  }
  void onEpoch(const train::EpochRecord& record) override {
    events_->push_back("epoch");
    if (stopAfter_ && record.epoch == stopAfter_) control_->stop.store(true);
  }

  std::vector<std::string>* events_;
  std::vector<train::Progress> progress_;
  Ref<const core::Model> model_;
  std::vector<Ref<const core::Checkpoint>> checkpoints_;
  uint64_t stopAfter_ = 0;
  train::Control* control_ = nullptr;
};

Ref<core::Model> smallModel(core::Scaling scaling = {}) {
  core::NetworkDefinition definition;
  definition.inputs = 3;
  definition.seed = 7;
  core::LayerDefinition layer;
  layer.inputs = 3;
  layer.units = 2;
  layer.kind = core::LayerKind::Sparse;
  layer.budget.epsilon = 0.8;
  definition.layers.push_back(layer);
  Ref<core::Model> model;
  const Status status = core::createModel(definition, scaling, &model);
  CHECK(status.ok());
  return model;
}

struct Fixture {
  std::vector<float> features;
  std::vector<int32_t> classes;
  train::Dataset data;
  Notes notes;
  train::Control control;
  train::FitResult result;

  explicit Fixture(uint64_t rows) {
    for (uint64_t r = 0; r < rows; ++r) {
      for (int c = 0; c < 3; ++c) features.push_back(static_cast<float>(r + 10 * c));
      classes.push_back(static_cast<int32_t>(r % 2));
    }
    data.x = {features.data(), backend::DataType::Float32, rows, 3};
    data.classes = classes;
  }
  static train::FitOptions options(uint64_t epochs, uint64_t batch) {
    train::FitOptions o;
    o.epochs = epochs;
    o.batchSize = batch;
    o.learningRate.rule = static_cast<int>(rules::Schedule::Constant);
    o.learningRate.parameters[0] = 0.5;
    o.zetaSchedule.rule = static_cast<int>(rules::Schedule::Cosine);
    o.zeta = 0.4;
    o.progressSeconds = 0;
    return o;
  }
};

using Events = std::vector<std::string>;

TEST("every epoch visits every sample once, in an order of its own, with the last batch partial") {
  Fixture f(10);
  NoteObserver observer(&f.notes.events);
  const auto options = Fixture::options(2, 4);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.notes.batches.size(), size_t{6});
  CHECK_EQ(f.notes.batches[2].size(), size_t{2});
  std::vector<uint64_t> orders[2];
  for (int e = 0; e < 2; ++e) {
    for (int b = 0; b < 3; ++b)
      for (uint64_t row : f.notes.batches[3 * e + b]) orders[e].push_back(row);
    CHECK_EQ((std::set<uint64_t>(orders[e].begin(), orders[e].end()).size()), size_t{10});
  }
  CHECK(orders[0] != orders[1]);
  for (uint64_t s = 0; s < 6; ++s) CHECK_EQ(f.notes.steps[s], s);
}

TEST("weights follow their samples into the batches; a wrong number of them is refused") {
  Fixture f(10);
  NoteObserver observer(&f.notes.events);
  const auto options = Fixture::options(2, 4);
  const auto fit = [&] {
    return train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result);
  };
  CHECK(fit().ok());
  CHECK(f.notes.weights.empty());
  f.notes.batches.clear();
  const std::vector<float> weights = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  f.data.weights = weights;
  CHECK(fit().ok());
  std::vector<float> rows;
  for (const std::vector<uint64_t>& batch : f.notes.batches)
    for (uint64_t row : batch) rows.push_back(static_cast<float>(row));
  CHECK(f.notes.weights == rows);
  f.data.weights = Span<const float>(weights.data(), 9);
  CHECK(fit().code() == Code::Data);
}

// Batches of one row, as many in an epoch as are told, with the classes that NoteEngine expects.
class FewBatches : public train::BatchSource {
 public:
  FewBatches(const train::Dataset& data, std::vector<uint64_t> lengths, uint64_t announced)
      : data_(data), lengths_(std::move(lengths)), announced_(announced) {}
  Status learnScaling(core::Scaling*) override { return Status(); }
  bool isSparse() const override { return false; }
  void addTo(Hash64*) const override {}
  Status begin(uint64_t epoch, uint64_t epochOfLife, uint64_t* steps) override {
    CHECK_EQ(epoch, epochOfLife);
    left_ = lengths_[epoch - 1];
    *steps = announced_;
    return Status();
  }
  Status next(train::Batch* batch, bool* ended) override {
    *ended = left_ == 0;
    if (*ended) return Status();
    --left_;
    const uint64_t row = left_ % data_.x.rows;
    batch->rows = {data_.x, nullptr, row, 1};
    batch->targets.classes = data_.classes.data() + row;
    return Status();
  }

 private:
  const train::Dataset& data_;
  const std::vector<uint64_t> lengths_;
  const uint64_t announced_;
  uint64_t left_ = 0;
};

TEST("a source that does not say how many batches come: rates by the epoch, no evolution after the fit's last step") {
  Fixture f(10);
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(3, 4);
  options.learningRate.rule = static_cast<int>(rules::Schedule::LinearSchedule);
  options.learningRate.parameters[0] = 0.3;
  options.learningRate.parameters[1] = 0;
  options.trigger.rule = static_cast<int>(rules::Trigger::EverySteps);
  options.trigger.parameters[0] = 1;
  options.finalPrune = false;
  FewBatches source(f.data, {2, 1, 3}, 0);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), source, nullptr, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.notes.rates.size(), size_t{6});
  CHECK_EQ(f.notes.rates[0], f.notes.rates[1]);
  CHECK(f.notes.rates[1] > f.notes.rates[2]);
  CHECK(f.notes.rates[2] > f.notes.rates[3]);
  CHECK_EQ(f.notes.rates[3], f.notes.rates[5]);
  const Events expected = {"publish", "step",  "evolve", "step",   "evolve", "publish", "epoch", "step",    "evolve",
                           "publish", "epoch", "step",   "evolve", "step",   "evolve",  "step",  "publish", "epoch"};
  CHECK(f.notes.events == expected);
  CHECK_EQ(observer.progress_.size(), size_t{6});
  for (const train::Progress& progress : observer.progress_) CHECK_EQ(progress.steps, uint64_t{0});
  CHECK_EQ(observer.progress_[5].samples, uint64_t{3});
}

TEST("epochs without a batch, or with another number of them than was announced, are refused") {
  const auto statusOf = [](std::vector<uint64_t> lengths, uint64_t announced) {
    Fixture f(10);
    NoteObserver observer(&f.notes.events);
    const auto options = Fixture::options(lengths.size(), 1);
    FewBatches source(f.data, std::move(lengths), announced);
    return train::fit(NoteBackend(&f.notes), smallModel(), source, nullptr, options, f.control, observer, &f.result);
  };
  CHECK(statusOf({3, 3}, 3).ok());
  for (const Status& status : {statusOf({0}, 0), statusOf({2, 0}, 0), statusOf({0}, 3), statusOf({3, 2}, 3)}) {
    CHECK(status.code() == Code::Data);
    CHECK(status.message().find("epoch ") == 0);
  }
}

TEST("steps of the optimizer count from the fit's first, steps of the network go on over fits") {
  Ref<const core::Model> model = smallModel();
  for (uint64_t fit = 0; fit < 2; ++fit) {
    Fixture f(10);
    NoteObserver observer(&f.notes.events);
    const auto options = Fixture::options(2, 4);
    CHECK(train::fit(NoteBackend(&f.notes), model, f.data, nullptr, options, f.control, observer, &f.result).ok());
    CHECK_EQ(f.notes.optimizerSteps.size(), size_t{6});
    for (uint64_t s = 0; s < f.notes.optimizerSteps.size(); ++s) {
      CHECK_EQ(f.notes.optimizerSteps[s], s + 1);
      CHECK_EQ(f.notes.steps[s], 6 * fit + s);
    }
    model = observer.model_;
  }
}

TEST("events come in the order steps, validation, evolution, publication, report; the removal comes last") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  const auto options = Fixture::options(2, 4);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, &f.data, options, f.control, observer, &f.result).ok());
  const Events expected = {"publish", "step",    "forward", "evolve",  "publish",       "epoch",  // epoch 1
                           "step",    "forward", "remove",  "forward", "publish-final",           // epoch 2
                           "epoch"};
  CHECK(f.notes.events == expected);
  CHECK(f.result.final.has_value());
  CHECK_EQ(f.result.final->connections, uint64_t{97});
  CHECK_NEAR(f.result.final->validation->accuracy, 0.5, 0);
  CHECK_EQ(f.result.epochs.size(), size_t{2});
  CHECK(f.result.epochs[0].evolution.has_value() && !f.result.epochs[1].evolution.has_value());
  CHECK_EQ(observer.model_->counters.step, uint64_t{2});
  CHECK_EQ(observer.model_->counters.epoch, uint64_t{2});
  CHECK_EQ(observer.model_->counters.evolution, uint64_t{2});
}

TEST("zeta falls along the cosine and the final removal takes the base zeta") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  const auto options = Fixture::options(5, 4);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.notes.evolutions.size(), size_t{5});
  for (int e = 1; e <= 4; ++e) {
    CHECK_NEAR(f.notes.evolutions[e - 1].zeta, 0.2 * (1 + std::cos(M_PI * (e - 1) / 4.0)), 1e-15);
    CHECK_EQ(f.notes.evolutions[e - 1].evolution, static_cast<uint64_t>(e));
  }
  CHECK_NEAR(f.notes.evolutions[4].zeta, 0.4, 0);
  CHECK(!f.notes.evolutions[4].growBack);
}

TEST("a single epoch has only the final removal, a static network neither") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(1, 4);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.notes.evolutions.size(), size_t{1});
  CHECK(!f.notes.evolutions[0].growBack);
  Fixture g(4);
  NoteObserver other(&g.notes.events);
  options.evolve = false;
  options.epochs = 3;
  CHECK(train::fit(NoteBackend(&g.notes), smallModel(), g.data, nullptr, options, g.control, other, &g.result).ok());
  CHECK(g.notes.evolutions.empty());
  CHECK(!g.result.final.has_value());
  CHECK(!other.model_->finalised);
}

TEST("the learning rate follows schedule and warm-up within the epoch") {
  Fixture f(8);
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(2, 2);
  options.learningRate.rule = static_cast<int>(rules::Schedule::LinearSchedule);
  options.learningRate.parameters[0] = 1;
  options.learningRate.parameters[1] = 0;
  options.warmup = 1;
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.notes.rates.size(), size_t{8});
  for (int s = 0; s < 8; ++s) {
    const double position = s / 4.0;
    const double expected = (1 - position / 2) * std::min(1.0, (s + 1) / 4.0);
    CHECK_EQ(f.notes.rates[s], static_cast<float>(expected));
  }
}

TEST("stop ends after the running epoch, without the final removal") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  observer.stopAfter_ = 2;
  observer.control_ = &f.control;
  const auto options = Fixture::options(5, 2);
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK(f.result.stopped);
  CHECK_EQ(f.result.epochs.size(), size_t{2});
  CHECK(!f.result.final.has_value());
  CHECK(!observer.model_->finalised);
}

TEST("an abort ends within the step and publishes the state after the last finished one") {
  Fixture f(8);
  NoteObserver observer(&f.notes.events);
  f.notes.abortAtStep = &f.control.abort;
  f.notes.abortStep = 5;  // the second step of the second epoch
  const auto options = Fixture::options(3, 2);
  const Status status =
      train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result);
  CHECK(status.code() == Code::Aborted);
  CHECK_EQ(f.notes.steps.size(), size_t{6});
  CHECK_EQ(observer.model_->counters.step, uint64_t{6});
  CHECK_EQ(observer.model_->counters.epoch, uint64_t{1});
  CHECK(!observer.model_->finalised);
}

TEST("an abort while the final removal is evaluated finalises nothing") {
  Fixture f(600);  // more than one block of evaluation
  NoteObserver observer(&f.notes.events);
  f.notes.abortAtForward = &f.control.abort;
  f.notes.forwardsUntilAbort = 4;  // three blocks of the validation, one of the evaluation after the removal
  const auto options = Fixture::options(1, 100);
  const Status status =
      train::fit(NoteBackend(&f.notes), smallModel(), f.data, &f.data, options, f.control, observer, &f.result);
  CHECK(status.code() == Code::Aborted);
  CHECK_EQ(f.notes.events.back(), std::string("publish"));
  CHECK_EQ(f.notes.evolutions.size(), size_t{1});
  CHECK_EQ(observer.model_->counters.step, uint64_t{6});
  CHECK_EQ(observer.model_->counters.evolution, uint64_t{0});
  CHECK(!observer.model_->finalised);
}

TEST("a loss that is not finite is Diverged, and the last finished epoch stands") {
  Fixture f(8);
  NoteObserver observer(&f.notes.events);
  f.notes.nanAtStep = 6;
  const auto options = Fixture::options(3, 2);
  const Status status =
      train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result);
  CHECK(status.code() == Code::Diverged);
  CHECK(status.message().find("epoch 2, step 3") != std::string::npos);
  CHECK_EQ(observer.model_->counters.step, uint64_t{4});
}

TEST("weights that are not finite at the end of an epoch are Diverged before anything is published") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  f.notes.finite = false;
  const auto options = Fixture::options(3, 2);
  const Status status =
      train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result);
  CHECK(status.code() == Code::Diverged);
  CHECK(f.notes.events == (Events{"publish", "step", "step"}));
}

TEST("scaling is learned from the training data, leaves missing values out and gives constant features scale 0") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {1, 5, nan, 3, 5, 2, 5, 5, 4, 7, 5, nan};
  core::Scaling scaling;
  scaling.kind = core::Scaling::Kind::PerFeature;
  scaling.hasMissing = true;
  scaling.missing = nan;
  CHECK(train::learnScaling({x.data(), backend::DataType::Float32, 4, 3}, &scaling).ok());
  CHECK(scaling.known);
  CHECK_NEAR(scaling.mean[0], 4, 0);
  CHECK_NEAR(scaling.scale[0], static_cast<float>(1 / std::sqrt(5.0)), 0);
  CHECK_NEAR(scaling.mean[1], 5, 0);
  CHECK_NEAR(scaling.scale[1], 0, 0);
  CHECK_NEAR(scaling.mean[2], 3, 0);
  CHECK_NEAR(scaling.scale[2], 1, 0);
}

TEST("a feature that is not finite is refused by row and column while scaling is learned") {
  const std::vector<double> x = {1, 2, 3, 1e300, 5, 6};
  core::Scaling scaling;
  scaling.kind = core::Scaling::Kind::Global;
  const Status status = train::learnScaling({x.data(), backend::DataType::Float64, 2, 3}, &scaling);
  CHECK(status.code() == Code::Nonfinite);
  CHECK(status.message().find("row 1, column 0") != std::string::npos);
  CHECK(!scaling.known);
}

// A real network on the CPU backend: learns which of two columns is larger.
struct RealFit {
  std::vector<float> features;
  std::vector<int32_t> classes;
  Ref<core::Model> model;
  train::Dataset data;

  explicit RealFit(uint64_t seed) {
    const RandomStream stream{seed, Purpose::Trigger, 0, 0};
    const uint64_t rows = 600, columns = 20;
    for (uint64_t i = 0; i < rows * columns; ++i)
      features.push_back(static_cast<float>(static_cast<int32_t>(stream.block(i).word[0])) * 4.6e-10f);
    for (uint64_t r = 0; r < rows; ++r) classes.push_back(features[r * columns] > features[r * columns + 1]);
    core::NetworkDefinition definition;
    definition.inputs = columns;
    definition.seed = seed;
    for (uint64_t units : {64, 64, 2}) {
      core::LayerDefinition layer;
      layer.inputs = definition.layers.empty() ? columns : definition.layers.back().units;
      layer.units = units;
      layer.kind = units == 2 ? core::LayerKind::Dense : core::LayerKind::Sparse;
      layer.budget.epsilon = 6;
      layer.activation.rule = static_cast<int>(units == 2 ? rules::Activation::Linear : rules::Activation::Relu);
      layer.dropout = units == 2 ? 0 : 0.1;
      definition.layers.push_back(layer);
    }
    const Status status = core::createModel(definition, {}, &model);
    CHECK(status.ok());
    data.x = {features.data(), backend::DataType::Float32, rows, columns};
    data.classes = classes;
  }
  static train::FitOptions options() {
    train::FitOptions o = Fixture::options(20, 32);
    o.learningRate.parameters[0] = 0.05;
    o.rules.optimizer = rules::defaultsOf(rules::kOptimizers, 0);
    o.evolution.newWeights.rule = static_cast<int>(rules::Initializer::Zero);
    o.zeta = 0.3;
    o.threads = 3;
    return o;
  }
};

TEST("two fits at once share the pool, learn, and give the same bits as one after the other") {
  RealFit fits[2] = {RealFit(1), RealFit(2)};
  train::FitResult alone[2], together[2];
  const train::FitOptions options = RealFit::options();
  for (int i = 0; i < 2; ++i) {
    Events events;
    NoteObserver observer(&events);
    train::Control control;
    CHECK(train::fit(cpu::backend(), fits[i].model, fits[i].data, &fits[i].data, options, control, observer, &alone[i])
              .ok());
    CHECK(alone[i].final->validation->accuracy > 0.9);
  }
  std::vector<std::thread> threads;
  Status statuses[2];
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      Events events;
      NoteObserver observer(&events);
      train::Control control;
      statuses[i] = train::fit(cpu::backend(), fits[i].model, fits[i].data, &fits[i].data, options, control, observer,
                               &together[i]);
    });
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 2; ++i) {
    CHECK(statuses[i].ok());
    for (size_t e = 0; e < alone[i].epochs.size(); ++e) CHECK_EQ(alone[i].epochs[e].loss, together[i].epochs[e].loss);
    CHECK_EQ(alone[i].final->validation->loss, together[i].final->validation->loss);
  }
}

TEST("a trigger by steps evolves after each of them but the fit's last, with the zeta of the running epoch") {
  Fixture f(10);  // 5 steps an epoch
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(3, 2);
  options.trigger = {rules::findRule(rules::kTriggers, "steps"), {3}};
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  std::vector<uint64_t> after;
  uint64_t steps = 0;
  for (const std::string& event : f.notes.events) {
    steps += event == "step";
    if (event == "evolve") after.push_back(steps);
  }
  CHECK(after == (std::vector<uint64_t>{3, 6, 9, 12}));  // not 15: there the final removal follows
  CHECK_EQ(f.notes.events[f.notes.events.size() - 3], std::string("remove"));
  CHECK(std::abs(f.notes.evolutions[0].zeta - 0.4) < 1e-12);  // epoch 1 of 3
  CHECK(std::abs(f.notes.evolutions[1].zeta - 0.2) < 1e-12);  // epoch 2
  CHECK(std::abs(f.notes.evolutions[3].zeta) < 1e-12);        // epoch 3
  for (uint64_t t = 0; t < 4; ++t) CHECK_EQ(f.notes.evolutions[t].evolution, t + 1);
  CHECK_EQ(f.result.epochs[1].evolution->evolutions, uint64_t{2});
  CHECK_EQ(f.result.epochs[1].evolution->total.prunedPositive, uint64_t{6});
  CHECK_EQ(f.result.epochs[1].evolution->total.connections, uint64_t{100});
  CHECK_EQ(f.result.epochs[0].evolution->evolutions, uint64_t{1});
}

TEST("a trigger by chance asks for layers one by one, and the same seed asks for the same") {
  std::vector<std::vector<uint8_t>> chosen[2];
  for (auto& seen : chosen) {
    Fixture f(40);
    NoteObserver observer(&f.notes.events);
    auto options = Fixture::options(5, 2);
    options.trigger = {rules::findRule(rules::kTriggers, "probability"), {0.3}};
    CHECK(
        train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
    seen = f.notes.chosen;
  }
  CHECK(chosen[0] == chosen[1]);
  CHECK(chosen[0].size() > 10 && chosen[0].size() < 60);  // 100 steps, and the removal
  CHECK(chosen[0].back().empty());                        // which is for all
}

TEST(
    "a reset of state begins the optimizer's steps anew; an evolution after the last epoch takes the removal's place") {
  Fixture f(4);
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(3, 2);
  options.evolution.resetState = true;
  options.finalEvolution = true;
  options.finalPrune = false;
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, nullptr, options, f.control, observer, &f.result).ok());
  CHECK(f.notes.optimizerSteps == (std::vector<uint64_t>{1, 2, 1, 2, 1, 2}));
  CHECK(f.notes.events == (Events{"publish", "step", "step", "evolve", "publish", "epoch", "step", "step", "evolve",
                                  "publish", "epoch", "step", "step", "evolve", "publish", "epoch"}));
  CHECK(!f.result.final);
}

TEST("early stopping: after `patience` epochs without a better validation, without evolution or removal") {
  Fixture f(4);
  f.notes.answers = {-3, -1, -2, 0.5, 0,
                     -1, 1,  1,  1};  // the nearer to 1 the less loss: half of the samples are of class 0
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(9, 4);
  options.stop.stopsEarly = true;
  options.stop.patience = 2;
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, &f.data, options, f.control, observer, &f.result).ok());
  // Two epochs in a row that are not better come after epoch 4 for the first time.
  CHECK_EQ(f.result.bestEpoch, uint64_t{4});
  CHECK_EQ(f.result.epochs.size(), size_t{6});
  CHECK(f.result.stopped && f.result.stoppedEarly && !f.result.final && !f.result.restored);
  CHECK(!f.result.epochs.back().evolution);
  CHECK_EQ(f.notes.evolutions.size(), size_t{5});
  CHECK_EQ(f.result.bestValue, f.result.epochs[3].validation->loss);
}

TEST("a validation whose loss is no number is never the best one where another is one") {
  Fixture f(4);
  const double none = std::nan("");
  f.notes.answers = {none, none, 0.5, none, 0.25};
  NoteObserver observer(&f.notes.events);
  auto options = Fixture::options(5, 4);
  options.finalPrune = false;
  CHECK(train::fit(NoteBackend(&f.notes), smallModel(), f.data, &f.data, options, f.control, observer, &f.result).ok());
  CHECK_EQ(f.result.bestEpoch, uint64_t{3});
  CHECK_EQ(f.result.bestValue, f.result.epochs[2].validation->loss);
}

TEST("the best network is put back at the end: before the final removal, after an early stop and after a stop") {
  for (const int kind : {0, 1, 2}) {
    Fixture f(4);
    f.notes.answers = {0, 0.5, -1, -2, -3, -4};
    NoteObserver observer(&f.notes.events);
    auto options = Fixture::options(4, 2);  // 2 steps an epoch
    options.stop.restoreBest = true;
    options.stop.stopsEarly = kind == 1;
    options.stop.patience = 1;
    observer.control_ = &f.control;
    if (kind == 2) observer.stopAfter_ = 3;
    CHECK(
        train::fit(NoteBackend(&f.notes), smallModel(), f.data, &f.data, options, f.control, observer, &f.result).ok());
    CHECK_EQ(f.result.bestEpoch, uint64_t{2});
    CHECK(f.result.restored);
    CHECK_EQ(f.result.epochs.size(), size_t{kind == 0 ? 4u : 3u});
    // The engine at the end was made from what the best epoch left after its four steps.
    CHECK_EQ(f.notes.madeFrom.size(), size_t{2});
    CHECK_EQ(f.notes.madeFrom[1], 4.0f);
    CHECK_EQ(f.result.final.has_value(), kind == 0);
    const auto last = f.notes.events.end();
    if (kind == 0) CHECK(*(last - 4) == "remove" && *(last - 3) == "forward");
    // What could go on is kept before the best network comes back.
    if (kind == 2) CHECK(*(last - 1) == "publish" && *(last - 2) == "hold" && *(last - 3) == "keep");
  }
}

TEST("checkpoints: before the first epoch, after every so many and at the end; the trainer goes on from each of them") {
  Fixture whole(10);
  NoteObserver observer(&whole.notes.events);
  auto options = Fixture::options(5, 4);
  options.checkpointEvery = 2;
  options.learningRate.rule = static_cast<int>(rules::Schedule::Cosine);
  CHECK(train::fit(NoteBackend(&whole.notes), smallModel(), whole.data, nullptr, options, whole.control, observer,
                   &whole.result)
            .ok());
  std::vector<uint64_t> epochs;
  for (const Ref<const core::Checkpoint>& checkpoint : observer.checkpoints_) epochs.push_back(checkpoint->state.epoch);
  CHECK(epochs == (std::vector<uint64_t>{0, 2, 4, 5}));
  CHECK(observer.checkpoints_.back()->finished && !observer.checkpoints_[2]->finished);
  for (size_t i = 0; i < 3; ++i) {
    Fixture rest(10);
    NoteObserver other(&rest.notes.events);
    auto resumed = options;
    resumed.resume = observer.checkpoints_[i];
    const Ref<const core::Model> start = observer.checkpoints_[i]->model;
    CHECK(train::fit(NoteBackend(&rest.notes), start, rest.data, nullptr, resumed, rest.control, other, &rest.result)
              .ok());
    const size_t done = 3 * epochs[i];
    const auto tail = [&](const auto& all) { return std::vector(all.begin() + static_cast<int64_t>(done), all.end()); };
    CHECK(rest.notes.batches == tail(whole.notes.batches));
    CHECK(rest.notes.rates == tail(whole.notes.rates));
    CHECK(rest.notes.steps == tail(whole.notes.steps));
    CHECK(rest.notes.optimizerSteps == tail(whole.notes.optimizerSteps));
    CHECK_EQ(rest.notes.evolutions.back().evolution, whole.notes.evolutions.back().evolution);
    CHECK_EQ(rest.result.epochs.front().epoch, epochs[i] + 1);
  }
  Fixture other(10);
  other.features[7] += 1;
  NoteObserver watcher(&other.notes.events);
  options.resume = observer.checkpoints_[1];
  const Status status = train::fit(NoteBackend(&other.notes), observer.checkpoints_[1]->model, other.data, nullptr,
                                   options, other.control, watcher, &other.result);
  CHECK_EQ(status.code(), Code::Resume);
  CHECK(other.notes.steps.empty());
}

TEST("an abort from another thread ends a running fit") {
  RealFit fit(3);
  train::FitOptions options = RealFit::options();
  options.epochs = 1000000;
  Events events;
  NoteObserver observer(&events);
  train::Control control;
  train::FitResult result;
  Status status;
  std::thread thread(
      [&] { status = train::fit(cpu::backend(), fit.model, fit.data, nullptr, options, control, observer, &result); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  control.abort.store(true);
  thread.join();
  CHECK(status.code() == Code::Aborted);
  CHECK(core::validateModel(*observer.model_).ok());
}

}  // namespace

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
