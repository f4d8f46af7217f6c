// Work for an executor thread that answers a promise. A job holds references to all it uses.
#pragma once

#include <napi.h>

#include <atomic>
#include <optional>

#include "base/status.h"
#include "binding/addon_data.h"
#include "binding/mailbox.h"

namespace setnet::binding {

class Job : public Correspondent {
 public:
  // On the JavaScript thread: queues the job and returns its promise, rejected where no thread can run it.
  static Napi::Promise start(Napi::Env env, AddonData& addon, Ref<Job> job);

  // Any thread. What takes long looks at aborted() now and then.
  void requestAbort() { aborted_.store(true, std::memory_order_relaxed); }
  // On the JavaScript thread when the environment ends: takes the job back or waits for it, and lets go of everything
  // that belongs to the environment. Its promise never settles.
  void abandon();

 protected:
  const std::atomic<bool>& aborted() const { return aborted_; }
  // On the executor's thread.
  virtual Status run() = 0;
  // On the JavaScript thread, after run() succeeded: what the promise resolves with.
  virtual Napi::Value answer(Napi::Env env, AddonData& addon) = 0;
  // On the JavaScript thread: drops references to JavaScript objects.
  virtual void letGo() {}

 private:
  friend class Executor;
  enum class Stage { New, Queued, Running, Ended };

  void execute();
  bool deliver(Napi::Env env) override;
  void settle();

  Stage stage_ = Stage::New;  // guarded by the executor
  std::atomic<bool> aborted_{false};
  Status status_;
  Ref<AddonData> addon_;
  std::optional<Napi::Promise::Deferred> deferred_;
};

}  // namespace setnet::binding
