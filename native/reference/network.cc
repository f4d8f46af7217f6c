#include "reference/network.h"

#include <utility>

#include "reference/inputs.h"

namespace setnet::reference {

Network::Network(const core::Model& model, int stateCount) : definition_(model.definition), scaling_(model.scaling) {
  for (size_t l = 0; l < model.layers.size(); ++l)
    layers_.emplace_back(definition_.layers[l], definition_.firstLayer + static_cast<uint32_t>(l), model.layers[l],
                         stateCount);
}

Status Network::read(const backend::RowSet& rows, std::vector<Trace>* traces) const {
  SETNET_TRY(checkRows(rows, definition_.inputs));
  if (rows.matrix.isSparse()) SETNET_TRY(core::checkSparseScaling(scaling_));
  traces->assign(rows.count, Trace());
  for (uint64_t k = 0; k < rows.count; ++k) SETNET_TRY(readInputs(rows.matrix, rows.row(k), scaling_, &(*traces)[k].x));
  return Status();
}

void Network::forward(const uint64_t* step, uint64_t position, Trace* trace) const {
  DropoutKey dropout{definition_.seed, step ? *step : 0, position};
  trace->activities.resize(layers_.size());
  const std::vector<double>* x = &trace->x;
  for (size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].forward(*x, step ? &dropout : nullptr, &trace->activities[l]);
    x = &trace->activities[l].y;
  }
}

void Network::backward(const Trace& trace, std::vector<double> dy, std::vector<LayerGradient>* gradients,
                       std::vector<double>* dx) const {
  std::vector<double> below;
  for (size_t l = layers_.size(); l-- > 0;) {
    const std::vector<double>& x = l == 0 ? trace.x : trace.activities[l - 1].y;
    layers_[l].backward(x, trace.activities[l], dy, &(*gradients)[l], &below);
    dy = below;  // what this layer sees as inputs are the outputs of the one before
  }
  if (dx) *dx = std::move(dy);
}

}  // namespace setnet::reference
