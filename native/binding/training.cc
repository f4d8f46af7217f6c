#include "binding/training.h"

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/errors.h"
#include "binding/process.h"
#include "binding/wrapped.h"
#include "cpu/backend.h"

namespace setnet::binding {

void Training::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<Training>;
  W::define(
      env, addon,
      {W::method<abort>(addon, "abort"), W::method<stop>(addon, "stop"), W::method<setStepped>(addon, "setStepped"),
       W::method<acknowledge>(addon, "acknowledge"), W::method<acknowledgeCheckpoint>(addon, "acknowledgeCheckpoint"),
       W::method<hasRoom>(addon, "hasRoom"), W::method<pushBatch>(addon, "pushBatch"),
       W::method<endEpoch>(addon, "endEpoch"), W::method<failBatches>(addon, "failBatches")});
}

Training::Callbacks Training::parseCallbacks(const Napi::Value& value) {
  const Napi::Object object = requireObject(value, "callbacks");
  Callbacks callbacks;
  const Napi::Value onProgress = object.Get("onProgress");
  if (!onProgress.IsNull()) callbacks.onProgress = Napi::Persistent(requireFunction(onProgress, "onProgress"));
  callbacks.onEpoch = Napi::Persistent(requireFunction(object.Get("onEpoch"), "onEpoch"));
  callbacks.onCheckpoint = Napi::Persistent(requireFunction(object.Get("onCheckpoint"), "onCheckpoint"));
  const Napi::Value onBatchWanted = object.Get("onBatchWanted");
  if (!onBatchWanted.IsNull())
    callbacks.onBatchWanted = Napi::Persistent(requireFunction(onBatchWanted, "onBatchWanted"));
  callbacks.onDone = Napi::Persistent(requireFunction(object.Get("onDone"), "onDone"));
  return callbacks;
}

Training::Training(AddonData& addon, Ref<Network> network, Data training, std::optional<Dataset> validation,
                   const train::FitOptions& options, Callbacks callbacks)
    : addon_(&addon),
      network_(std::move(network)),
      training_(std::move(training.dataset)),
      validation_(std::move(validation)),
      options_(options),
      wantsProgress_(!callbacks.onProgress.IsEmpty()),
      callbacks_(std::move(callbacks)) {
  if (training.stream)
    batches_.emplace(std::move(*training.stream), control_,
                     [this] { addon_->mailbox->post(Ref<Correspondent>(this)); });
}

Napi::Object Training::start(Napi::Env env, AddonData& addon, Ref<Network> network, Data training,
                             std::optional<Dataset> validation, const train::FitOptions& options, Callbacks callbacks) {
  const Ref<Training> self(new Training(addon, std::move(network), std::move(training), std::move(validation), options,
                                        std::move(callbacks)));
  const Napi::Object made = Wrapped<Training>::make(env, addon, self);
  self->enter();
  try {
    self->thread_ = std::thread([raw = self.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    self->leave();
    self->letGo();
    fail(env, Code::Memory, std::string("no thread could be started for the training: ") + error.what());
  }
  return made;
}

// Methods of the JavaScript object.

Napi::Value Training::abort(Training& self, const Napi::CallbackInfo& info) {
  self.requestAbort();
  return info.Env().Undefined();
}

Napi::Value Training::stop(Training& self, const Napi::CallbackInfo& info) {
  MonitorLock lock(self.monitor_);
  self.control_.stop.store(true, std::memory_order_relaxed);
  lock.notifyAll();
  return info.Env().Undefined();
}

Napi::Value Training::setStepped(Training& self, const Napi::CallbackInfo& info) {
  const bool stepped = requireBoolean(info[0], "stepped");
  MonitorLock lock(self.monitor_);
  self.stepped_ = stepped;
  lock.notifyAll();
  return info.Env().Undefined();
}

Napi::Value Training::acknowledge(Training& self, const Napi::CallbackInfo& info) {
  const uint64_t epoch = requireWhole(info[0], "epoch", 0, kLargestWhole);
  MonitorLock lock(self.monitor_);
  if (epoch > self.acknowledged_) self.acknowledged_ = epoch;
  lock.notifyAll();
  return info.Env().Undefined();
}

Napi::Value Training::acknowledgeCheckpoint(Training& self, const Napi::CallbackInfo& info) {
  MonitorLock lock(self.monitor_);
  self.isStoring_ = false;
  lock.notifyAll();
  return info.Env().Undefined();
}

BatchQueue& Training::requireQueue(Napi::Env env) {
  if (!batches_) fail(env, Code::State, "this training has a data set, and takes no batches");
  if (ended_) fail(env, Code::State, "this training has ended");
  return *batches_;
}

Napi::Value Training::hasRoom(Training& self, const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), self.requireQueue(info.Env()).hasRoom());
}

