// NativeTraining: a fit on a thread of its own, and how its news reach JavaScript.
#pragma once

#include <napi.h>

#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "base/ref.h"
#include "binding/addon_data.h"
#include "binding/batch_queue.h"
#include "binding/dataset.h"
#include "binding/mailbox.h"
#include "binding/network.h"
#include "train/trainer.h"

namespace setnet::binding {

class Training : public Correspondent, private train::Observer {
 public:
  static constexpr ClassId kClass = ClassId::Training;
  static constexpr const char* kClassName = "Training";
  static constexpr napi_type_tag kTag = {0xc4285ab90f7142d6ull, 0x97d30b5e84fa1c62ull};

  struct Callbacks {
    Napi::FunctionReference onProgress;  // empty where nobody wants to know
    Napi::FunctionReference onEpoch;
    Napi::FunctionReference onCheckpoint;
    Napi::FunctionReference onBatchWanted;  // empty where the data are there as a whole
    Napi::FunctionReference onDone;
  };

  static void define(Napi::Env env, AddonData& addon);
  static Callbacks parseCallbacks(const Napi::Value& value);
  // What is trained on: a data set, or batches that come one by one.
  struct Data {
    std::optional<Dataset> dataset;
    std::optional<BatchQueue::Shape> stream;
  };
  // Starts the thread and returns the JavaScript object. The network is published and not fitting. Code::Memory where
  // no thread can be started; then nothing has changed.
  static Napi::Object start(Napi::Env env, AddonData& addon, Ref<Network> network, Data training,
                            std::optional<Dataset> validation, const train::FitOptions& options, Callbacks callbacks);

  // Any thread: ends within a step.
  void requestAbort();
  // On the JavaScript thread: as requestAbort, and onDone says why.
  void onNetworkDisposed();
  // On the JavaScript thread when the environment ends: waits for the thread, calls nobody.
  void abandon();
  void onFinalise(Napi::Env) {}

 private:
  Training(AddonData& addon, Ref<Network> network, Data training, std::optional<Dataset> validation,
           const train::FitOptions& options, Callbacks callbacks);

  static Napi::Value abort(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value stop(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value setStepped(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value acknowledge(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value acknowledgeCheckpoint(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value hasRoom(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value pushBatch(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value endEpoch(Training& self, const Napi::CallbackInfo& info);
  static Napi::Value failBatches(Training& self, const Napi::CallbackInfo& info);
  BatchQueue& requireQueue(Napi::Env env);

  // The training thread.
  void run();
  void onProgress(const train::Progress& progress) override;
  void publish(Ref<const core::Model> model) override;
  void checkpoint(Ref<const core::Checkpoint> checkpoint, const train::EpochRecord* record,
                  const train::FitResult& soFar, bool due) override;
  void onEpoch(const train::EpochRecord& record) override;

  // The JavaScript thread.
  bool deliver(Napi::Env env) override;
  void finish(Napi::Env env);
  void enter();
  void leave();
  void letGo();
  // Calls back with what makeArguments(env) gives (a std::vector<napi_value>).
  template <class MakeArguments>
  void call(Napi::Env env, const Napi::FunctionReference& callback, MakeArguments makeArguments) noexcept;
  void onCallbackFailed();

  const Ref<AddonData> addon_;
  const Ref<Network> network_;
  std::optional<Dataset> training_;  // or batches_
  std::optional<Dataset> validation_;
  const train::FitOptions options_;
  const bool wantsProgress_;
  Callbacks callbacks_;
  std::thread thread_;
  bool networkDisposed_ = false;
  bool ended_ = false;  // onDone has been called or never will be

  train::Control control_;
  std::optional<BatchQueue> batches_;
  Monitor monitor_;  // guards what follows; notified when a trainer that waits in onEpoch shall look again
  std::optional<train::Progress> progress_;  // the latest, not yet delivered
  std::deque<train::EpochRecord> records_;   // not yet delivered
  bool stepped_ = true;                      // from the start: whoever shall look at epoch 1 must not race with it
  uint64_t acknowledged_ = 0;
  // A checkpoint that is to be stored, with what is to be said beside it; the trainer waits for it.
  struct Due {
    std::unique_ptr<train::EpochRecord> record;  // or null
    train::FitResult soFar;                      // without epochs
  };
  std::unique_ptr<Due> due_;  // not yet delivered, or null
  bool isStoring_ = false;    // until it is acknowledged
  bool finished_ = false;     // the thread is about to end; status_ and result_ are there
  Status status_;
  train::FitResult result_;
};

}  // namespace setnet::binding
