// The predictor of the CPU backend: an immutable network that answers, to many threads at the same time.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "cpu/inference.h"

namespace setnet::cpu {

class Predictor : public backend::Predictor {
 public:
  static Status create(Ref<const core::Model> model, const backend::PredictorOptions& options,
                       Ref<backend::Predictor>* out);

  Status predict(const backend::RowSet& rows, backend::Output output, Span<float> out) const override;
  uint64_t bytes() const override;

 private:
  Status packLayer(const core::Model& model, size_t layer, const backend::PredictorOptions& options);
  // What single rows want beside the packed form.
  Status packSingles(const core::CsrMatrix& weights, size_t layer, double density, bool rounded);

  int loss_ = -1;
  core::Scaling scaling_;
  Status sparseScaling_;  // core::checkSparseScaling
  const kernels::KernelTable* kernels_ = nullptr;
  int threads_ = 1;
  std::vector<PackedMatrix> packed_;  // of sparse layers
  std::vector<DenseForm> dense_;      // of masked and dense layers, and of very full sparse ones
  std::vector<ColumnForm> columns_;   // of sparse layers, for single rows
  std::vector<PackedMatrix> packedSingles_;
  std::vector<std::vector<float>> bias_;
  std::vector<std::vector<float>> learned_;  // LayerState::activationParameters
  std::vector<ForwardForm> layers_;
  mutable WorkspacePool workspaces_;
};

}  // namespace setnet::cpu
