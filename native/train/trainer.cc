#include "train/trainer.h"

#include <chrono>
#include <cmath>
#include <new>
#include <string>

#include "base/bijection.h"
#include "train/evaluate.h"
#include "train/scaling.h"

namespace setnet::train {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// One fit, from its first step to its last record.
class Run {
 public:
  Run(const backend::Backend& backend, Ref<const core::Model> start, const Dataset& training, const Dataset* validation,
      const FitOptions& options, Control& control, Observer& observer, FitResult* result)
      : backend_(backend),
        start_(std::move(start)),
        training_(training),
        validation_(validation),
        options_(options),
        control_(control),
        observer_(observer),
        result_(result) {}

  Status run() {
    SETNET_TRY(prepare());
    for (uint64_t epoch = 1; epoch <= options_.epochs; ++epoch) {
      const Status status = runEpoch(epoch);
      if (status.code() == Code::Aborted) SETNET_TRY(publishAborted());
      SETNET_TRY(status);
      if (epoch < options_.epochs && control_.stop.load(std::memory_order_relaxed)) {
        result_->stopped = true;
        break;
      }
    }
    return Status();
  }

 private:
  bool aborted() const { return control_.abort.load(std::memory_order_relaxed); }
  static Status abortedStatus() { return Status(Code::Aborted, "training was aborted"); }

  // Learns the scaling, publishes the network as it starts (predictions need scaling and loss), makes the engine.
  Status prepare() {
    scaling_ = start_->scaling;
    SETNET_TRY(learnScaling(training_.x, &scaling_));
    // Said before the first epoch, not after it.
    if (training_.x.isSparse() || (validation_ && validation_->x.isSparse()))
      SETNET_TRY(core::checkSparseScaling(scaling_));
    counters_ = start_->counters;
    stepsBefore_ = counters_.step;
    wasFinalised_ = start_->finalised;
    connections_ = core::connectionsOf(*start_);
    Ref<const core::Model> first = start_;
    if (!start_->scaling.known || start_->loss != options_.rules.loss || hasOptimizerState(*start_)) {
      Ref<core::Model> model(new core::Model);
      fillShell(model.get());
      model->layers = start_->layers;
      for (core::LayerState& layer : model->layers) {
        layer.weightState.clear();  // a fit starts with fresh optimizer state
        layer.biasState.clear();
        layer.activationState.clear();
      }
      first = model;
    }
    SETNET_TRY(backend_.createEngine(*first, options_.rules, {options_.threads}, &engine_));
    observer_.publish(first);
    start_ = nullptr;
    order_.resize(training_.x.rows);
    return Status();
  }

  static bool hasOptimizerState(const core::Model& model) {
    for (const core::LayerState& layer : model.layers)
      if (!layer.weightState.empty() || !layer.biasState.empty() || !layer.activationState.empty()) return true;
    return false;
  }

  Status runEpoch(uint64_t epoch) {
    EpochRecord record;
    record.epoch = epoch;
    record.connections = connections_;
    SETNET_TRY(trainEpoch(epoch, &record));
    SETNET_TRY(engine_->checkFinite());
    counters_.epoch += 1;
    if (validation_) {
      const Clock::time_point start = Clock::now();
      record.validation.emplace();
      SETNET_TRY(validate(&*record.validation));
      record.validationSeconds = secondsSince(start);
    }
    if (options_.evolve && epoch < options_.epochs) {
      const Clock::time_point start = Clock::now();
      const double length = static_cast<double>(std::max<uint64_t>(1, options_.epochs - 1));
      rules::RuleChoice schedule = options_.zetaSchedule;
      schedule.parameters[0] = options_.zeta;
      record.evolution.emplace();
      SETNET_TRY(
          evolve(rules::scheduleValue(schedule, static_cast<double>(epoch - 1), length), true, &*record.evolution));
      record.evolutionSeconds = secondsSince(start);
    }
    if (options_.evolve && options_.finalPrune && epoch == options_.epochs) SETNET_TRY(finalise());
    SETNET_TRY(publish());
    result_->epochs.push_back(record);
    observer_.onEpoch(record);
    return Status();
  }

