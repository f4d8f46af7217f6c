// NativeNetwork: the JavaScript object of a network.
#pragma once

#include <napi.h>

#include <utility>

#include "base/ref.h"
#include "binding/addon_data.h"
#include "binding/network_state.h"
#include "binding/prediction.h"
#include "core/model.h"

namespace setnet::binding {

class Network : public RefCounted {
 public:
  static constexpr ClassId kClass = ClassId::Network;
  static constexpr const char* kClassName = "Network";
  static constexpr napi_type_tag kTag = {0x3b6f2d51c87e4f0aull, 0x8e1d4c9722b5a06full};

  static void define(Napi::Env env, AddonData& addon);
  static Napi::Object make(Napi::Env env, AddonData& addon, Ref<const core::Model> model, int threads);
  static Napi::Object make(Napi::Env env, AddonData& addon, Ref<NetworkState> state);
  // NativeModule.createNetwork and createNetworkSync
  static Napi::Value create(const Napi::CallbackInfo& info);
  static Napi::Value createSync(const Napi::CallbackInfo& info);

  NetworkState& state() const { return *state_; }
  // Tells V8 how much memory the published model has now.
  void account(Napi::Env env);
  void onFinalise(Napi::Env env);

 private:
  explicit Network(Ref<NetworkState> state) : state_(std::move(state)) {}
  // The published model; throws once the network is disposed.
  Ref<const core::Model> requireModel(Napi::Env env) const;

  static Napi::Value info(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value isFitting(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value syncPredictor(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value predictSync(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value predict(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value freeze(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value evaluate(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value evolve(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value fit(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value weights(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value bias(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value activationParameters(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value clone(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value save(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value checkpoint(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value saveCheckpoint(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value dropCheckpoint(Network& self, const Napi::CallbackInfo& info);
  static Napi::Value dispose(Network& self, const Napi::CallbackInfo& info);

  const Ref<NetworkState> state_;
  Scratch scratch_;  // of synchronous predictions
  int64_t accounted_ = 0;
  bool collected_ = false;  // the JavaScript object is gone (a fit or a job may still use this one)
};

}  // namespace setnet::binding
