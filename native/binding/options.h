// The option objects of lib/native.ts as the structures of core and train.
#pragma once

#include <napi.h>

#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "binding/csr_matrix.h"
#include "core/model.h"
#include "train/trainer.h"

namespace setnet::binding {

constexpr double kMostThreadsAsked = 1024;

// What a layer is made from, where that is given.
struct GivenLayer {
  Ref<const CsrMatrix> weights;  // none: the layer is drawn
  std::vector<float> bias;
};

struct NetworkSpec {
  core::NetworkDefinition definition;
  core::Scaling scaling;
  int threads = 1;
  std::vector<GivenLayer> given;  // empty, or one for each layer
};

enum class ScalingSource { Spec, File };  // where mean and scale of a given scaling are

NetworkSpec parseNetworkSpec(const Napi::Value& value, ScalingSource source);

// The layers that are given: undefined, or an array with an entry for each layer of `spec`.
void parseGivenLayers(const Napi::Value& value, NetworkSpec* spec);

// The new network of a spec. Any thread.
Status createModel(const NetworkSpec& spec, Ref<core::Model>* out);

// What a file says about a model's state; `model` has definition and scaling already.
void parseModelState(const Napi::Value& value, core::Model* model);

backend::PredictorOptions parsePredictorOptions(const Napi::Value& value);

// One evolution outside a fit, or (growBack false) the removal alone. Its number is the caller's to say.
backend::EvolutionSettings parseEvolutionByHand(const Napi::Value& value, bool growBack);

train::FitOptions parseFitOptions(const Napi::Value& value);

}  // namespace setnet::binding