  // All steps of one epoch; fills loss, accuracy, learning rate and seconds.
  Status trainEpoch(uint64_t epoch, EpochRecord* record) {
    const uint64_t samples = training_.x.rows;
    Bijection({definition_.seed, Purpose::SampleOrder, 0, counters_.epoch + 1}, samples)
        .fill(0, samples, order_.data());
    const uint64_t steps = (samples + options_.batchSize - 1) / options_.batchSize;
    const Clock::time_point start = Clock::now();
    Clock::time_point reported = start;
    const uint64_t units = definition_.layers.back().units;
    const bool byClass = rules::targetOf(options_.rules.loss) == rules::Target::Class;
    if (byClass) batchClasses_.resize(std::min(options_.batchSize, samples));
    if (!training_.weights.empty()) batchWeights_.resize(std::min(options_.batchSize, samples));
    const backend::MatrixView numbers = {training_.numbers.data(), backend::DataType::Float32, samples, units};
    double lossSum = 0;
    uint64_t correct = 0;
    for (uint64_t step = 0; step < steps; ++step) {
      if (aborted()) return abortedStatus();
      const uint64_t first = step * options_.batchSize;
      const uint64_t count = std::min(options_.batchSize, samples - first);
      const uint64_t* batch = order_.data() + first;
      backend::Targets targets;
      if (byClass) {
        for (uint64_t k = 0; k < count; ++k) batchClasses_[k] = training_.classes[batch[k]];
        targets.classes = batchClasses_.data();
      } else {
        targets.numbers = {numbers, batch, 0, count};
      }
      if (!training_.weights.empty()) {
        for (uint64_t k = 0; k < count; ++k) batchWeights_[k] = training_.weights[batch[k]];
        targets.weights = batchWeights_.data();
      }
      const float rate = learningRate(epoch, step, steps);
      backend::StepResult stepResult;
      SETNET_TRY(engine_->step({training_.x, batch, 0, count}, targets,
                               {rate, counters_.step, counters_.step - stepsBefore_ + 1}, &stepResult));
      counters_.step += 1;
      if (!std::isfinite(stepResult.lossSum))
        return Status(Code::Diverged, "the loss is no longer a finite number in epoch " + std::to_string(epoch) +
                                          ", step " + std::to_string(step + 1) +
                                          "; a smaller learning rate or a warm-up usually helps");
      lossSum += stepResult.lossSum;
      correct += stepResult.correct;
      const double done = static_cast<double>(first + count);
      record->loss = lossSum / done;
      record->accuracy = accuracyOf(options_.rules.loss, correct, first + count, units);
      record->learningRate = rate;
      const Clock::time_point now = Clock::now();
      if (std::chrono::duration<double>(now - reported).count() >= options_.progressSeconds) {
        reported = now;
        observer_.onProgress({epoch, options_.epochs, step + 1, steps, first + count, record->loss, record->accuracy,
                              record->learningRate, secondsSince(start), connections_});
      }
    }
    record->seconds = secondsSince(start);
    return Status();
  }

  float learningRate(uint64_t epoch, uint64_t step, uint64_t steps) const {
    const double position = static_cast<double>(epoch - 1) + static_cast<double>(step) / static_cast<double>(steps);
    const double value = rules::scheduleValue(options_.learningRate, position, static_cast<double>(options_.epochs)) *
                         rules::warmupFactor(options_.warmup, static_cast<double>(epoch), static_cast<double>(step),
                                             static_cast<double>(steps));
    return static_cast<float>(value);
  }

  Status evolve(double zeta, bool growBack, EvolutionRecord* record) {
    backend::EvolutionSettings settings;
    settings.rules = options_.evolution;
    settings.zeta = zeta;
    settings.baseZeta = options_.zeta;
    settings.growBack = growBack;
    settings.evolution = counters_.evolution + 1;
    SETNET_TRY(engine_->evolve(settings, &record->layers));
    counters_.evolution += 1;
    record->zeta = zeta;
    record->total = {};
    for (const core::LayerEvolutionReport& layer : record->layers) {
      record->total.prunedPositive += layer.prunedPositive;
      record->total.prunedNegative += layer.prunedNegative;
      record->total.prunedZero += layer.prunedZero;
      record->total.grown += layer.grown;
      record->total.connections += layer.connections;
    }
    connections_ = record->total.connections;
    return Status();
  }

