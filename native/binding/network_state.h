// The native side of a network: what is published, and what predictions are computed with. Methods without a remark may
// be called by any thread; none of them waits for training.
#pragma once

#include "backend/backend.h"
#include "base/ref.h"
#include "base/status.h"
#include "binding/monitor.h"
#include "core/checkpoint.h"
#include "core/model.h"

namespace setnet::binding {

class Training;

// Code::State where the model's scaling has yet to be learned.
Status makePredictor(const Ref<const core::Model>& model, const backend::PredictorOptions& options,
                     Ref<backend::Predictor>* out);

class NetworkState : public RefCounted {
 public:
  NetworkState(Ref<const core::Model> model, int threads);

  int threads() const { return threads_; }

  // What predictions, files and views work with; null after dispose().
  Ref<const core::Model> published() const;
  // The same with its predictor, null where that has not been made.
  Ref<const core::Model> published(Ref<backend::Predictor>* predictor) const;
  // Replaces it (by a fit); nothing happens after dispose().
  void publish(Ref<const core::Model> model);
  // What a fit that ended before its last epoch can go on from, or null; nothing is kept after dispose().
  Ref<const core::Checkpoint> checkpoint() const;
  void keep(Ref<const core::Checkpoint> checkpoint);
  // The predictor of a model that is or was published here: made on first use, kept while the model is the published
  // one. Code::State where the model's scaling has yet to be learned.
  Status predictorOf(const Ref<const core::Model>& model, Ref<backend::Predictor>* out);
  // core::topologyDigest of a model that is or was published here, computed once for the published one.
  uint64_t topologyDigestOf(const Ref<const core::Model>& model);
  // Lets go of everything; who uses a model or predictor still has a reference.
  void dispose();

  // The running fit, null where there is none. Belongs to the JavaScript thread; the training clears it.
  Training* training = nullptr;

 private:
  ~NetworkState() override;
  Ref<backend::Predictor> cachedPredictor(const Ref<const core::Model>& model) const;

  const int threads_;
  Monitor building_;         // held while a predictor is made, so that two threads do not make the same one
  mutable Monitor monitor_;  // guards what follows; held for a few instructions only
  Ref<const core::Model> model_;
  Ref<backend::Predictor> predictor_;  // of model_, or null
  Ref<const core::Checkpoint> checkpoint_;
  bool hasDigest_ = false;  // digest_ is that of model_
  uint64_t digest_ = 0;
};

}  // namespace setnet::binding
