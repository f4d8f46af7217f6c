// What V8 is told about memory that JavaScript objects keep alive outside its heap, so that garbage collection is not
// too late.
#pragma once

#include <napi.h>

#include <cstdint>

#include "core/model.h"

namespace setnet::binding {

// On the JavaScript thread; `bytes` may be negative. The total is a hint of V8's, so there is nothing to do on failure.
inline void adjustExternalMemory(napi_env env, int64_t bytes) {
  int64_t total = 0;
  if (bytes != 0) napi_adjust_external_memory(env, bytes, &total);
}

inline int64_t bytesOf(const core::Model& model) {
  uint64_t bytes = sizeof(core::Model);
  for (const core::LayerState& layer : model.layers) {
    bytes +=
        layer.weights.rowPointers.size() * sizeof(uint64_t) + layer.weights.columnIndices.size() * sizeof(uint32_t);
    uint64_t floats = layer.weights.values.size() + layer.bias.size() + layer.activationParameters.size();
    for (const std::vector<float>& state : layer.weightState) floats += state.size();
    for (const std::vector<float>& state : layer.biasState) floats += state.size();
    for (const std::vector<float>& state : layer.activationState) floats += state.size();
    bytes += floats * sizeof(float);
  }
  bytes += (model.scaling.mean.size() + model.scaling.scale.size()) * sizeof(float);
  return static_cast<int64_t>(bytes);
}

}  // namespace setnet::binding
