#include "binding/network_state.h"

#include <utility>

#include "binding/process.h"
#include "cpu/backend.h"

namespace setnet::binding {

Status makePredictor(const Ref<const core::Model>& model, const backend::PredictorOptions& options,
                     Ref<backend::Predictor>* out) {
  if (model->scaling.kind != core::Scaling::Kind::None && !model->scaling.known)
    return Status(Code::State,
                  "the scaling of this network is learned by the first fit; until then only scaling: \"none\" or "
                  "{ mean, scale } can predict");
  return cpu::backend().createPredictor(model, options, out);
}

NetworkState::NetworkState(Ref<const core::Model> model, int threads) : threads_(threads), model_(std::move(model)) {
  Process::instance().networks.fetch_add(1);
}

NetworkState::~NetworkState() { dispose(); }

Ref<const core::Model> NetworkState::published() const {
  MonitorLock lock(monitor_);
  return model_;
}

Ref<const core::Model> NetworkState::published(Ref<backend::Predictor>* predictor) const {
  MonitorLock lock(monitor_);
  *predictor = predictor_;
  return model_;
}

void NetworkState::publish(Ref<const core::Model> model) {
  Ref<backend::Predictor> previous;  // released, like the previous model, after the lock
  MonitorLock lock(monitor_);
  if (!model_) return;
  std::swap(model_, model);
  std::swap(predictor_, previous);
  hasDigest_ = false;
}

Ref<const core::Checkpoint> NetworkState::checkpoint() const {
  MonitorLock lock(monitor_);
  return checkpoint_;
}

void NetworkState::keep(Ref<const core::Checkpoint> checkpoint) {
  MonitorLock lock(monitor_);
  // The one before is released after the lock.
  if (model_) std::swap(checkpoint_, checkpoint);
}

Ref<backend::Predictor> NetworkState::cachedPredictor(const Ref<const core::Model>& model) const {
  MonitorLock lock(monitor_);
  return model_.get() == model.get() ? predictor_ : Ref<backend::Predictor>();
}

Status NetworkState::predictorOf(const Ref<const core::Model>& model, Ref<backend::Predictor>* out) {
  *out = cachedPredictor(model);
  if (*out) return Status();
  MonitorLock one(building_);
  *out = cachedPredictor(model);
  if (*out) return Status();
  backend::PredictorOptions options;
  options.threads = threads_;
  SETNET_TRY(makePredictor(model, options, out));
  MonitorLock lock(monitor_);
  if (model_.get() == model.get()) predictor_ = *out;
  return Status();
}

uint64_t NetworkState::topologyDigestOf(const Ref<const core::Model>& model) {
  {
    MonitorLock lock(monitor_);
    if (hasDigest_ && model_.get() == model.get()) return digest_;
  }
  const uint64_t digest = core::topologyDigest(*model);
  MonitorLock lock(monitor_);
  if (model_.get() == model.get()) {
    digest_ = digest;
    hasDigest_ = true;
  }
  return digest;
}

void NetworkState::dispose() {
  Ref<const core::Model> model;  // released after the lock
  Ref<backend::Predictor> predictor;
  Ref<const core::Checkpoint> checkpoint;
  MonitorLock lock(monitor_);
  if (!model_) return;
  std::swap(model_, model);
  std::swap(predictor_, predictor);
  std::swap(checkpoint_, checkpoint);
  Process::instance().networks.fetch_sub(1);
}

}  // namespace setnet::binding
