// The gradients of one step, collected so that their norm is known before anything is updated.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/buffer.h"
#include "cpu/layer.h"

namespace setnet::cpu {

// What one layer's gradients are written into; each lies as the numbers it belongs to.
struct LayerGradients {
  Buffer<float> weights;  // as a packed matrix's slots, or a dense form's weights
  std::vector<float> bias;
  std::vector<float> activation;

  // Makes room for the layer as it is now. Code::Memory.
  Status reserve(const Layer& layer);
};

// The sum of squares of a layer's gradients: of each row's weights one chain in double over ascending columns, the
// rows' sums added in their order, then biases and what activations learn. A cell without a connection adds 0, so that
// a masked layer has the same bits; the number of threads changes nothing.
double squaredNorm(const Layer& layer, const LayerGradients& gradients, int threads);

}  // namespace setnet::cpu