Napi::Value Training::pushBatch(Training& self, const Napi::CallbackInfo& info) {
  const DatasetArgument batch(info[0], "batch");
  self.requireQueue(info.Env()).push(batch, info.Env());
  return info.Env().Undefined();
}

Napi::Value Training::endEpoch(Training& self, const Napi::CallbackInfo& info) {
  self.requireQueue(info.Env()).endEpoch();
  return info.Env().Undefined();
}

Napi::Value Training::failBatches(Training& self, const Napi::CallbackInfo& info) {
  self.requireQueue(info.Env()).giveUp(Status(Code::Data, "the stream of batches failed"));
  return info.Env().Undefined();
}

void Training::requestAbort() {
  {
    MonitorLock lock(monitor_);
    control_.abort.store(true, std::memory_order_relaxed);
    lock.notifyAll();
  }
  if (batches_) batches_->interrupt();
}

void Training::onNetworkDisposed() {
  networkDisposed_ = true;
  requestAbort();
}

// The training thread.

void Training::run() {
  Status status;
  train::FitResult result;
  try {
    const train::Dataset training = training_ ? training_->view() : train::Dataset();
    const train::Dataset validation = validation_ ? validation_->view() : train::Dataset();
    const train::Dataset* validated = validation_ ? &validation : nullptr;
    Ref<const core::Model> start = network_->state().published();
    if (start && options_.resume) start = options_.resume->model;
    if (!options_.resume) network_->state().keep(nullptr);
    // Without a model the network was disposed before this thread ran.
    if (!start)
      status = Status(Code::Aborted, "training was aborted");
    else if (batches_)
      status = train::fit(cpu::backend(), std::move(start), *batches_, validated, options_, control_, *this, &result);
    else
      status = train::fit(cpu::backend(), std::move(start), training, validated, options_, control_, *this, &result);
  } catch (...) {
    status = statusOfException();
  }
  {
    MonitorLock lock(monitor_);
    status_ = std::move(status);
    result_ = std::move(result);
    finished_ = true;
  }
  addon_->mailbox->post(Ref<Correspondent>(this));
}

void Training::onProgress(const train::Progress& progress) {
  if (!wantsProgress_) return;
  {
    MonitorLock lock(monitor_);
    progress_ = progress;
  }
  addon_->mailbox->post(Ref<Correspondent>(this));
}

void Training::publish(Ref<const core::Model> model) { network_->state().publish(std::move(model)); }

void Training::checkpoint(Ref<const core::Checkpoint> checkpoint, const train::EpochRecord* record,
                          const train::FitResult& soFar, bool due) {
  network_->state().keep(std::move(checkpoint));
  if (!due) return;
  {
    MonitorLock lock(monitor_);
    due_ = std::make_unique<Due>();
    if (record) due_->record = std::make_unique<train::EpochRecord>(*record);
    due_->soFar = soFar;
    due_->soFar.epochs.clear();
    isStoring_ = true;
  }
  addon_->mailbox->post(Ref<Correspondent>(this));
  MonitorLock lock(monitor_);
  while (isStoring_ && !control_.abort.load(std::memory_order_relaxed)) lock.wait();
}

void Training::onEpoch(const train::EpochRecord& record) {
  {
    MonitorLock lock(monitor_);
    progress_.reset();  // of an epoch that is over now
    records_.push_back(record);
  }
  addon_->mailbox->post(Ref<Correspondent>(this));
  MonitorLock lock(monitor_);
  while (stepped_ && acknowledged_ < record.epoch && !control_.abort.load(std::memory_order_relaxed) &&
         !control_.stop.load(std::memory_order_relaxed))
    lock.wait();
}

// The JavaScript thread.

