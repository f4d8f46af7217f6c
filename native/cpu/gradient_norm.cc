#include "cpu/gradient_norm.h"

#include "cpu/pool/pool.h"

namespace setnet::cpu {
namespace {

double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

// Adds the squares of one part of a packed matrix to its rows' sums.
void addPacked(const PackedMatrix& packed, const float* gradients, int part, double* sums) {
  const kernels::PackedRows rows = packed.view(part);
  const float* g = gradients + packed.firstSlotOf(part);
  const uint32_t* row = rows.rows;
  const uint32_t* steps = rows.steps;
  const uint16_t* lengths = rows.lengths;
  for (int64_t block = 0; block < rows.blocks; ++block) {
    for (int64_t group = 0; group < rows.groups; ++group) {
      const int64_t count = *steps++;
      for (int64_t r = 0; r < kernels::kGroupRows; ++r)
        for (int64_t k = 0; k < lengths[r]; ++k) sums[row[r]] += square(g[kernels::kGroupRows * k + r]);
      row += kernels::kGroupRows;
      lengths += kernels::kGroupRows;
      g += kernels::kGroupRows * count;
    }
  }
}

}  // namespace

Status LayerGradients::reserve(const Layer& layer) {
  bias.resize(layer.hasBias() ? static_cast<size_t>(layer.units()) : 0);
  activation.resize(layer.activationParameterCount());
  return weights.reserve(layer.isSparse() ? layer.packed().columnSlots() : layer.dense().weights.size());
}

double squaredNorm(const Layer& layer, const LayerGradients& gradients, int threads) {
  std::vector<double> sums(static_cast<size_t>(layer.units()), 0.0);
  if (layer.isSparse()) {
    const PackedMatrix& packed = layer.packed();
    const int parts = packed.parts();
    auto add = [&](int part) { addPacked(packed, gradients.weights.data(), part, sums.data()); };
    if (threads > 1)
      pool::parallel(parts, add);
    else
      for (int part = 0; part < parts; ++part) add(part);
  } else {
    const DenseForm& dense = layer.dense();
    for (int64_t u = 0; u < dense.units; ++u)
      for (int64_t i = 0; i < dense.inputs; ++i)
        sums[static_cast<size_t>(u)] += square(gradients.weights[static_cast<size_t>(dense.at(u, i))]);
  }
  double sum = 0;
  for (const double row : sums) sum += row;
  for (const float g : gradients.bias) sum += square(g);
  for (const float g : gradients.activation) sum += square(g);
  return sum;
}

}  // namespace setnet::cpu
