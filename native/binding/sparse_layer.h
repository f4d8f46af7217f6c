// NativeSparseLayer: one sparse layer that trains, driven from outside; its steps and evolutions are counted as those
// of a network are, so that random numbers are the same.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "backend/backend.h"
#include "base/ref.h"
#include "binding/addon_data.h"
#include "core/model.h"

namespace setnet::binding {

class SparseLayer : public RefCounted {
 public:
  static constexpr ClassId kClass = ClassId::SparseLayer;
  static constexpr const char* kClassName = "SparseLayer";
  static constexpr napi_type_tag kTag = {0x7be1930c5a4f4d28ull, 0x8c60d1f3e25b97a4ull};

  static void define(Napi::Env env, AddonData& addon);
  // NativeModule.createSparseLayer
  static Napi::Value create(const Napi::CallbackInfo& info);

  void onFinalise(Napi::Env env);

 private:
  SparseLayer(std::unique_ptr<backend::Engine> engine, const core::LayerDefinition& definition, int optimizer,
              uint64_t connections)
      : engine_(std::move(engine)), definition_(definition), optimizer_(optimizer), connections_(connections) {}
  backend::Engine& requireEngine(Napi::Env env) const;
  // The layer as it is now.
  Ref<core::Model> exported(Napi::Env env, bool withOptimizerState) const;
  // Tells V8 how much memory there is now.
  void account(Napi::Env env);

  static Napi::Value info(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value forward(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value backward(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value step(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value evolve(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value weightGradient(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value weights(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value bias(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value activationParameters(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value state(SparseLayer& self, const Napi::CallbackInfo& info);
  static Napi::Value dispose(SparseLayer& self, const Napi::CallbackInfo& info);

  // All belong to the JavaScript thread.
  std::unique_ptr<backend::Engine> engine_;  // null once disposed or lost
  bool isLost_ = false;                      // memory ended in the middle of an evolution
  const core::LayerDefinition definition_;
  const int optimizer_;
  uint64_t connections_;
  uint64_t steps_ = 0, evolutions_ = 0;  // done
  uint64_t stepsBefore_ = 0;             // steps done when the optimizer's state was all 0
  int64_t accounted_ = 0;
};

}  // namespace setnet::binding
