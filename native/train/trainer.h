// Training: epochs, the order of samples, batches, counters, the order of events, abort. Sees the backend's interface
// only. Runs on whatever thread calls fit(); the binding gives it one of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "base/status.h"
#include "core/checkpoint.h"
#include "core/model.h"
#include "rules/metrics.h"
#include "rules/schedules.h"
#include "rules/triggers.h"
#include "train/batch_source.h"
#include "train/evolve.h"

namespace setnet::train {

struct Dataset {
  backend::MatrixView x;
  // In the form that the loss takes (checked by the caller): one per row, in [0, units of the last layer), or
  Span<const int32_t> classes;
  Span<const float> numbers;  // row-major, one for each output; finite, and in [0, 1] where the loss takes fractions
  // What each row's loss counts in training (backend::Targets): one per row, or none. Evaluations know no weights.
  Span<const float> weights = {};
};

// The number of a validation that tells which epoch is the best.
enum class Monitor : int { Loss, Accuracy };
constexpr const char* kMonitorNames[] = {"loss", "accuracy"};

struct StopRule {
  Monitor monitor = Monitor::Loss;
  bool stopsEarly = false;
  uint64_t patience = 0;     // epochs in a row that may bring nothing better before training ends
  double minDelta = 0;       // by how much better counts as better
  bool restoreBest = false;  // the best epoch's network is put back when training ends
};

struct FitOptions {
  uint64_t epochs = 1;
  uint64_t batchSize = 128;  // of a data set; a source says itself what its batches are
  backend::TrainingRules rules;
  rules::RuleChoice learningRate;  // rules::Schedule
  double warmup = 0;               // epochs
  bool evolve = true;              // false: a static topology, and no final removal
  core::EvolutionRules evolution;
  double zeta = 0.3;
  rules::RuleChoice zetaSchedule;  // rules::Schedule; its `from` / `value` is replaced by zeta
  rules::RuleChoice trigger;       // rules::Trigger: when a layer evolves
  bool initialBudget = false;      // layers grow back to the connections they had when the fit began
  bool finalEvolution = false;     // evolve after the last epoch too, as after all others
  bool finalPrune = true;
  StopRule stop;
  uint64_t checkpointEvery = 0;        // epochs; 0: no checkpoint is stored
  Ref<const core::Checkpoint> resume;  // null, or: go on after it, with `start` its model
  std::vector<int> metrics;            // of validations; rules::Metric, each of which applies to the loss
  int threads = 1;
  double progressSeconds = 0.1;  // at most one progress report in this time
};

struct Evaluation {
  double loss = 0;  // mean over samples
  // Fraction of samples whose largest output is their class; of outputs on their target's side of 1/2 where the loss
  // takes fractions; not a number where it takes numbers.
  double accuracy = 0;
  uint64_t samples = 0;
  std::vector<rules::MetricValue> metrics;  // in the table's order, loss and accuracy as well

  double numberOf(rules::Metric metric) const;  // not a number where it is none of them
};

struct EpochRecord {
  uint64_t epoch = 0;       // of this fit, from 1
  double loss = 0;          // mean over the epoch's samples, weighted, while training (dropout active)
  double accuracy = 0;      // as Evaluation's
  double learningRate = 0;  // of the epoch's last step
  double seconds = 0;       // training steps, and waiting for their batches
  double evolutionSeconds = 0;
  double validationSeconds = 0;
  uint64_t connections = 0;  // as trained in this epoch (before its evolution)
  std::optional<Evaluation> validation;
  std::optional<EvolutionRecord> evolution;  // pruned and grown in this epoch or at its end
};

// What the final removal did, and what the deployed network is.
struct FinalRecord {
  EvolutionRecord removal;
  uint64_t connections = 0;
  std::optional<Evaluation> validation;
};

struct Progress {
  uint64_t epoch = 0, epochs = 0;
  uint64_t step = 0, steps = 0;   // done, of this epoch (0: not known)
  uint64_t samples = 0;           // done, of this epoch
  double loss = 0, accuracy = 0;  // running means of this epoch
  double learningRate = 0;
  double seconds = 0;  // of this epoch so far
  uint64_t connections = 0;
};

// Set by other threads at any time.
struct Control {
  std::atomic<bool> abort{false};  // within a step
  std::atomic<bool> stop{false};   // after the running epoch
};

struct FitResult;

// Called on the training thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void onProgress(const Progress& progress) = 0;
  // The state that predictions and files see from now on.
  virtual void publish(Ref<const core::Model> model) = 0;
  // What a fit can go on from: the state of a finished epoch (or of none yet), published before. It is to be kept
  // instead of the one before; where it is `due`, also to be stored, and this blocks until it is (returns at once when
  // control.abort is set). `record` is that of the epoch, null before the first one; onEpoch comes after this.
  virtual void checkpoint(Ref<const core::Checkpoint> checkpoint, const EpochRecord* record, const FitResult& soFar,
                          bool due) = 0;
  // May block until the consumer has looked at it (returns at once when control.abort is set). Called after publish.
  virtual void onEpoch(const EpochRecord& record) = 0;
};

struct FitResult {
  std::vector<EpochRecord> epochs;   // without those before a checkpoint
  std::optional<FinalRecord> final;  // not there after a stop or where nothing is to be removed and nothing validated
  bool stopped = false;              // ended before the last epoch, by control.stop or the stop rule
  bool stoppedEarly = false;         // by the stop rule
  uint64_t bestEpoch = 0;            // by options.stop.monitor; 0: nothing was validated
  double bestValue = 0;              // of its validation
  bool restored = false;             // the network is as validated in the best epoch (before a final removal)
};

// Trains from `start` (its optimizer state is used by a fit that goes on alone: a second fit starts fresh state and
// schedules from the current weights). Publishes a model at the end of every epoch. On Aborted the model as after the
// last finished step has been published; on Diverged or any other failure the last published model (of the last
// finished epoch) stands.
Status fit(const backend::Backend& backend, Ref<const core::Model> start, BatchSource& training,
           const Dataset* validation, const FitOptions& options, Control& control, Observer& observer,
           FitResult* result);

// On batches of a data set, in the order of its epochs.
Status fit(const backend::Backend& backend, Ref<const core::Model> start, const Dataset& training,
           const Dataset* validation, const FitOptions& options, Control& control, Observer& observer,
           FitResult* result);

// Code::Data where the targets are not as many, or not in the form, that a network with this loss takes.
Status checkTargets(const Dataset& data, int loss, const core::NetworkDefinition& definition);

// Loss, accuracy and further metrics (rules::Metric; each applies) of a predictor on a data set, in blocks; stops with
// Code::Aborted between blocks. loss < 0 (never fitted): softmax cross-entropy is reported.
Status evaluate(const backend::Predictor& predictor, const core::Model& model, const Dataset& data,
                Span<const int> metrics, const std::atomic<bool>* abort, Evaluation* out);

}  // namespace setnet::train
