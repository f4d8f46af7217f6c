#include "binding/addon_data.h"

#include <vector>

#include "binding/job.h"
#include "binding/process.h"
#include "binding/training.h"

namespace setnet::binding {

AddonData& AddonData::create(Napi::Env env) {
  Ref<AddonData> addon(new AddonData);
  // Cleanup hooks run in the reverse order of their registration: ours, registered after the thread-safe function's,
  // ends the threads that poke it before it is torn down.
  addon->mailbox = Mailbox::open(env);
  addon->retain();
  const auto onFinalise = [](napi_env, void* data, void*) { static_cast<AddonData*>(data)->release(); };
  if (napi_set_instance_data(env, addon.get(), onFinalise, nullptr) != napi_ok) {
    addon->release();
    throw Napi::Error::New(env);
  }
  const auto onEnd = [](void* data) { static_cast<AddonData*>(data)->end(); };
  if (napi_add_env_cleanup_hook(env, onEnd, addon.get()) != napi_ok) throw Napi::Error::New(env);
  Process::instance().environmentStarted();
  return *addon;
}

AddonData::~AddonData() = default;

void AddonData::end() {
  ended = true;
  mailbox->close();
  // All are told first and waited for afterwards, so that the waits overlap.
  for (const auto& training : trainings) training.second->requestAbort();
  for (const auto& job : jobs) job.second->requestAbort();
  for (const auto& training : trainings) training.second->abandon();
  for (const auto& job : jobs) job.second->abandon();
  trainings.clear();
  jobs.clear();
  for (Napi::FunctionReference& reference : classes) reference.Reset();
  for (Napi::FunctionReference& reference : arrays) reference.Reset();
  Process::instance().environmentEnded();
}

}  // namespace setnet::binding
