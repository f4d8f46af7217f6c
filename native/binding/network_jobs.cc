#include "binding/network_jobs.h"

#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/network.h"
#include "core/model_file.h"
#include "train/trainer.h"

namespace setnet::binding {

Status CreateNetworkJob::run() { return createModel(spec_, &model_); }

Napi::Value CreateNetworkJob::answer(Napi::Env env, AddonData& addon) {
  return Network::make(env, addon, std::move(model_), spec_.threads);
}

PredictJob::PredictJob(Ref<NetworkState> state, Ref<const core::Model> model, const backend::MatrixView& x,
                       backend::Output output, uint64_t results)
    : state_(std::move(state)), model_(std::move(model)), x_(x), output_(output), results_(results) {
  const char* begin = static_cast<const char*>(x.data);
  copy_.assign(begin, begin + x.rows * x.columns * elementSize(x.type));
  x_.data = copy_.data();
}

Status PredictJob::run() {
  Ref<backend::Predictor> predictor;
  SETNET_TRY(state_->predictorOf(model_, &predictor));
  if (x_.rows == 0) return Status();
  return predictor->predict({x_, nullptr, 0, x_.rows}, output_, results_);
}

Napi::Value PredictJob::answer(Napi::Env env, AddonData& addon) { return floatsToJs(env, addon, results_); }

Status EvaluateJob::run() {
  Ref<backend::Predictor> predictor;
  SETNET_TRY(state_->predictorOf(model_, &predictor));
  return train::evaluate(*predictor, *model_, data_.view(), &aborted(), &evaluation_);
}

Napi::Value EvaluateJob::answer(Napi::Env env, AddonData&) { return evaluationToJs(env, evaluation_); }

Status SaveJob::run() { return core::writeModelFile(path_, *model_, json_); }

Napi::Value SaveJob::answer(Napi::Env env, AddonData&) { return env.Undefined(); }

}  // namespace setnet::binding
