// NativeModelFile: a file that has been read and whose container is valid.
#pragma once

#include <napi.h>

#include <string>
#include <utility>

#include "base/ref.h"
#include "binding/addon_data.h"
#include "core/safetensors.h"

namespace setnet::binding {

class ModelFile : public RefCounted {
 public:
  static constexpr ClassId kClass = ClassId::ModelFile;
  static constexpr const char* kClassName = "ModelFile";
  static constexpr napi_type_tag kTag = {0xa17c60f4529d4b83ull, 0xb2f90e6d1c8437a5ull};

  static void define(Napi::Env env, AddonData& addon);
  // NativeModule.readModelFile
  static Napi::Value read(const Napi::CallbackInfo& info);

  ModelFile(Ref<core::TensorFile> file, std::string json) : file_(std::move(file)), json_(std::move(json)) {}
  // Tells V8 how much memory there is now.
  void account(Napi::Env env);
  void onFinalise(Napi::Env env);

 private:
  static Napi::Value json(ModelFile& self, const Napi::CallbackInfo& info);
  static Napi::Value letGo(ModelFile& self, const Napi::CallbackInfo& info);
  static Napi::Value network(ModelFile& self, const Napi::CallbackInfo& info);

  Ref<core::TensorFile> file_;  // null once a network was made of it, or it was let go
  const std::string json_;      // the metadata entry "setnet"
  int64_t accounted_ = 0;
};

}  // namespace setnet::binding
