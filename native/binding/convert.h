// Native records as JavaScript objects, in the shapes of lib/native.ts, and the typed arrays that results live in.
#pragma once

#include <napi.h>

#include <string>

#include "base/span.h"
#include "binding/addon_data.h"
#include "core/model.h"
#include "train/trainer.h"

namespace setnet::binding {

// Code::Memory where a result of so many bytes could never be held: the operating system would grant it and then kill
// the process while it is filled.
void requireMemory(Napi::Env env, uint64_t bytes);

// A typed array that JavaScript allocated (Electron refuses external buffers), made by the intrinsic constructor: where
// memory cannot be had it throws, while napi_create_arraybuffer would end the process. Code::Memory then.
Napi::Value newArray(Napi::Env env, AddonData& addon, ArrayId kind, uint64_t length, void** data);

Napi::Value floatsToJs(Napi::Env env, AddonData& addon, Span<const float> values);
Napi::Value uint32sToJs(Napi::Env env, AddonData& addon, Span<const uint32_t> values);
Napi::Value int32sToJs(Napi::Env env, AddonData& addon, Span<const int32_t> values);
// 64-bit numbers under 2^53 as doubles.
Napi::Value uint64sToJs(Napi::Env env, AddonData& addon, Span<const uint64_t> values);

Napi::Value countToJs(Napi::Env env, uint64_t count);  // a number; counts stay under 2^53
// 16 hexadecimal digits.
std::string hexOf(uint64_t number);

// What an activation has learned, by name: `values` are [parameter][units] of an activation of this rule.
Napi::Object learnedToJs(Napi::Env env, AddonData& addon, int activation, Span<const float> values, uint64_t units);

Napi::Object layerEvolutionToJs(Napi::Env env, const core::LayerEvolutionReport& report);
Napi::Object evolutionToJs(Napi::Env env, const train::EvolutionRecord& record);
Napi::Object evaluationToJs(Napi::Env env, const train::Evaluation& evaluation);
Napi::Object epochToJs(Napi::Env env, const train::EpochRecord& record);
Napi::Object progressToJs(Napi::Env env, const train::Progress& progress);
Napi::Object fitResultToJs(Napi::Env env, const train::FitResult& result);
Napi::Object fitStateToJs(Napi::Env env, const core::FitState& state);
Napi::Object networkInfoToJs(Napi::Env env, AddonData& addon, const core::Model& model, uint64_t topologyDigest);

// An array of { name, parameters } for every rule of a table.
Napi::Array rulesToJs(Napi::Env env, Span<const rules::RuleInfo> table);
// The same of the metrics, with what each one needs.
Napi::Array metricsToJs(Napi::Env env);

}  // namespace setnet::binding
