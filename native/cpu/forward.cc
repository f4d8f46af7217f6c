#include "cpu/forward.h"

namespace setnet::cpu {

Range ForwardForm::rows(int parts, int part) const {
  if (parts == 1) return {0, units};
  if (isSparse()) return {cuts[part], cuts[part + 1]};
  return evenRange(units, kRowBlock, parts, part);
}

void forwardRows(const kernels::KernelTable& kernels, const ForwardForm& form, Range rows,
                 const kernels::ConstPanels& x, const kernels::Panels& z, const kernels::Panels& y, int64_t vectors) {
  for (int64_t begin = rows.begin; begin < rows.end; begin += kRowBlock) {
    const int64_t end = std::min(rows.end, begin + kRowBlock);
    if (form.isSparse())
      kernels.sparseProduct({begin, end, form.rowPointers, form.columns, form.values, form.bias, x, z, vectors});
    else
      kernels.denseForward({begin, end, form.inputs, form.weights, form.stride, form.bias, x, z, vectors});
    // Nothing is to be done where y is z already.
    if (form.activation.rule == static_cast<int>(rules::Activation::Linear) && z.data == y.data) continue;
    kernels.activation(
        {form.activation.rule, form.activation.parameters, begin, end, z, y, vectors, form.learned, form.units});
  }
}

}  // namespace setnet::cpu
