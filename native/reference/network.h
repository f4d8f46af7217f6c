// A whole network in double: its layers one after the other, one sample at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "reference/layer.h"

namespace setnet::reference {

// What one sample made of the whole network.
struct Trace {
  std::vector<double> x;             // scaled inputs
  std::vector<Activity> activities;  // one per layer

  const std::vector<double>& outputs() const { return activities.back().y; }
};

class Network {
 public:
  // The model is valid (core::validateModel) and its scaling known.
  Network(const core::Model& model, int stateCount);

  const core::NetworkDefinition& definition() const { return definition_; }
  uint64_t units() const { return definition_.layers.back().units; }
  std::vector<Layer>& layers() { return layers_; }
  const std::vector<Layer>& layers() const { return layers_; }

  // Reads and scales the rows; traces[k].x for position k of the batch. Code::Shape, Code::Nonfinite.
  Status read(const backend::RowSet& rows, std::vector<Trace>* traces) const;
  // All layers for one sample. step null: inference, without dropout.
  void forward(const uint64_t* step, uint64_t position, Trace* trace) const;
  // Adds one sample's part to the gradients of all layers. dy: dL/d(outputs).
  // `dx`: null, or dL/d(inputs).
  void backward(const Trace& trace, std::vector<double> dy, std::vector<LayerGradient>* gradients,
                std::vector<double>* dx = nullptr) const;

 private:
  core::NetworkDefinition definition_;
  core::Scaling scaling_;
  std::vector<Layer> layers_;
};

}  // namespace setnet::reference
