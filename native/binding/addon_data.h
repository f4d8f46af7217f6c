// Everything that belongs to one environment. Nothing mutable is global but what process.h holds.
#pragma once

#include <napi.h>

#include <unordered_map>

#include "base/ref.h"
#include "binding/mailbox.h"

namespace setnet::binding {

class Job;
class Training;

enum class ClassId : int { Network, Session, Training, CsrMatrix, ModelFile, SparseLayer };
constexpr int kClassCount = 6;

enum class ArrayId : int { Float32, Float64, Uint32, Int32 };
constexpr int kArrayCount = 4;

class AddonData : public RefCounted {
 public:
  // Makes the data of a new environment and ties it to the environment's life.
  static AddonData& create(Napi::Env env);

  // The constructors of our classes, and the intrinsic ones of the typed arrays that we return.
  Napi::FunctionReference classes[kClassCount];
  Napi::FunctionReference arrays[kArrayCount];

  // What the constructor that is called next has to wrap (see wrapped.h); null: JavaScript calls it on its own.
  RefCounted* constructing = nullptr;
  ClassId constructingClass = ClassId::Network;

  Ref<Mailbox> mailbox;
  // Work that has not been delivered yet.
  std::unordered_map<Job*, Ref<Job>> jobs;
  std::unordered_map<Training*, Ref<Training>> trainings;
  bool ended = false;

 private:
  AddonData() = default;
  ~AddonData() override;
  // The environment's cleanup hook: after it no thread of ours touches the environment.
  void end();
};

inline AddonData& addonOf(const Napi::CallbackInfo& info) { return *static_cast<AddonData*>(info.Data()); }

}  // namespace setnet::binding
