// NativeSession: a network that is frozen into a predictor and keeps nothing else.
#pragma once

#include <napi.h>

#include <cstdint>

#include "backend/backend.h"
#include "base/ref.h"
#include "binding/addon_data.h"
#include "binding/prediction.h"
#include "core/model.h"

namespace setnet::binding {

class Session : public RefCounted {
 public:
  static constexpr ClassId kClass = ClassId::Session;
  static constexpr const char* kClassName = "Session";
  static constexpr napi_type_tag kTag = {0x61e8c3f72b904d5cull, 0x94b7f02ac65d183eull};

  static void define(Napi::Env env, AddonData& addon);
  // NativeNetwork.freeze: packs the model on an executor thread.
  static Napi::Promise freeze(Napi::Env env, AddonData& addon, Ref<const core::Model> model,
                              const backend::PredictorOptions& options);

  Session(Ref<backend::Predictor> predictor, const AnswerShape& shape, uint64_t connections);
  void onFinalise(Napi::Env env);

 private:
  friend class FreezeJob;
  ~Session() override;
  // Lets go of the predictor; a prediction that runs has a reference of its own.
  void letGo();
  // Tells V8 how much memory there is now.
  void account(Napi::Env env);
  void requireOpen(Napi::Env env) const;

  static Napi::Value connections(Session& self, const Napi::CallbackInfo& info);
  static Napi::Value syncPredictor(Session& self, const Napi::CallbackInfo& info);
  static Napi::Value predictSync(Session& self, const Napi::CallbackInfo& info);
  static Napi::Value predict(Session& self, const Napi::CallbackInfo& info);
  static Napi::Value close(Session& self, const Napi::CallbackInfo& info);

  // All belong to the JavaScript thread.
  Ref<backend::Predictor> predictor_;  // null once closed
  const AnswerShape shape_;
  const uint64_t connections_;
  Scratch scratch_;
  int64_t accounted_ = 0;
};

}  // namespace setnet::binding
