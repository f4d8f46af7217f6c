// Updates whose gradients are looked at as a whole before they are used.
#include "cpu/engine.h"
#include "cpu/pool/pool.h"

namespace setnet::cpu {

namespace {

// With a learning rate, momentum and weight decay of 0 the velocity becomes the gradient, and the number stays.
constexpr float kCollect[rules::kMaxCoefficients] = {};

}  // namespace

kernels::OptimizerChoice Engine::optimizerOf(bool isBias) const {
  if (collects_) return {static_cast<int>(rules::Optimizer::Sgd), kCollect};
  return {rules_.optimizer.rule, isBias ? biasCoefficients_ : weightCoefficients_};
}

Status Engine::update(const rules::OptimizerStep& step) {
  rules::prepareOptimizer(rules_.optimizer, step, false, weightCoefficients_);
  rules::prepareOptimizer(rules_.optimizer, step, true, biasCoefficients_);
  if (rules_.clipNorm <= 0) {
    updateNumbers();
    return Status();
  }
  gradients_.resize(layers_.size());
  for (size_t l = 0; l < layers_.size(); ++l) SETNET_TRY(gradients_[l].reserve(layers_[l]));
  collects_ = true;
  updateNumbers();
  collects_ = false;
  double sum = 0;
  for (size_t l = 0; l < layers_.size(); ++l) sum += squaredNorm(layers_[l], gradients_[l], threads_);
  const float scale = backend::clipScale(sum, rules_.clipNorm);
  for (size_t l = 0; l < layers_.size(); ++l) applyGradients(l, scale);
  return Status();
}

void Engine::applyGradients(size_t layer, float scale) {
  Layer& l = layers_[layer];
  const LayerGradients& gradients = gradients_[layer];
  const int states = rules::stateCountOf(rules_.optimizer.rule);
  const auto apply = [&](float* values, const float* gradient, int64_t count, bool isBias, const auto& stateOf) {
    kernels::ScaledUpdateArgs args = {};
    args.count = count;
    args.values = values;
    args.gradient = gradient;
    args.scale = scale;
    for (int i = 0; i < states; ++i) args.state[i] = stateOf(i);
    args.optimizer = optimizerOf(isBias);
    kernels_->scaledUpdate(args);
  };
  if (l.isSparse()) {
    PackedMatrix& packed = l.packed();
    pool::parallel(packed.parts(), [&](int part) {
      const kernels::PackedRows rows = packed.view(part);
      apply(rows.values, gradients.weights.data() + packed.firstSlotOf(part), rows.slots, false,
            [&](int i) { return packed.companion(part, i); });
    });
    if (l.hasTransposed())
      pool::parallel(l.transposed().parts(), [&](int part) { kernels_->gather(l.transposed().refresh(packed, part)); });
  } else {
    DenseForm& dense = l.dense();
    apply(dense.weights.data(), gradients.weights.data(), static_cast<int64_t>(dense.weights.size()), false,
          [&](int i) { return dense.state[i].data(); });
  }
  apply(l.bias().data(), gradients.bias.data(), static_cast<int64_t>(gradients.bias.size()), true,
        [&](int i) { return l.biasState()[static_cast<size_t>(i)].data(); });
  apply(l.activationParameters().data(), gradients.activation.data(), static_cast<int64_t>(gradients.activation.size()),
        true, [&](int i) { return l.activationState()[static_cast<size_t>(i)].data(); });
}

}  // namespace setnet::cpu
