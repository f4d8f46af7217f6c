// The option objects of lib/native.ts as the structures of core and train.
#pragma once

#include <napi.h>

#include "backend/backend.h"
#include "base/ref.h"
#include "core/model.h"
#include "train/trainer.h"

namespace setnet::binding {

constexpr double kMostThreadsAsked = 1024;

struct NetworkSpec {
  core::NetworkDefinition definition;
  core::Scaling scaling;
  int threads = 1;
};

enum class ScalingSource { Spec, File };  // where mean and scale of a given scaling are

NetworkSpec parseNetworkSpec(const Napi::Value& value, ScalingSource source);

// What a file says about a model's state; `model` has definition and scaling already.
void parseModelState(const Napi::Value& value, core::Model* model);

backend::PredictorOptions parsePredictorOptions(const Napi::Value& value);

train::FitOptions parseFitOptions(const Napi::Value& value);

}  // namespace setnet::binding
