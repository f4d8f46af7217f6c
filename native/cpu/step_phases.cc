// A training step in its phases: the same kernels on the same panels as step.cc, with the loss left to somebody else.
#include <algorithm>
#include <new>
#include <string>

#include "base/flush_subnormals.h"
#include "cpu/engine.h"
#include "cpu/features.h"
#include "cpu/sampled_product.h"

namespace setnet::cpu {

using backend::MatrixView;
using backend::RowSet;

namespace {

Status outOfMemory(const char* doing) { return Status(Code::Memory, std::string("no memory while ") + doing); }

}  // namespace

Status Engine::forwardStep(const RowSet& rows, uint64_t step, Span<float> out) {
  phases_.reset();
  if (rows.count == 0) return Status(Code::Data, "a step needs at least one sample");
  SETNET_TRY(checkRows(rows, layers_.front().definition().inputs));
  const uint64_t units = static_cast<uint64_t>(layers_.back().units());
  if (out.size() != rows.count * units)
    return Status(Code::Shape, "the output has room for " + std::to_string(out.size()) + " numbers; " +
                                   std::to_string(rows.count) + " rows of " + std::to_string(units) + " units need " +
                                   std::to_string(rows.count * units));
  if (rows.matrix.isSparse()) SETNET_TRY(sparseScaling_);
  try {
    FlushSubnormals flush;
    RowSet features = rows;
    SETNET_TRY(numberInputs(&features));
    SETNET_TRY(reserve(static_cast<int64_t>(rows.count)));
    SETNET_TRY(forEachSlice([&](const Slice& slice) {
      SETNET_TRY(forwardSlice(slice, features, step));
      kernels_->unpackRows({layers_.back().units(), of(slice, traces_.back().y), slice.samples,
                            out.data() + static_cast<uint64_t>(slice.firstSample) * units});
      return Status();
    }));
  } catch (const std::bad_alloc&) {
    return outOfMemory("a batch went through a network");
  }
  phases_.onForward(rows.count);
  return Status();
}

Status Engine::backward(const MatrixView& dy, Span<float> dx) {
  SETNET_TRY(phases_.checkBackward(dy.rows));
  Layer& first = layers_.front();
  SETNET_TRY(backend::checkOuterGradient(dy, dx, layers_.back().definition().units, first.definition().inputs));
  phases_.onBackwardBegin();
  try {
    FlushSubnormals flush;
    if (!dx.empty()) {
      PackMemory packing;
      SETNET_TRY(first.prepareInputGradient(&packing));
      SETNET_TRY(outerMemory_.reserve(static_cast<uint64_t>(first.inputs() * width_ * panels_)));
      float* memory = outerMemory_.data();
      dx_ = place(&memory, first.inputs());
    }
    const RowSet rows = {dy, nullptr, 0, dy.rows};
    SETNET_TRY(forEachSlice([&](const Slice& slice) {
      const Status packed =
          packFeatures(*kernels_, core::Scaling(), rows, static_cast<uint64_t>(slice.firstSample),
                       static_cast<uint64_t>(slice.samples), of(slice, traces_.back().dy), slice.alone ? threads_ : 1);
      if (!packed.ok()) return Status(packed.code(), "dy: " + packed.message());
      backwardSlice(slice);
      if (dx.empty()) return Status();
      inputGradient(0, slice);
      kernels_->unpackRows(
          {first.inputs(), of(slice, dx_), slice.samples, dx.data() + slice.firstSample * first.inputs()});
      return Status();
    }));
  } catch (const std::bad_alloc&) {
    return outOfMemory("a gradient went back through a network");
  }
  phases_.onBackward();
  return Status();
}

Status Engine::weightGradient(size_t layer, Span<float> values) {
  SETNET_TRY(phases_.checkGradient());
  try {
    FlushSubnormals flush;
    core::LayerState state;
    SETNET_TRY(layers_[layer].exportState(false, &state));
    if (layers_[layer].definition().kind == core::LayerKind::Dense)
      state.weights = core::fullMatrix(state.weights.rows, state.weights.columns, std::move(state.weights.values));
    if (values.size() != state.weights.count())
      return Status(Code::Shape, "there is room for " + std::to_string(values.size()) + " numbers; the layer has " +
                                     std::to_string(state.weights.count()) + " connections");
    return sampledPanels(*kernels_, state.weights, traces_[layer].gradient, inputsOf(layer), vectors_,
                         formOf(layer).live, threads_, values);
  } catch (const std::bad_alloc&) {
    return outOfMemory("a gradient was summed");
  }
}

Status Engine::finishStep(const rules::OptimizerStep& step) {
  SETNET_TRY(phases_.checkGradient());
  phases_.reset();
  FlushSubnormals flush;
  return update(step);
}

}  // namespace setnet::cpu
