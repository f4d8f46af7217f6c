#include "binding/network_jobs.h"

#include "binding/convert.h"
#include "binding/network.h"
#include "core/model_file.h"

namespace setnet::binding {

Status CreateNetworkJob::run() { return createModel(spec_, &model_); }

Napi::Value CreateNetworkJob::answer(Napi::Env env, AddonData& addon) {
  return Network::make(env, addon, std::move(model_), spec_.threads);
}

Status EvaluateJob::run() {
  Ref<backend::Predictor> predictor;
  SETNET_TRY(state_->predictorOf(model_, &predictor));
  return train::evaluate(*predictor, *model_, data_.view(), &aborted(), &evaluation_);
}

Napi::Value EvaluateJob::answer(Napi::Env env, AddonData&) { return evaluationToJs(env, evaluation_); }

Status EvolveJob::run() { return train::evolveModel(*model_, settings_, &evolved_, &record_); }

Napi::Value EvolveJob::answer(Napi::Env env, AddonData&) {
  state_->publish(std::move(evolved_));
  return evolutionToJs(env, record_);
}

Status SaveJob::run() { return core::writeModelFile(path_, *model_, json_); }

Napi::Value SaveJob::answer(Napi::Env env, AddonData&) { return env.Undefined(); }

}  // namespace setnet::binding
