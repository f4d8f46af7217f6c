#include "cpu/predictor.h"

#include <new>
#include <utility>

#include "kernels/dispatch.h"

namespace setnet::cpu {

Status Predictor::create(Ref<const core::Model> model, const backend::EngineOptions& options,
                         Ref<backend::Predictor>* out) {
  const kernels::KernelTable* kernels = nullptr;
  SETNET_TRY(kernels::active(&kernels));
  try {
    Predictor* predictor = new Predictor;
    const Ref<backend::Predictor> owner(predictor);
    predictor->model_ = model;
    predictor->kernels_ = kernels;
    predictor->threads_ = options.threads < 1 ? 1 : options.threads;
    const size_t count = model->layers.size();
    predictor->dense_.resize(count);
    predictor->cuts_.resize(count);
    for (size_t l = 0; l < count; ++l) {
      const core::LayerDefinition& definition = model->definition.layers[l];
      const core::LayerState& state = model->layers[l];
      DenseForm& dense = predictor->dense_[l];
      ForwardForm form;
      form.inputs = static_cast<int64_t>(definition.inputs);
      form.units = static_cast<int64_t>(definition.units);
      form.bias = state.bias.empty() ? nullptr : state.bias.data();
      form.activation = definition.activation;
      form.learned = state.activationParameters.empty() ? nullptr : state.activationParameters.data();
      if (definition.kind == core::LayerKind::Sparse) {
        predictor->cuts_[l] = cutRows(state.weights.rowPointers, predictor->threads_);
        form.rowPointers = state.weights.rowPointers.data();
        form.columns = state.weights.columnIndices.data();
        form.values = state.weights.values.data();
        form.cuts = predictor->cuts_[l].data();
      } else {
        SETNET_TRY(dense.allocate(definition.units, definition.inputs, 0, false));
        if (definition.kind == core::LayerKind::Masked)
          dense.scatter(state.weights, {});
        else
          dense.setWeights(state.weights.values);
        form.weights = dense.weights.data();
        form.stride = dense.stride;
      }
      predictor->layers_.push_back(form);
    }
    *out = owner;
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "no memory while a predictor was made");
  }
  return Status();
}

Status Predictor::predict(const backend::RowSet& rows, backend::Output output, Span<float> out) const {
  int loss = -1;
  if (output == backend::Output::Probabilities)
    loss = model_->loss >= 0 ? model_->loss : static_cast<int>(rules::Loss::SoftmaxCrossEntropy);
  return infer({kernels_, &model_->scaling, &layers_, threads_}, &workspaces_, rows, loss, out);
}

}  // namespace setnet::cpu
