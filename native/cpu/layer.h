// One layer that trains: its weights in the form its kind is computed in, its optimizer state, its topology.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "cpu/buffer.h"
#include "cpu/forward.h"

namespace setnet::cpu {

// Transposed form of a sparse matrix, for the input gradient. It has values of its own, which follow the canonical ones
// once per step: reading them through the permutation in the product itself would cost more.
struct TransposedForm {
  std::vector<uint64_t> columnPointers;
  std::vector<uint32_t> rows;       // ascending within a column
  std::vector<uint32_t> positions;  // of the connections in canonical order
  std::vector<float> values;
  std::vector<int64_t> cuts;  // partition.h

  void build(const core::CsrMatrix& matrix, int threads);
};

// Weights as a padded dense matrix: rows to a multiple of 16, and the distance of rows an odd multiple of 16 floats, so
// that the rows of a tile never fall into the same cache set. Padding holds zeros.
struct DenseForm {
  int64_t units = 0, inputs = 0;
  int64_t stride = 0;
  Buffer<float> weights;
  Buffer<float> state[rules::kMaxOptimizerState];
  Buffer<uint16_t> mask;  // one bit per weight, [rows][maskStride]; empty: no mask
  int64_t maskStride = 0;

  Status allocate(uint64_t unitCount, uint64_t inputCount, int stateCount, bool masked);
  int64_t rows() const { return (units + 15) / 16 * 16; }
  int64_t at(int64_t unit, int64_t input) const { return unit * stride + input; }
  // The mask, and the values and state of exactly these connections.
  void scatter(const core::CsrMatrix& matrix, const std::vector<std::vector<float>>& state);
  // Every weight, from an unpadded row-major array.
  void setWeights(const std::vector<float>& values);
  // Values of the cells of this topology into matrix->values, and their state.
  void gather(core::CsrMatrix* matrix, std::vector<std::vector<float>>* state) const;
};

// A layer after prune and grow, before anything is committed.
struct EvolvedLayer {
  bool changed = false;
  core::CsrMatrix matrix;
  std::vector<std::vector<float>> state;
  TransposedForm transposed;
  std::vector<int64_t> cuts;
};

class Layer {
 public:
  // `index` counts from 0; the first layer needs no input gradient. Optimizer state is taken over where `state` has
  // `stateCount` buffers. Code::Memory.
  Status create(const core::LayerDefinition& definition, uint32_t index, const core::LayerState& state, int stateCount,
                int threads);

  const core::LayerDefinition& definition() const { return definition_; }
  bool isSparse() const { return definition_.kind == core::LayerKind::Sparse; }
  int64_t inputs() const { return static_cast<int64_t>(definition_.inputs); }
  int64_t units() const { return static_cast<int64_t>(definition_.units); }
  uint64_t connections() const;
  bool hasBias() const { return !bias_.empty(); }
  ForwardForm forwardForm() const;

  // What the kernels of a step work on.
  core::CsrMatrix& matrix() { return matrix_; }
  TransposedForm& transposed() { return transposed_; }
  DenseForm& dense() { return dense_; }
  const std::vector<int64_t>& cuts() const { return cuts_; }
  std::vector<std::vector<float>>& weightState() { return weightState_; }
  std::vector<float>& bias() { return bias_; }
  std::vector<std::vector<float>>& biasState() { return biasState_; }
  std::vector<float>& activationParameters() { return activationParameters_; }  // [parameter][units], or empty
  std::vector<std::vector<float>>& activationState() { return activationState_; }

  // The layer after this evolution; nothing is changed yet.
  Status evolve(const backend::EvolutionSettings& settings, uint64_t seed, EvolvedLayer* evolved,
                core::LayerEvolutionReport* report) const;
  void commit(EvolvedLayer evolved);

  // Code::Diverged where a weight, bias, activation parameter or optimizer state is not finite.
  Status checkFinite() const;
  core::LayerState exportState(bool withOptimizerState) const;

 private:
  // Topology and values in canonical order, and the state of every connection.
  void canonical(core::CsrMatrix* matrix, std::vector<std::vector<float>>* state) const;

  core::LayerDefinition definition_;
  uint32_t index_ = 0;
  int threads_ = 1;
  int stateCount_ = 0;
  core::CsrMatrix matrix_;                       // sparse: the truth; masked: the topology (its values are not kept)
  std::vector<std::vector<float>> weightState_;  // sparse: [stateCount][connections]
  TransposedForm transposed_;                    // sparse, not the first layer
  std::vector<int64_t> cuts_;                    // sparse: of the rows
  DenseForm dense_;                              // masked and dense
  std::vector<float> bias_;
  std::vector<std::vector<float>> biasState_;
  std::vector<float> activationParameters_;
  std::vector<std::vector<float>> activationState_;
};

}  // namespace setnet::cpu
