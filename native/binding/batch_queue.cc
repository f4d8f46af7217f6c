#include "binding/batch_queue.h"

#include <string>
#include <utility>

#include "binding/errors.h"

namespace setnet::binding {

// The training thread.

Status BatchQueue::learnScaling(core::Scaling* scaling) {
  using Kind = core::Scaling::Kind;
  if (scaling->known || (scaling->kind != Kind::PerFeature && scaling->kind != Kind::Global)) return Status();
  return Status(Code::Option, std::string("the scaling '") + core::kScalingNames[static_cast<int>(scaling->kind)] +
                                  "' cannot be learned from a stream of batches");
}

Status BatchQueue::begin(uint64_t epoch, uint64_t, uint64_t* steps) {
  *steps = shape_.stepsPerEpoch;
  {
    MonitorLock lock(monitor_);
    epoch_ = epoch;
    pushed_ = taken_ = done_ = 0;
    isOpen_ = isWanted_ = true;
  }
  tellJavaScript_();
  return Status();
}

Status BatchQueue::next(train::Batch* batch, bool* ended) {
  bool isFreed = false;
  {
    MonitorLock lock(monitor_);
    if (done_ < taken_) {
      done_ = taken_;
      isFreed = isWanted_ = isOpen_;
    }
  }
  if (isFreed) tellJavaScript_();
  MonitorLock lock(monitor_);
  while (taken_ == pushed_ && isOpen_ && failure_.ok() && !control_.abort.load(std::memory_order_relaxed)) lock.wait();
  if (control_.abort.load(std::memory_order_relaxed)) return Status(Code::Aborted, "training was aborted");
  if (!failure_.ok()) return failure_;
  *ended = taken_ == pushed_;
  if (*ended) return Status();
  const train::Dataset data = places_[taken_ % kPlaces].batch->view();
  ++taken_;
  *batch = {};
  batch->rows = {data.x, nullptr, 0, data.x.rows};
  batch->targets.classes = data.classes.empty() ? nullptr : data.classes.data();
  if (!data.numbers.empty())
    batch->targets.numbers = {
        {data.numbers.data(), backend::DataType::Float32, data.x.rows, shape_.outputs}, nullptr, 0, data.x.rows};
  batch->targets.weights = data.weights.empty() ? nullptr : data.weights.data();
  return Status();
}

Status BatchQueue::located(Status failure) const {
  return Status(failure.code(),
                "epoch " + std::to_string(epoch_) + ", batch " + std::to_string(taken_) + ": " + failure.message());
}

// The JavaScript thread.

std::optional<uint64_t> BatchQueue::takeWish() {
  MonitorLock lock(monitor_);
  if (!isWanted_) return std::nullopt;
  isWanted_ = false;
  return epoch_;
}

bool BatchQueue::hasWish() {
  MonitorLock lock(monitor_);
  return isWanted_;
}

bool BatchQueue::hasRoom() {
  MonitorLock lock(monitor_);
  return pushed_ - done_ < kPlaces;
}

void BatchQueue::push(const DatasetArgument& batch, Napi::Env env) {
  uint64_t number = 0;
  {
    MonitorLock lock(monitor_);
    if (!isOpen_ || pushed_ - done_ >= kPlaces || (shape_.stepsPerEpoch > 0 && pushed_ == shape_.stepsPerEpoch))
      fail(env, Code::State, "no batch is wanted now");
    number = pushed_;
  }
  Dataset data = batch.take(shape_.columns, shape_.outputs, shape_.loss);
  if (data.view().x.isSparse()) check(env, core::checkSparseScaling(shape_.scaling));
  Place& place = places_[number % kPlaces];
  place.batch.reset();
  data.own(&place.features);
  place.batch.emplace(std::move(data));
  MonitorLock lock(monitor_);
  ++pushed_;
  lock.notifyAll();
}

void BatchQueue::endEpoch() {
  MonitorLock lock(monitor_);
  isOpen_ = isWanted_ = false;
  lock.notifyAll();
}

void BatchQueue::giveUp(Status status) {
  MonitorLock lock(monitor_);
  failure_ = std::move(status);
  isWanted_ = false;
  lock.notifyAll();
}

void BatchQueue::letGo() {
  for (Place& place : places_) place = Place();
}

void BatchQueue::interrupt() {
  MonitorLock lock(monitor_);
  lock.notifyAll();
}

}  // namespace setnet::binding
