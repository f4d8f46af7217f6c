// What networks do on executor threads. Each job works on the model that was published when it was asked for.
#pragma once

#include <napi.h>

#include <string>
#include <utility>
#include <vector>

#include "binding/dataset.h"
#include "binding/job.h"
#include "binding/network_state.h"
#include "binding/options.h"

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

class PredictJob : public Job {
 public:
  // Copies x. `results` is the number of values that the answer has.
  PredictJob(Ref<NetworkState> state, Ref<const core::Model> model, const backend::MatrixView& x,
             backend::Output output, uint64_t results);

 private:
  Status run() override;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;

  const Ref<NetworkState> state_;
  const Ref<const core::Model> model_;
  std::vector<char> copy_;
  backend::MatrixView x_;  // of copy_
  const backend::Output output_;
  std::vector<float> results_;
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