template <class MakeArguments>
void Training::call(Napi::Env env, const Napi::FunctionReference& callback, MakeArguments makeArguments) noexcept {
  try {
    try {
      callback.Value().Call(makeArguments());
    } catch (const Napi::Error& error) {
      onCallbackFailed();
      reportUncaught(env, error);
    } catch (...) {
      onCallbackFailed();
      reportUncaught(env, makeError(env, statusOfException()));
    }
  } catch (...) {
    // No error could be made: the environment is being torn down.
  }
}

void Training::onCallbackFailed() {
  // lib/'s callbacks do not throw. Should one do it nevertheless, nobody acknowledges epochs any more, so the trainer
  // must not wait for it.
  if (batches_) batches_->giveUp(Status(Code::Internal, "a callback of setnet failed"));
  MonitorLock lock(monitor_);
  stepped_ = false;
  isStoring_ = false;
  lock.notifyAll();
}

bool Training::deliver(Napi::Env env) {
  if (ended_) return false;
  std::optional<train::EpochRecord> record;
  std::optional<train::Progress> progress;
  std::unique_ptr<Due> due;
  std::optional<uint64_t> wish;
  bool finished = false;
  {
    MonitorLock lock(monitor_);
    if (!records_.empty()) {
      record = std::move(records_.front());
      records_.pop_front();
    } else if (due_) {
      std::swap(due, due_);
    } else {
      // Once the thread has finished nobody works on a batch any more.
      if (batches_ && !finished_) wish = batches_->takeWish();
      if (wish) {
        // Said below.
      } else if (progress_) {
        std::swap(progress, progress_);
      } else {
        finished = finished_;
      }
    }
  }
  if (record) {
    network_->account(env);
    call(env, callbacks_.onEpoch, [&] { return std::vector<napi_value>{epochToJs(env, *record)}; });
  } else if (due) {
    network_->account(env);
    call(env, callbacks_.onCheckpoint, [&] {
      const napi_value record = due->record ? epochToJs(env, *due->record) : env.Null();
      return std::vector<napi_value>{record, fitResultToJs(env, due->soFar)};
    });
  } else if (wish) {
    call(env, callbacks_.onBatchWanted, [&] { return std::vector<napi_value>{countToJs(env, *wish)}; });
  } else if (progress) {
    call(env, callbacks_.onProgress, [&] { return std::vector<napi_value>{progressToJs(env, *progress)}; });
  } else if (finished) {
    finish(env);
    return false;
  }
  MonitorLock lock(monitor_);
  return finished_ || progress_ || due_ || !records_.empty() || (batches_ && batches_->hasWish());
}

void Training::finish(Napi::Env env) {
  const Ref<Training> alive(this);
  const Napi::FunctionReference onDone = std::move(callbacks_.onDone);
  thread_.join();
  leave();
  letGo();
  network_->account(env);
  if (networkDisposed_ && (status_.ok() || status_.code() == Code::Aborted))
    status_ = Status(Code::Aborted, "training was aborted because the network was disposed");
  napi_value error = env.Null();
  napi_value result = env.Null();
  try {
    check(env, status_);
    result = fitResultToJs(env, result_);
  } catch (const Napi::Error& failure) {
    error = failure.Value();
  } catch (...) {
    error = makeError(env, statusOfException()).Value();
  }
  result_ = train::FitResult();
  call(env, onDone, [&] { return std::vector<napi_value>{error, result}; });
}

void Training::abandon() {
  thread_.join();
  ended_ = true;
  network_->state().training = nullptr;
  Process::instance().fits.fetch_sub(1);
  letGo();
}

void Training::enter() {
  addon_->trainings.emplace(this, Ref<Training>(this));
  addon_->mailbox->expect();
  Process::instance().fits.fetch_add(1);
  network_->state().training = this;
}

void Training::leave() {
  ended_ = true;
  network_->state().training = nullptr;
  Process::instance().fits.fetch_sub(1);
  addon_->mailbox->settle();
  addon_->trainings.erase(this);
}

void Training::letGo() {
  if (training_) training_->letGo();
  if (batches_) batches_->letGo();
  if (validation_) validation_->letGo();
  callbacks_.onProgress.Reset();
  callbacks_.onEpoch.Reset();
  callbacks_.onCheckpoint.Reset();
  callbacks_.onBatchWanted.Reset();
  callbacks_.onDone.Reset();
}

}  // namespace setnet::binding
