// One layer that trains: its weights in the form its kind is computed in, its optimizer state, its topology.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "cpu/canonical.h"
#include "cpu/dense_form.h"
#include "cpu/forward.h"
#include "cpu/packed_matrix.h"

namespace setnet::cpu {

// A layer after prune and grow, before anything is committed.
struct EvolvedLayer {
  bool changed = false;
  CanonicalLayer sparse;   // its first `connections` connections
  core::CsrMatrix masked;  // topology and values, and their state
  std::vector<std::vector<float>> maskedState;
  uint64_t connections = 0;
};

// Memory of evolutions, kept for the next one.
struct EvolutionBuffers {
  PackMemory packing;
  CanonicalLayer before;
  core::EvolutionMemory memory;
  std::vector<EvolvedLayer> layers;

  uint64_t bytes() const;
};

class Layer {
 public:
  // `index` counts from 0. `hasInputGradient`: a first layer needs none, or asks for it later. Optimizer state is taken
  // over where `state` has `stateCount` buffers. Code::Memory.
  Status create(const core::LayerDefinition& definition, uint32_t index, bool hasInputGradient,
                const core::LayerState& state, int stateCount, int threads, PackMemory* memory);
  // From now on there is what the gradient of the inputs needs. Code::Memory.
  Status prepareInputGradient(PackMemory* memory);

  const core::LayerDefinition& definition() const { return definition_; }
  uint32_t index() const { return index_; }
  bool isSparse() const { return definition_.kind == core::LayerKind::Sparse; }
  // A transposed form, whose values follow those of the other one.
  bool hasTransposed() const { return hasTransposed_; }
  int64_t inputs() const { return static_cast<int64_t>(definition_.inputs); }
  int64_t units() const { return static_cast<int64_t>(definition_.units); }
  uint64_t connections() const;
  bool hasBias() const { return !bias_.empty(); }
  ForwardForm forwardForm() const;

  // What the kernels of a step work on.
  PackedMatrix& packed() { return packed_; }
  PackedMatrix& transposed() { return transposed_; }
  DenseForm& dense() { return dense_; }
  const PackedMatrix& packed() const { return packed_; }
  const DenseForm& dense() const { return dense_; }
  size_t activationParameterCount() const { return activationParameters_.size(); }
  std::vector<float>& bias() { return bias_; }
  std::vector<std::vector<float>>& biasState() { return biasState_; }
  bool learns() const { return !activationParameters_.empty(); }
  const float* learned() const { return learns() ? activationParameters_.data() : nullptr; }
  std::vector<float>& activationParameters() { return activationParameters_; }  // [parameter][units], or empty
  std::vector<std::vector<float>>& activationState() { return activationState_; }

  // The layer, which is number `position` of its engine's, after this evolution; nothing is changed yet.
  Status evolve(const backend::EvolutionSettings& settings, size_t position, uint64_t seed, EvolutionBuffers* buffers,
                EvolvedLayer* evolved, core::LayerEvolutionReport* report) const;
  // Code::Memory: then the layer is not to be used any more.
  Status commit(EvolvedLayer* evolved, PackMemory* memory);

  // Optimizer state as at the beginning: all 0.
  void resetState();

  // Code::Diverged where a weight, bias, activation parameter or optimizer state is not finite.
  Status checkFinite() const;
  Status exportState(bool withOptimizerState, core::LayerState* out) const;
  uint64_t bytes() const;

 private:
#ifndef NDEBUG
  Status checkEvolved(const backend::EvolutionSettings& settings, const core::LayerEvolutionInput& input,
                      const CanonicalLayer& before, const EvolvedLayer& evolved) const;
#endif
  Status packSparse(const CsrView& matrix, const float* const* state, PackMemory* memory);
  Status packTransposed(const CsrView& matrix, PackMemory* memory);
  void scatterMasked(const core::CsrMatrix& matrix, const std::vector<std::vector<float>>& state);
  // Topology and values in canonical order, and the state of every connection.
  Status canonical(core::CsrMatrix* matrix, std::vector<std::vector<float>>* state, PackMemory* memory) const;

  core::LayerDefinition definition_;
  uint32_t index_ = 0;
  int threads_ = 1;
  int stateCount_ = 0;
  PackedMatrix packed_;  // sparse: weights and their state
  bool hasTransposed_ = false;
  PackedMatrix transposed_;  // sparse: for the gradient of the inputs
  DenseForm dense_;          // masked and dense
  core::CsrMatrix mask_;     // masked: the topology (its values are not kept)
  std::vector<float> bias_;
  std::vector<std::vector<float>> biasState_;
  std::vector<float> activationParameters_;
  std::vector<std::vector<float>> activationState_;
};

}  // namespace setnet::cpu
