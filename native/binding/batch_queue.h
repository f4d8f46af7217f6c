// Batches on their way from a JavaScript iterator to the training thread: at most two at a time, the one that is worked
// on and the one that waits. The trainer asks for the next one and sleeps until it is there; the JavaScript thread
// never waits, but is told when there is room.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "binding/dataset.h"
#include "binding/monitor.h"
#include "train/trainer.h"

namespace setnet::binding {

class BatchQueue : public train::BatchSource {
 public:
  // What batches must fit, and how many there are in an epoch (0: not known).
  struct Shape {
    uint64_t columns = 0;
    uint64_t outputs = 0;
    int loss = 0;
    core::Scaling scaling;
    uint64_t stepsPerEpoch = 0;
  };

  // `control` and `tellJavaScript` (called on the training thread: takeWish has something) outlive the queue.
  BatchQueue(Shape shape, const train::Control& control, std::function<void()> tellJavaScript)
      : shape_(std::move(shape)), control_(control), tellJavaScript_(std::move(tellJavaScript)) {}

  // The training thread.
  Status learnScaling(core::Scaling* scaling) override;
  bool isSparse() const override { return false; }
  void addTo(Hash64*) const override {}
  Status begin(uint64_t epoch, uint64_t epochOfLife, uint64_t* steps) override;
  Status next(train::Batch* batch, bool* ended) override;
  Status located(Status failure) const override;

  // The JavaScript thread.
  // The epoch that another batch is wanted of, once for each that was asked for.
  std::optional<uint64_t> takeWish();
  bool hasWish();
  // Whether another batch would find room.
  bool hasRoom();
  // Checks and copies; the batch is the running epoch's next one. Dropped where the training has ended.
  void push(const DatasetArgument& batch, Napi::Env env);
  // There are no more batches in this epoch.
  void endEpoch();
  // The next batch will never come; what `next` says of it.
  void giveUp(Status status);
  // The training has ended: what the batches hold is let go.
  void letGo();

  // Any thread: control has changed.
  void interrupt();

 private:
  // Filled by the JavaScript thread while nobody else looks at it, read by the training thread after that.
  struct Place {
    std::optional<Dataset> batch;
    std::vector<char> features;  // of `batch`; kept for the next one
  };
  static constexpr uint64_t kPlaces = 2;

  const Shape shape_;
  const train::Control& control_;
  const std::function<void()> tellJavaScript_;
  Place places_[kPlaces];  // that of batch number n (from 0, of the epoch): n % kPlaces

  Monitor monitor_;        // guards what follows; notified when `next` shall look again
  uint64_t epoch_ = 0;     // of the fit; 0: none has begun
  uint64_t pushed_ = 0;    // batches of this epoch so far,
  uint64_t taken_ = 0;     // of these by the trainer,
  uint64_t done_ = 0;      // of these not needed any more
  bool isOpen_ = false;    // the iterator may bring more
  bool isWanted_ = false;  // the JavaScript thread has yet to be told that there is room
  Status failure_;
};

}  // namespace setnet::binding
