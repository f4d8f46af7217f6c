// One layer's forward pass over panels, for whoever holds the weights: the engine that trains them or a predictor.
#pragma once

#include <cstdint>

#include "core/model.h"
#include "cpu/column_form.h"
#include "cpu/dense_form.h"
#include "cpu/packed_matrix.h"
#include "cpu/partition.h"
#include "cpu/sparse_features.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

// From here on a panel of all inputs is 2 MB and more: too much to make where it can be done without.
constexpr int64_t kManyInputs = 16384;

// Rows of a dense product that are computed before their activation is applied: what they hold lies in the first-level
// cache then. A multiple of the rows of every register tile.
constexpr int64_t kRowBlock = 48;

// Where a layer's weights lie, and what becomes of its sums.
struct ForwardForm {
  int64_t inputs = 0;
  int64_t units = 0;
  const PackedMatrix* packed = nullptr;  // or
  const DenseForm* dense = nullptr;
  // Beside the packed one for single samples, each or null: where many inputs are 0; else the first of the others.
  const ColumnForm* columns = nullptr;
  const DenseForm* denseSingle = nullptr;
  const PackedMatrix* packedSingle = nullptr;  // of the same parts
  const LiveInputs* live = nullptr;            // x holds these alone
  const float* bias = nullptr;                 // or null
  const float* learned = nullptr;              // LayerState::activationParameters, or null
  rules::RuleChoice activation;

  // Multiply-adds for one sample.
  uint64_t work() const;
  // The rows of part `part` of `parts`.
  Range rowsOf(int part, int parts) const;
  // Into how many parts a job of `samples` samples is cut.
  int partsFor(uint64_t samples, int threads) const;
};

// What the kernels of training walk: part `part` of a packed form.
inline kernels::PackedRows viewOf(const ForwardForm& form, int part) {
  return form.live ? form.live->view(*form.packed, part) : form.packed->view(part);
}

// Properties of an activation (rules/activations.h).
bool activationNeedsInput(int rule);
bool activationIsCheap(int rule);

// z = W x + b and y = f(z), part `part` of `parts` (1, or form.partsFor); z and y may be the same panels.
void forwardPart(const kernels::KernelTable& kernels, const ForwardForm& form, int part, int parts,
                 const kernels::ConstPanels& x, const kernels::Panels& z, const kernels::Panels& y, int64_t vectors);

// Block `block` of the columns of a packed layer, for all of its rows; x holds the inputs of that block alone. After
// the last one y is as forwardPart would make it. `threads`: for its parts.
void forwardBlock(const kernels::KernelTable& kernels, const ForwardForm& form, int64_t block,
                  const kernels::ConstPanels& x, const kernels::Panels& y, int64_t vectors, int threads);

// Whether the column form is the quicker one for this sample, or for one with so many zeros.
bool prefersColumns(const ForwardForm& form, int64_t zeros);
bool prefersColumns(const ForwardForm& form, const float* x);
// All of the layer by columns: form.columns, or some of them where all other inputs are 0; x holds one number for each.
void forwardColumns(const kernels::KernelTable& kernels, const ForwardForm& form, const ColumnsView& columns,
                    const float* x, float* y);

// The same for a single sample: x and y hold one number per feature and unit, and are readable and writable up to the
// next multiple of 16.
void forwardVector(const kernels::KernelTable& kernels, const ForwardForm& form, int part, int parts, const float* x,
                   float* y);

}  // namespace setnet::cpu
