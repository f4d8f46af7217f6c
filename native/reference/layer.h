// One layer in double: every kind of layer is a list of cells of the weight matrix with a weight and a mask each. A
// sparse layer lists the connections that exist; a masked and a dense layer list all cells. What a masked layer is, it
// says by its mask: the gradient is multiplied by it, and weights outside are 0.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "reference/rules.h"

namespace setnet::reference {

struct Cell {
  uint64_t output;
  uint64_t input;
};

// What one sample made of a layer; each array holds one number per unit.
struct Activity {
  std::vector<double> z;        // pre-activations
  std::vector<double> dropout;  // the factor of each output: 0 where it is dropped, 1 without dropout
  std::vector<double> y;        // outputs, after dropout
};

// Sums over the samples of a batch.
struct LayerGradient {
  std::vector<double> weights;     // one per cell of the list
  std::vector<double> bias;        // one per unit, or empty
  std::vector<double> activation;  // [parameter][units], or empty
};

// Which dropout decisions: those of training step `step`, for the sample at `position` of the batch.
struct DropoutKey {
  uint64_t seed = 0;
  uint64_t step = 0;
  uint64_t position = 0;
};

class Layer {
 public:
  // `index` counts layers from 0. Optimizer state is taken over where `state` has `stateCount` buffers.
  Layer(const core::LayerDefinition& definition, uint32_t index, const core::LayerState& state, int stateCount);

  const core::LayerDefinition& definition() const { return definition_; }
  // What unit `unit` computes its activation with.
  ActivationNumbers activationNumbers(uint64_t unit) const {
    return {definition_.activation, activationParameters_, definition_.units, unit};
  }

  // dropout null: inference.
  void forward(const std::vector<double>& x, const DropoutKey* dropout, Activity* activity) const;
  // Adds this sample's part to the gradient and writes dL/dx. dy: dL/d(outputs after dropout).
  void backward(const std::vector<double>& x, const Activity& activity, const std::vector<double>& dy,
                LayerGradient* gradient, std::vector<double>* dx) const;
  LayerGradient zeroGradient() const;
  // One number per connection in canonical order.
  std::vector<float> weightGradient(const LayerGradient& gradient) const {
    return connections(gradient.weights).values;
  }
  void update(const rules::RuleChoice& optimizer, const rules::OptimizerStep& step, const LayerGradient& gradient);

  // The layer, number `position` of its network's, after prune and grow (`after`), or the same one where it does not
  // evolve.
  Status evolve(const backend::EvolutionSettings& settings, size_t position, uint64_t seed, Layer* after,
                core::LayerEvolutionReport* report) const;
  // Optimizer state as at the beginning: all 0.
  void resetState();
  // Code::Diverged where a weight, bias, activation parameter or state is not finite as f32.
  Status checkFinite() const;
  core::LayerState exportState(bool withOptimizerState) const;

 private:
  void place(const core::CsrMatrix& matrix);
  core::CsrMatrix connections(const std::vector<double>& values) const;

  core::LayerDefinition definition_;
  uint32_t index_;
  std::vector<Cell> cells_;                           // ascending by output, then input
  std::vector<double> mask_;                          // per cell: 1 where the connection exists
  std::vector<uint64_t> connections_;                 // the cells (as indices of cells_) that exist, ascending
  std::vector<double> weights_;                       // per cell
  std::vector<double> bias_;                          // per unit, or empty
  std::vector<std::vector<double>> weightState_;      // [stateCount][cells]
  std::vector<std::vector<double>> biasState_;        // [stateCount][units], or of empty arrays
  std::vector<double> activationParameters_;          // [parameter][units], or empty
  std::vector<std::vector<double>> activationState_;  // [stateCount], as activationParameters_
};

}  // namespace setnet::reference
