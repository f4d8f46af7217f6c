// One layer's forward pass over panels, for whoever holds the weights: the engine that trains them or a predictor.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"
#include "cpu/partition.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

// Rows that are computed before their activation is applied: what they hold lies in the first-level cache then. A
// multiple of the rows of every register tile.
constexpr int64_t kRowBlock = 48;

// Where a layer's weights lie.
struct ForwardForm {
  int64_t inputs = 0;
  int64_t units = 0;
  // Sparse: a CSR matrix, and the bounds of its parts (partition.h).
  const uint64_t* rowPointers = nullptr;
  const uint32_t* columns = nullptr;
  const float* values = nullptr;
  const int64_t* cuts = nullptr;
  // Masked and dense: [units][stride].
  const float* weights = nullptr;
  int64_t stride = 0;

  const float* bias = nullptr;     // or null
  const float* learned = nullptr;  // LayerState::activationParameters, or null
  rules::RuleChoice activation;

  bool isSparse() const { return weights == nullptr; }
  uint64_t connections() const {
    return isSparse() ? rowPointers[units] : static_cast<uint64_t>(inputs) * static_cast<uint64_t>(units);
  }
  // The rows of one of `parts` parts (1, or as many as it was cut for).
  Range rows(int parts, int part) const;
};

// z = W x + b and y = f(z) for rows [rows.begin, rows.end); z and y may be the same panels.
void forwardRows(const kernels::KernelTable& kernels, const ForwardForm& form, Range rows,
                 const kernels::ConstPanels& x, const kernels::Panels& z, const kernels::Panels& y, int64_t vectors);

}  // namespace setnet::cpu
