#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <string>

#include "train/data_digest.h"
#include "train/evaluate.h"
#include "train/evolve.h"

namespace setnet::train {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// One fit, from its first step to its last record.
class Run {
 public:
  Run(const backend::Backend& backend, Ref<const core::Model> start, BatchSource& training, const Dataset* validation,
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
    bool ends = false;
    for (uint64_t epoch = firstEpoch_; epoch <= options_.epochs && !ends; ++epoch) {
      const Status status = runEpoch(epoch, &ends);
      if (status.code() == Code::Aborted) SETNET_TRY(publishAborted());
      SETNET_TRY(status);
    }
    return Status();
  }

 private:
  bool aborted() const { return control_.abort.load(std::memory_order_relaxed); }
  static Status abortedStatus() { return Status(Code::Aborted, "training was aborted"); }

  // Learns the scaling, publishes the network as it starts (predictions need scaling and loss), makes the engine.
  Status prepare() {
    scaling_ = start_->scaling;
    SETNET_TRY(training_.learnScaling(&scaling_));
    // Said before the first epoch, not after it.
    if (training_.isSparse() || (validation_ && validation_->x.isSparse()))
      SETNET_TRY(core::checkSparseScaling(scaling_));
    counters_ = start_->counters;
    fitBegan_ = stepsBefore_ = counters_.step;
    wasFinalised_ = start_->finalised;
    connections_ = core::connectionsOf(*start_);
    for (size_t l = 0; l < definition_.layers.size(); ++l) {
      evolvedLayers_ += core::isEvolved(definition_.layers[l]);
      if (options_.initialBudget) budgets_.push_back(core::connectionsOf(start_->layers[l]));
    }
    chosen_.resize(definition_.layers.size());
    Ref<const core::Model> first = start_;
    if (options_.resume) {
      SETNET_TRY(takeUp(*options_.resume));
    } else if (!start_->scaling.known || start_->loss != options_.rules.loss || hasOptimizerState(*start_)) {
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
    if (options_.checkpointEvery > 0 && !options_.resume) keep(first, 0, false, nullptr, true);
    return Status();
  }

  // Goes on after a checkpoint.
  Status takeUp(const core::Checkpoint& checkpoint) {
    const core::FitState& state = checkpoint.state;
    if (state.dataDigest != dataDigest())
      return Status(Code::Resume, "the training or validation data are not those of the checkpoint");
    firstEpoch_ = state.epoch + 1;
    fitBegan_ = state.fitBegan;
    stepsBefore_ = state.stateBegan;
    budgets_ = state.budgets;
    result_->bestEpoch = state.bestEpoch;
    result_->bestValue = state.bestValue;
    bestSteps_ = state.bestSteps;
    best_ = checkpoint.best;
    return Status();
  }

  // Reads all data once.
  uint64_t dataDigest() {
    if (dataDigest_) return *dataDigest_;
    Hash64 digest;
    training_.addTo(&digest);
    if (validation_) addToDigest(*validation_, &digest);
    dataDigest_ = digest.digest();
    return *dataDigest_;
  }

  // Hands on what a fit can go on from: `model`, with its optimizer state unless the fit is over.
  void keep(Ref<const core::Model> model, uint64_t epoch, bool finished, const EpochRecord* record, bool due) {
    Ref<core::Checkpoint> made(new core::Checkpoint);
    made->finished = finished;
    made->optimizer = options_.rules.optimizer.rule;
    made->model = std::move(model);
    core::FitState& state = made->state;
    state.epoch = epoch;
    state.fitBegan = fitBegan_;
    state.stateBegan = stepsBefore_;
    state.bestEpoch = result_->bestEpoch;
    state.bestValue = result_->bestValue;
    state.bestSteps = bestSteps_;
    state.budgets = budgets_;
    state.dataDigest = dataDigest();
    if (!finished) made->best = best_;
    observer_.checkpoint(std::move(made), record, *result_, due);
  }

  static bool hasOptimizerState(const core::Model& model) {
    for (const core::LayerState& layer : model.layers)
      if (!layer.weightState.empty() || !layer.biasState.empty() || !layer.activationState.empty()) return true;
    return false;
  }

  // The order of events at an epoch's end (set-spec: "Epoch end"): validate and keep the best, evolve or end.
  Status runEpoch(uint64_t epoch, bool* ends) {
    EpochRecord record;
    record.epoch = epoch;
    record.connections = connections_;
    SETNET_TRY(trainEpoch(epoch, &record));
    SETNET_TRY(engine_->checkFinite());
    counters_.epoch += 1;
    bool stopsEarly = false;
    if (validation_) {
      const Clock::time_point start = Clock::now();
      record.validation.emplace();
      SETNET_TRY(validate(&*record.validation));
      SETNET_TRY(judge(epoch, *record.validation, &stopsEarly));
      record.validationSeconds = secondsSince(start);
    }
    const bool isLast = epoch == options_.epochs;
    *ends = isLast || stopsEarly;
    // A network that stops early stays as it was validated.
    if (options_.evolve && rules::triggersAtEpochEnd(options_.trigger) && (isLast ? options_.finalEvolution : !*ends)) {
      std::fill(chosen_.begin(), chosen_.end(), uint8_t{1});
      SETNET_TRY(evolveInEpoch(epoch, &record));
    }
    if (*ends) SETNET_TRY(restoreBest());
    if (options_.evolve && options_.finalPrune && isLast) SETNET_TRY(finalise());
    const bool isDue = options_.checkpointEvery > 0 && (*ends || epoch % options_.checkpointEvery == 0);
    Ref<const core::Model> model;
    SETNET_TRY(snapshot(&model, isDue && !*ends));
    observer_.publish(model);
    result_->epochs.push_back(record);
    result_->stopped = result_->stoppedEarly = *ends && !isLast;
    if (isDue) keep(model, epoch, *ends, &record, true);
    observer_.onEpoch(record);
    // A stop is looked for once the consumer has seen the epoch: when it was asked for within the epoch changes
    // nothing.
    if (*ends || !control_.stop.load(std::memory_order_relaxed)) return Status();
    *ends = result_->stopped = true;
    if (!isDue) {
      SETNET_TRY(snapshot(&model, true));
      keep(model, epoch, false, nullptr, false);
    }
    SETNET_TRY(restoreBest());
    return result_->restored ? publish() : Status();
  }

  // Whether this validation is the best one so far, and whether it is time to stop.
  Status judge(uint64_t epoch, const Evaluation& validation, bool* stopsEarly) {
    const StopRule& rule = options_.stop;
    const bool isLoss = rule.monitor == Monitor::Loss;
    const double value = isLoss ? validation.loss : validation.accuracy;
    const double gain = isLoss ? result_->bestValue - value : value - result_->bestValue;
    // A validation whose loss is no number is worse than any that is one.
    const bool isBetter = std::isnan(result_->bestValue) ? !std::isnan(value) : gain > rule.minDelta;
    if (result_->bestEpoch == 0 || isBetter) {
      result_->bestEpoch = epoch;
      result_->bestValue = value;
      if (rule.restoreBest) SETNET_TRY(snapshot(&best_, true));
      bestSteps_ = counters_.step - stepsBefore_;
    }
    *stopsEarly = rule.stopsEarly && epoch - result_->bestEpoch >= rule.patience;
    return Status();
  }

  // The network of the best epoch, as it was validated, before that epoch's evolution. Counters count on.
  Status restoreBest() {
    if (!options_.stop.restoreBest || !best_) return Status();
    std::unique_ptr<backend::Engine> engine;
    SETNET_TRY(backend_.createEngine(*best_, options_.rules, {options_.threads}, &engine));
    engine_ = std::move(engine);
    connections_ = core::connectionsOf(*best_);
    stepsBefore_ = counters_.step - bestSteps_;
    best_ = nullptr;
    result_->restored = true;
    return Status();
  }

  double zetaOfEpoch(uint64_t epoch) const {
    const double length = static_cast<double>(std::max<uint64_t>(1, options_.epochs - 1));
    rules::RuleChoice schedule = options_.zetaSchedule;
    schedule.parameters[0] = options_.zeta;
    return rules::scheduleValue(schedule, static_cast<double>(epoch - 1), length);
  }

  // The chosen layers; added to what the epoch has seen before.
  Status evolveInEpoch(uint64_t epoch, EpochRecord* record) {
    const Clock::time_point start = Clock::now();
    EvolutionRecord one;
    SETNET_TRY(evolve(zetaOfEpoch(epoch), true, &one));
    if (record->evolution)
      record->evolution->add(one);
    else
      record->evolution = std::move(one);
    record->evolutionSeconds += secondsSince(start);
    return Status();
  }

  // What the trigger asks for after a step, once it is known not to be the fit's last.
  Status evolveAfterStep(uint64_t epoch, EpochRecord* record) {
    if (!options_.evolve || rules::triggersAtEpochEnd(options_.trigger)) return Status();
    bool any = false;
    for (size_t l = 0; l < chosen_.size(); ++l) {
      chosen_[l] = core::isEvolved(definition_.layers[l]) &&
                   rules::triggerFires(options_.trigger, {definition_.seed, static_cast<uint32_t>(l), evolvedLayers_,
                                                          counters_.step - 1, counters_.step - fitBegan_});
      any = any || chosen_[l] != 0;
    }
    if (!any) return Status();
    // Weights that an evolution cannot look at are a divergence, as at an epoch's end.
    SETNET_TRY(engine_->checkFinite());
    return evolveInEpoch(epoch, record);
  }

  // All steps of one epoch; fills loss, accuracy, learning rate and seconds.
  Status trainEpoch(uint64_t epoch, EpochRecord* record) {
    const Clock::time_point start = Clock::now();
    Clock::time_point reported = start;
    const uint64_t units = definition_.layers.back().units;
    uint64_t steps = 0;
    SETNET_TRY(training_.begin(epoch, counters_.epoch + 1, &steps));
    double lossSum = 0;
    uint64_t correct = 0;
    uint64_t samples = 0;
    for (uint64_t step = 0;; ++step) {
      if (aborted()) return abortedStatus();
      Batch batch;
      bool ended = false;
      SETNET_TRY(training_.next(&batch, &ended));
      if (ended) {
        SETNET_TRY(checkSteps(epoch, step, steps));
        break;
      }
      if (step > 0) SETNET_TRY(evolveAfterStep(epoch, record));
      const float rate = learningRate(epoch, step, steps);
      backend::StepResult stepResult;
      const Status status = engine_->step(batch.rows, batch.targets,
                                          {rate, counters_.step, counters_.step - stepsBefore_ + 1}, &stepResult);
      if (!status.ok()) return training_.located(status);
      counters_.step += 1;
      if (!std::isfinite(stepResult.lossSum))
        return Status(Code::Diverged, "the loss is no longer a finite number in epoch " + std::to_string(epoch) +
                                          ", step " + std::to_string(step + 1) +
                                          "; a smaller learning rate or a warm-up usually helps");
      lossSum += stepResult.lossSum;
      correct += stepResult.correct;
      samples += batch.rows.count;
      record->loss = lossSum / static_cast<double>(samples);
      record->accuracy = accuracyOf(options_.rules.loss, correct, samples, units);
      record->learningRate = rate;
      const Clock::time_point now = Clock::now();
      if (std::chrono::duration<double>(now - reported).count() >= options_.progressSeconds) {
        reported = now;
        observer_.onProgress({epoch, options_.epochs, step + 1, steps, samples, record->loss, record->accuracy,
                              record->learningRate, secondsSince(start), connections_});
      }
    }
    if (epoch < options_.epochs) SETNET_TRY(evolveAfterStep(epoch, record));
    record->seconds = secondsSince(start) - record->evolutionSeconds;
    return Status();
  }

  // Every epoch has a step, and as many as its source has announced.
  static Status checkSteps(uint64_t epoch, uint64_t step, uint64_t steps) {
    if (step > 0 && (steps == 0 || step == steps)) return Status();
    const std::string name = "epoch " + std::to_string(epoch);
    if (step == 0) return Status(Code::Data, name + " has no batch");
    return Status(Code::Data, name + " ended after " + std::to_string(step) + (step == 1 ? " batch" : " batches") +
                                  ", but stepsPerEpoch is " + std::to_string(steps));
  }

  // Of a step of an epoch of `steps`; 0: nobody knows, and the rate follows the schedule from epoch to epoch.
  float learningRate(uint64_t epoch, uint64_t step, uint64_t steps) const {
    const double done = steps == 0 ? 0 : static_cast<double>(step) / static_cast<double>(steps);
    const double position = static_cast<double>(epoch - 1) + done;
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
    if (growBack) {
      settings.chosen = chosen_;
      settings.budgets = budgets_;
    }
    SETNET_TRY(engine_->evolve(settings, &record->layers));
    counters_.evolution += 1;
    if (options_.evolution.resetState) stepsBefore_ = counters_.step;
    record->zeta = zeta;
    record->evolutions = 1;
    record->sumUp();
    connections_ = record->total.connections;
    return Status();
  }

  // The removal after the last epoch, with the base zeta (Mocanu et al. 2018: the deployed network is smaller than the
  // trained one).
  Status finalise() {
    SETNET_TRY(snapshot(&beforeRemoval_, false));
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

  Status snapshot(Ref<const core::Model>* out, bool withState) {
    Ref<core::Model> model(new core::Model);
    fillShell(model.get());
    SETNET_TRY(engine_->exportLayers(model.get(), withState));
    *out = model;
    return Status();
  }

  Status publish() {
    Ref<const core::Model> model;
    SETNET_TRY(snapshot(&model, false));
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
  BatchSource& training_;
  const Dataset* validation_;
  const FitOptions& options_;
  Control& control_;
  Observer& observer_;
  FitResult* result_;

  std::unique_ptr<backend::Engine> engine_;
  Ref<const core::Model> beforeRemoval_;  // while the final removal and its validation run
  core::Scaling scaling_;
  Ref<const core::Model> best_;  // with its optimizer state
  core::Counters counters_;
  uint64_t firstEpoch_ = 1;
  std::optional<uint64_t> dataDigest_;
  uint64_t fitBegan_ = 0;        // steps of the network's life before this fit
  uint64_t stepsBefore_ = 0;     // of its life when the optimizer's state was all 0
  uint64_t bestSteps_ = 0;       // since then, in the best epoch
  uint64_t evolvedLayers_ = 0;   // how many layers evolve
  std::vector<uint8_t> chosen_;  // [layer] that the next evolution is for
  std::vector<uint64_t> budgets_;
  bool finalised_ = false;     // by this run
  bool wasFinalised_ = false;  // by an earlier one
  uint64_t connections_ = 0;
};

}  // namespace

Status checkTargets(const Dataset& data, int loss, const core::NetworkDefinition& definition) {
  const uint64_t units = definition.layers.back().units;
  const bool byClass = rules::targetOf(loss) == rules::Target::Class;
  if (byClass ? data.classes.size() == data.x.rows : data.numbers.size() == data.x.rows * units) return Status();
  return Status(Code::Data, std::string("the targets do not have the form that the loss '") +
                                rules::kLosses[loss].name + "' takes");
}

Status fit(const backend::Backend& backend, Ref<const core::Model> start, BatchSource& training,
           const Dataset* validation, const FitOptions& options, Control& control, Observer& observer,
           FitResult* result) {
  if (validation) SETNET_TRY(checkTargets(*validation, options.rules.loss, start->definition));
  if (options.epochs == 0) return Status(Code::Option, "epochs must be at least 1");
  try {
    return Run(backend, std::move(start), training, validation, options, control, observer, result).run();
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "memory for training could not be had");
  }
}

}  // namespace setnet::train
