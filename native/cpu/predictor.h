// The predictor of the CPU backend: an immutable network that answers, to many threads at the same time.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "cpu/inference.h"
#include "cpu/layer.h"

namespace setnet::cpu {

class Predictor : public backend::Predictor {
 public:
  static Status create(Ref<const core::Model> model, const backend::PredictorOptions& options,
                       Ref<backend::Predictor>* out);

  Status predict(const backend::RowSet& rows, backend::Output output, Span<float> out) const override;
  uint64_t bytes() const override;

 private:
  Ref<const core::Model> model_;  // sparse layers are computed from its own arrays
  const kernels::KernelTable* kernels_ = nullptr;
  int threads_ = 1;
  std::vector<DenseForm> dense_;            // of masked and dense layers
  std::vector<std::vector<int64_t>> cuts_;  // of sparse layers
  std::vector<ForwardForm> layers_;
  mutable WorkspacePool workspaces_;
};

}  // namespace setnet::cpu
