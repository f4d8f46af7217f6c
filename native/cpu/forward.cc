#include "cpu/forward.h"

#include "cpu/near.h"
#include "cpu/pool/pool.h"

namespace setnet::cpu {

namespace {

// Parts [begin, end) of a packed matrix that are part `part` of `parts`.
Range packedParts(const PackedMatrix& matrix, int part, int parts) {
  return parts == 1 ? Range{0, matrix.parts()} : Range{part, part + 1};
}

}  // namespace

uint64_t ForwardForm::work() const {
  return packed ? packed->count() : static_cast<uint64_t>(inputs) * static_cast<uint64_t>(units);
}

int ForwardForm::partsFor(uint64_t samples, int threads) const {
  const int parts = samples == 1 ? (work() < kSerialSingle ? 1 : threads) : cpu::partsFor(work() * samples, threads);
  return parts == 1 || !packed ? parts : packed->parts();
}

Range ForwardForm::rowsOf(int part, int parts) const {
  if (parts == 1) return {0, units};
  return packed ? packed->rowsOf(part) : evenRange(units, kRowBlock, parts, part);
}

bool activationNeedsInput(int rule) {
  switch (static_cast<rules::Activation>(rule)) {
#define SETNET_ENTRY(Rule)      \
  case rules::Activation::Rule: \
    return rules::Rule::needsInput;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return false;
}

bool activationIsCheap(int rule) {
  switch (static_cast<rules::Activation>(rule)) {
#define SETNET_ENTRY(Rule)      \
  case rules::Activation::Rule: \
    return rules::Rule::isCheap;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return false;
}

void forwardPart(const kernels::KernelTable& kernels, const ForwardForm& form, int part, int parts,
                 const kernels::ConstPanels& x, const kernels::Panels& z, const kernels::Panels& y, int64_t vectors) {
  const bool isLinear = form.activation.rule == static_cast<int>(rules::Activation::Linear);
  if (parts > 1) bringPanelsNear(x, vectors, form.inputs);
  if (form.packed) {
    const bool fused = z.data == y.data && activationIsCheap(form.activation.rule);
    const Range range = packedParts(*form.packed, part, parts);
    for (int64_t p = range.begin; p < range.end; ++p) {
      kernels::SparseProductArgs args = {};
      args.w = viewOf(form, static_cast<int>(p));
      args.start = form.bias;
      args.x = x;
      args.y = z;
      args.vectors = vectors;
      args.activation = fused ? form.activation.rule : -1;
      args.parameters = form.activation.parameters;
      kernels.sparseProduct(args);
      if (fused) continue;
      const Range rows = form.packed->rowsOf(static_cast<int>(p));
      kernels.activation({form.activation.rule, form.activation.parameters, rows.begin, rows.end, z, y, vectors,
                          form.learned, form.units});
    }
    return;
  }
  const Range rows = evenRange(form.units, kRowBlock, parts, part);
  for (int64_t begin = rows.begin; begin < rows.end; begin += kRowBlock) {
    const int64_t end = std::min(rows.end, begin + kRowBlock);
    kernels.denseForward(
        {begin, end, form.inputs, form.dense->weights.data(), form.dense->stride, form.bias, x, z, vectors});
    if (isLinear && z.data == y.data) continue;
    kernels.activation(
        {form.activation.rule, form.activation.parameters, begin, end, z, y, vectors, form.learned, form.units});
  }
}

void forwardBlock(const kernels::KernelTable& kernels, const ForwardForm& form, int64_t block,
                  const kernels::ConstPanels& x, const kernels::Panels& y, int64_t vectors, int threads) {
  const bool last = block + 1 == form.packed->blocks();
  const bool fused = activationIsCheap(form.activation.rule);
  auto run = [&](int part) {
    kernels::SparseProductArgs args = {};
    args.w = form.packed->view(part, block);
    args.start = form.bias;
    args.x = x;
    args.y = y;
    args.vectors = vectors;
    args.activation = fused ? form.activation.rule : -1;
    args.parameters = form.activation.parameters;
    args.continues = block > 0;
    args.unfinished = !last;
    kernels.sparseProduct(args);
  };
  const uint64_t work = form.work() / static_cast<uint64_t>(form.packed->blocks()) * kernels::kLanes * vectors;
  if (partsFor(work, threads) > 1)
    pool::parallel(form.packed->parts(), run);
  else
    for (int part = 0; part < form.packed->parts(); ++part) run(part);
  if (last && !fused)
    kernels.activation(
        {form.activation.rule, form.activation.parameters, 0, form.units, y, y, vectors, form.learned, form.units});
}

bool prefersColumns(const ForwardForm& form, int64_t zeros) {
  // Going by columns costs a load and a store more for each connection: it pays where more than this part is skipped.
  constexpr double kZeros = 0.55;
  return form.columns && static_cast<double>(zeros) > kZeros * static_cast<double>(form.inputs);
}

bool prefersColumns(const ForwardForm& form, const float* x) {
  if (!form.columns) return false;
  int64_t zeros = 0;
  for (int64_t i = 0; i < form.inputs; ++i) zeros += x[i] == 0;
  return prefersColumns(form, zeros);
}

void forwardColumns(const kernels::KernelTable& kernels, const ForwardForm& form, const ColumnsView& columns,
                    const float* x, float* y) {
  kernels.sparseColumns({form.units, columns.columns, columns.pointers, columns.rows, columns.values, form.bias, x, y});
  if (form.activation.rule == static_cast<int>(rules::Activation::Linear)) return;
  kernels.activationVector(
      {form.activation.rule, form.activation.parameters, form.units, y, y, form.learned, form.units});
}

void forwardVector(const kernels::KernelTable& kernels, const ForwardForm& form, int part, int parts, const float* x,
                   float* y) {
  const auto activate = [&](Range rows) {
    if (form.activation.rule == static_cast<int>(rules::Activation::Linear)) return;
    kernels.activationVector({form.activation.rule, form.activation.parameters, rows.end - rows.begin, y + rows.begin,
                              y + rows.begin, form.learned ? form.learned + rows.begin : nullptr, form.units});
  };
  const DenseForm* dense = form.denseSingle ? form.denseSingle : form.dense;
  if (!dense) {
    const PackedMatrix& packed = form.packedSingle ? *form.packedSingle : *form.packed;
    const Range range = packedParts(packed, part, parts);
    for (int64_t p = range.begin; p < range.end; ++p) {
      kernels.sparseVector({packed.view(static_cast<int>(p)), form.bias, x, y});
      activate(packed.rowsOf(static_cast<int>(p)));
    }
    return;
  }
  const Range rows = evenRange(form.units, kernels::kLanes, parts, part);
  if (rows.begin >= rows.end) return;
  kernels.denseVector({rows.begin, rows.end, form.inputs, dense->weights.data(), dense->stride, form.bias, x, y});
  activate(rows);
}

}  // namespace setnet::cpu
