#include "binding/build_info.h"

#include <string>
#include <vector>

#include "binding/errors.h"
#include "binding/version.h"
#include "kernels/dispatch.h"

namespace setnet::binding {

namespace {

constexpr const char* platformName() {
#if defined(__linux__)
  return "linux";
#elif defined(__APPLE__)
  return "darwin";
#elif defined(_WIN32)
  return "win32";
#else
  return "unknown";
#endif
}

constexpr const char* architectureName() {
#if defined(__x86_64__) || defined(_M_X64)
  return "x64";
#elif defined(__aarch64__) || defined(_M_ARM64)
  return "arm64";
#else
  return "unknown";
#endif
}

std::string compilerName() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

Napi::Value buildInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const kernels::KernelTable* active = nullptr;
  check(env, kernels::active(&active));
  Napi::Object object = Napi::Object::New(env);
  object.Set("version", kVersion);
  object.Set("compiler", compilerName());
  object.Set("napi", Napi::Number::New(env, NAPI_VERSION));
  object.Set("platform", platformName());
  object.Set("architecture", architectureName());
  const std::vector<kernels::Isa>& sets = kernels::available();
  Napi::Array list = Napi::Array::New(env, sets.size());
  for (size_t i = 0; i < sets.size(); ++i) {
    Napi::Object set = Napi::Object::New(env);
    set.Set("name", sets[i].name);
    set.Set("available", sets[i].runsHere);
    list.Set(static_cast<uint32_t>(i), set);
    if (sets[i].table == active) object.Set("instructionSet", sets[i].name);
  }
  object.Set("instructionSets", list);
  return object;
}

}  // namespace setnet::binding
