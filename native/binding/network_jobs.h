// What networks do on executor threads. Each job works on the model that was published when it was asked for.
#pragma once

#include <napi.h>

#include <string>
#include <utility>

#include "binding/dataset.h"
#include "binding/job.h"
#include "binding/network_state.h"
#include "binding/options.h"
#include "binding/prediction.h"
#include "train/trainer.h"

namespace setnet::binding {

class CreateNetworkJob : public Job {
 public:
  explicit CreateNetworkJob(NetworkSpec spec) : spec_(std::move(spec)) {}

 private:
  Status run() override;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;

  const NetworkSpec spec_;
  Ref<core::Model> model_;
};

class NetworkPredictJob : public PredictJob {
 public:
  NetworkPredictJob(const Napi::CallbackInfo& info, Ref<NetworkState> state, Ref<const core::Model> model)
      : PredictJob(info, answerShapeOf(*model)), state_(std::move(state)), model_(std::move(model)) {}

 private:
  Status predictorFor(Ref<backend::Predictor>* out) override { return state_->predictorOf(model_, out); }

  const Ref<NetworkState> state_;
  const Ref<const core::Model> model_;
};

class EvaluateJob : public Job {
 public:
  EvaluateJob(Ref<NetworkState> state, Ref<const core::Model> model, Dataset data)
      : state_(std::move(state)), model_(std::move(model)), data_(std::move(data)) {}

 private:
  Status run() override;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;
  void letGo() override { data_.letGo(); }

  const Ref<NetworkState> state_;
  const Ref<const core::Model> model_;
  Dataset data_;
  train::Evaluation evaluation_;
};

// An evolution by hand. The evolved network is published when the promise is answered; until then nothing else changes
// the network (the caller sees to that).
class EvolveJob : public Job {
 public:
  EvolveJob(Ref<NetworkState> state, Ref<const core::Model> model, const backend::EvolutionSettings& settings)
      : state_(std::move(state)), model_(std::move(model)), settings_(settings) {}

 private:
  Status run() override;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;

  const Ref<NetworkState> state_;
  const Ref<const core::Model> model_;
  const backend::EvolutionSettings settings_;
  Ref<core::Model> evolved_;
  train::EvolutionRecord record_;
};

class SaveJob : public Job {
 public:
  SaveJob(Ref<const core::Model> model, std::string path, std::string json)
      : model_(std::move(model)), path_(std::move(path)), json_(std::move(json)) {}

 private:
  Status run() override;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;

  const Ref<const core::Model> model_;
  const std::string path_;
  const std::string json_;
};

}  // namespace setnet::binding