  // The removal after the last epoch, with the base zeta (Mocanu et al. 2018: the deployed network is smaller than the
  // trained one).
  Status finalise() {
    SETNET_TRY(snapshot(&beforeRemoval_));
    result_->final.emplace();
    SETNET_TRY(evolve(options_.zeta, false, &result_->final->removal));
    finalised_ = true;
    result_->final->connections = connections_;
    if (validation_) {
      result_->final->validation.emplace();
      SETNET_TRY(validate(&*result_->final->validation));
    }
    beforeRemoval_ = nullptr;
    return Status();
  }

  Status validate(Evaluation* out) {
    const auto forward = [this](uint64_t first, uint64_t count, Span<float> rows) {
      return engine_->forward({validation_->x, nullptr, first, count}, rows);
    };
    return evaluateRows(forward, options_.rules.loss, definition_.layers.back().units, *validation_, options_.metrics,
                        &control_.abort, out);
  }

  void fillShell(core::Model* model) const {
    model->definition = definition_;
    model->scaling = scaling_;
    model->counters = counters_;
    model->loss = options_.rules.loss;
    model->finalised = finalised_ || wasFinalised_;
  }

  Status snapshot(Ref<const core::Model>* out) {
    Ref<core::Model> model(new core::Model);
    fillShell(model.get());
    SETNET_TRY(engine_->exportLayers(model.get(), false));
    *out = model;
    return Status();
  }

  Status publish() {
    Ref<const core::Model> model;
    SETNET_TRY(snapshot(&model));
    observer_.publish(model);
    return Status();
  }

  // The network as after the last finished step. An abort never finalises: one that comes during the evaluation after
  // the final removal puts back what was there before it.
  Status publishAborted() {
    if (!beforeRemoval_) return publish();
    observer_.publish(beforeRemoval_);
    return Status();
  }

  const backend::Backend& backend_;
  Ref<const core::Model> start_;
  const core::NetworkDefinition definition_ = start_->definition;
  const Dataset& training_;
  const Dataset* validation_;
  const FitOptions& options_;
  Control& control_;
  Observer& observer_;
  FitResult* result_;

  std::unique_ptr<backend::Engine> engine_;
  Ref<const core::Model> beforeRemoval_;  // while the final removal and its validation run
  core::Scaling scaling_;
  core::Counters counters_;
  uint64_t stepsBefore_ = 0;   // of the network's life, before this fit
  bool finalised_ = false;     // by this run
  bool wasFinalised_ = false;  // by an earlier one
  uint64_t connections_ = 0;
  std::vector<uint64_t> order_;
  std::vector<int32_t> batchClasses_;
  std::vector<float> batchWeights_;
};

}  // namespace

Status fit(const backend::Backend& backend, Ref<const core::Model> start, const Dataset& training,
           const Dataset* validation, const FitOptions& options, Control& control, Observer& observer,
           FitResult* result) {
  if (training.x.rows == 0) return Status(Code::Data, "the training data have no rows");
  const uint64_t units = start->definition.layers.back().units;
  const bool byClass = rules::targetOf(options.rules.loss) == rules::Target::Class;
  for (const Dataset* data : {&training, validation})
    if (data && (byClass ? data->classes.size() != data->x.rows : data->numbers.size() != data->x.rows * units))
      return Status(Code::Data, std::string("the targets do not have the form that the loss '") +
                                    rules::kLosses[options.rules.loss].name + "' takes");
  if (!training.weights.empty() && training.weights.size() != training.x.rows)
    return Status(Code::Data, "there must be one weight for each row of the training data");
  if (options.batchSize == 0 || options.epochs == 0)
    return Status(Code::Option, "epochs and batchSize must be at least 1");
  try {
    return Run(backend, std::move(start), training, validation, options, control, observer, result).run();
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "memory for training could not be had");
  }
}

}  // namespace setnet::train
