// The module: what lib/native.ts calls NativeModule. One instance per environment (the main thread and every worker).
#include <napi.h>

#include <cctype>
#include <string>
#include <vector>

#include "base/bijection.h"
#include "binding/addon_data.h"
#include "binding/arguments.h"
#include "binding/build_info.h"
#include "binding/convert.h"
#include "binding/csr_matrix.h"
#include "binding/errors.h"
#include "binding/model_file.h"
#include "binding/network.h"
#include "binding/options.h"
#include "binding/process.h"
#include "binding/session.h"
#include "binding/sparse_layer.h"
#include "binding/training.h"
#include "binding/wrapped.h"
#include "cpu/pool/pool.h"
#include "rules/grow.h"
#include "rules/metrics.h"
#include "rules/prune.h"
#include "rules/schedules.h"

namespace setnet::binding {

namespace {

constexpr double kMostSamplesOrdered = 4294967295;  // their numbers have 32 bits

Napi::Value configure(const Napi::CallbackInfo& info) {
  const Napi::Object options = requireObject(info[0], "options");
  const uint64_t parallelism = requireWhole(options.Get("parallelism"), "parallelism", 1, kMostThreadsAsked);
  cpu::pool::configure(static_cast<int>(parallelism));
  return info.Env().Undefined();
}

// (samples, seed, epoch): the order in which a fit with this seed takes samples in epoch `epoch` of its network's life.
Napi::Value sampleOrder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint64_t samples = requireWhole(info[0], "samples", 0, kMostSamplesOrdered);
  const uint64_t seed = requireUint64(info[1], "seed");
  const uint64_t epoch = requireWhole(info[2], "epoch", 1, kLargestWhole);
  requireMemory(env, samples * (sizeof(uint64_t) + 2 * sizeof(uint32_t)));
  std::vector<uint64_t> order(samples);
  if (samples > 0) Bijection({seed, Purpose::SampleOrder, 0, epoch}, samples).fill(0, samples, order.data());
  return uint32sToJs(env, addonOf(info), std::vector<uint32_t>(order.begin(), order.end()));
}

Napi::Value rulesTables(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object object = Napi::Object::New(env);
  object.Set("activations", rulesToJs(env, all(rules::kActivations)));
  object.Set("losses", rulesToJs(env, all(rules::kLosses)));
  object.Set("optimizers", rulesToJs(env, all(rules::kOptimizers)));
  object.Set("prune", rulesToJs(env, all(rules::kPruneRules)));
  object.Set("grow", rulesToJs(env, all(rules::kGrowRules)));
  object.Set("schedules", rulesToJs(env, all(rules::kSchedules)));
  object.Set("triggers", rulesToJs(env, all(rules::kTriggers)));
  object.Set("initializers", rulesToJs(env, all(rules::kInitializers)));
  object.Set("metrics", metricsToJs(env));
  return object;
}

Napi::Value codes(const Napi::CallbackInfo& info) {
  constexpr const char* names[] = {
#define SETNET_ENTRY(name, text) #text,
      SETNET_CODES(SETNET_ENTRY)
#undef SETNET_ENTRY
  };
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env, std::size(names));
  for (size_t i = 0; i < std::size(names); ++i) list.Set(static_cast<uint32_t>(i), names[i]);
  return list;
}

Napi::Value counters(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Process& process = Process::instance();
  Napi::Object object = Napi::Object::New(env);
  object.Set("poolThreads", Napi::Number::New(env, cpu::pool::threadCount()));
  object.Set("fits", countToJs(env, process.fits.load()));
  object.Set("networks", countToJs(env, process.networks.load()));
  object.Set("sessions", countToJs(env, process.sessions.load()));
  object.Set("jobs", countToJs(env, process.jobs.load()));
  int64_t toldBytes = 0;
  napi_adjust_external_memory(env, 0, &toldBytes);
  object.Set("toldBytes", Napi::Number::New(env, static_cast<double>(toldBytes)));
  return object;
}

// The constructors of the typed arrays as they are before the program can have changed the globals' prototypes.
void keepArrayConstructors(Napi::Env env, AddonData& addon) {
  constexpr const char* names[kArrayCount] = {"Float32Array", "Float64Array", "Uint32Array",
                                              "Int32Array"};  // as ArrayId
  for (int i = 0; i < kArrayCount; ++i)
    addon.arrays[i] = Napi::Persistent(requireFunction(env.Global().Get(names[i]), names[i]));
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  AddonData& addon = AddonData::create(env);
  keepArrayConstructors(env, addon);
  Network::define(env, addon);
  Session::define(env, addon);
  Training::define(env, addon);
  CsrMatrix::define(env, addon);
  ModelFile::define(env, addon);
  SparseLayer::define(env, addon);
  const napi_property_descriptor functions[] = {
      moduleFunction<configure>(addon, "configure"),
      moduleFunction<Network::create>(addon, "createNetwork"),
      moduleFunction<Network::createSync>(addon, "createNetworkSync"),
      moduleFunction<ModelFile::read>(addon, "readModelFile"),
      moduleFunction<CsrMatrix::create>(addon, "createCsrMatrix"),
      moduleFunction<CsrMatrix::createFromDense>(addon, "createCsrMatrixFromDense"),
      moduleFunction<CsrMatrix::createFromCoordinates>(addon, "createCsrMatrixFromCoordinates"),
      moduleFunction<SparseLayer::create>(addon, "createSparseLayer"),
      moduleFunction<sampleOrder>(addon, "sampleOrder"),
      moduleFunction<rulesTables>(addon, "rules"),
      moduleFunction<codes>(addon, "codes"),
      moduleFunction<buildInfo>(addon, "buildInfo"),
      moduleFunction<counters>(addon, "counters"),
  };
  if (napi_define_properties(env, exports, std::size(functions), functions) != napi_ok) throw Napi::Error::New(env);
  return exports;
}

}  // namespace

// Within setnet::binding, because the macro names the function without a namespace.
NODE_API_MODULE(setnet, initialise)

}  // namespace setnet::binding
