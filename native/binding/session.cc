#include "binding/session.h"

#include <utility>

#include "binding/convert.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/network_state.h"
#include "binding/process.h"
#include "binding/wrapped.h"

namespace setnet::binding {

class FreezeJob : public Job {
 public:
  FreezeJob(Ref<const core::Model> model, const backend::PredictorOptions& options)
      : model_(std::move(model)), options_(options) {}

 private:
  Status run() override {
    const Ref<const core::Model> model = std::move(model_);
    Ref<backend::Predictor> predictor;
    SETNET_TRY(makePredictor(model, options_, &predictor));
    session_ = Ref<Session>(new Session(std::move(predictor), answerShapeOf(*model), core::connectionsOf(*model)));
    return Status();
  }

  Napi::Value answer(Napi::Env env, AddonData& addon) override {
    const Napi::Object made = Wrapped<Session>::make(env, addon, session_);
    session_->account(env);
    return made;
  }

  Ref<const core::Model> model_;  // let go of as soon as it is packed
  const backend::PredictorOptions options_;
  Ref<Session> session_;
};

namespace {

class SessionPredictJob : public PredictJob {
 public:
  SessionPredictJob(const Napi::CallbackInfo& info, const AnswerShape& shape, Ref<backend::Predictor> predictor)
      : PredictJob(info, shape), predictor_(std::move(predictor)) {}

 private:
  Status predictorFor(Ref<backend::Predictor>* out) override {
    *out = predictor_;
    return Status();
  }

  const Ref<backend::Predictor> predictor_;
};

}  // namespace

void Session::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<Session>;
  W::define(env, addon,
            {W::getter<connections>(addon, "connections"), W::method<syncPredictor>(addon, "syncPredictor"),
             W::method<predict>(addon, "predict"), W::method<close>(addon, "close")});
}

Napi::Promise Session::freeze(Napi::Env env, AddonData& addon, Ref<const core::Model> model,
                              const backend::PredictorOptions& options) {
  return Job::start(env, addon, Ref<Job>(new FreezeJob(std::move(model), options)));
}

Session::Session(Ref<backend::Predictor> predictor, const AnswerShape& shape, uint64_t connections)
    : predictor_(std::move(predictor)), shape_(shape), connections_(connections) {
  Process::instance().sessions.fetch_add(1);
}

Session::~Session() { letGo(); }

void Session::letGo() {
  if (!predictor_) return;
  predictor_ = Ref<backend::Predictor>();
  scratch_ = Scratch();
  Process::instance().sessions.fetch_sub(1);
}

void Session::account(Napi::Env env) {
  const int64_t bytes = predictor_ ? static_cast<int64_t>(predictor_->bytes()) : 0;
  adjustExternalMemory(env, bytes - accounted_);
  accounted_ = bytes;
}

void Session::onFinalise(Napi::Env env) {
  letGo();
  account(env);
}

void Session::requireOpen(Napi::Env env) const {
  if (!predictor_) fail(env, Code::State, "this session has been closed");
}

Napi::Value Session::connections(Session& self, const Napi::CallbackInfo& info) {
  return countToJs(info.Env(), self.connections_);
}

Napi::Value Session::syncPredictor(Session& self, const Napi::CallbackInfo& info) {
  return Wrapped<Session>::bound<predictSync>(info.Env(), "predictSync", self);
}

Napi::Value Session::predictSync(Session& self, const Napi::CallbackInfo& info) {
  self.requireOpen(info.Env());
  const SyncPrediction prediction(info, self.shape_);
  // No JavaScript runs from here to the end, so that nobody closes the session meanwhile.
  check(info.Env(), prediction.run(*self.predictor_, &self.scratch_));
  return Napi::Value();
}

Napi::Value Session::predict(Session& self, const Napi::CallbackInfo& info) {
  self.requireOpen(info.Env());
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new SessionPredictJob(info, self.shape_, self.predictor_)));
}

Napi::Value Session::close(Session& self, const Napi::CallbackInfo& info) {
  self.letGo();
  self.account(info.Env());
  return info.Env().Undefined();
}

}  // namespace setnet::binding
