// The engine of the CPU backend: one network that trains, layer by layer on activation panels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/step_phases.h"
#include "cpu/buffer.h"
#include "cpu/gradient_norm.h"
#include "cpu/inference.h"
#include "cpu/layer.h"
#include "cpu/partition.h"
#include "cpu/pool/pool.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

class Engine : public backend::Engine {
 public:
  static Status create(const core::Model& model, const backend::TrainingRules& rules,
                       const backend::EngineOptions& options, std::unique_ptr<backend::Engine>* out);

  Status step(const backend::RowSet& rows, const backend::Targets& targets, const backend::StepSettings& settings,
              backend::StepResult* result) override;
  Status forwardStep(const backend::RowSet& rows, uint64_t step, Span<float> out) override;
  Status backward(const backend::MatrixView& dy, Span<float> dx) override;
  Status weightGradient(size_t layer, Span<float> values) override;
  Status finishStep(const rules::OptimizerStep& step) override;
  Status forward(const backend::RowSet& rows, Span<float> out) override;
  Status evolve(const backend::EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) override;
  Status checkFinite() const override;
  Status exportLayers(core::Model* model, bool withOptimizerState) const override;
  uint64_t bytes() const override;

 private:
  // What forward leaves behind for backward, one per layer.
  struct Trace {
    kernels::Panels z;  // is y where the activation does not need its input
    kernels::Panels y;
    kernels::Panels dy;        // dL/dy; the same as `gradient` where the activation learns nothing
    kernels::Panels gradient;  // dL/dz
    Buffer<uint16_t> kept;     // dropout's decisions, [unit][vectors]
    bool needsInput = false;
  };

  // Panels that go through the network together, layer by layer: one, so that activations stay in a near cache; more
  // where a large dense matrix would have to be read for each of them.
  struct Slice {
    int64_t firstPanel, firstSample;
    int64_t samples, vectors;
    bool alone;  // the step has no other: then each layer is cut for threads
    float* scratch;
  };

  // How the first layer sees these rows: inputFeatures_, and live_ where most inputs are left out. Rows that are nearly
  // all 0 become rows of a sparse matrix.
  Status numberInputs(backend::RowSet* rows);
  Status reserve(int64_t samples);
  Slice sliceAt(int64_t index) const;
  kernels::Panels place(float** memory, int64_t features) const;
  kernels::Panels of(const Slice& slice, const kernels::Panels& panels) const;
  const kernels::Panels& inputsOf(size_t layer) const { return layer == 0 ? x_ : traces_[layer - 1].y; }
  ForwardForm formOf(size_t layer) const;
  int partsOf(size_t layer, const Slice& slice) const;

  // run(slice) for all slices, several at once. The failure of the first that failed.
  template <class Run>
  Status forEachSlice(const Run& run);
  Status forwardSlice(const Slice& slice, const backend::RowSet& rows, uint64_t step);
  // From the gradient by the outputs, which lies in the last trace's dy, to that of all activations.
  void backwardSlice(const Slice& slice);
  void forwardLayer(size_t layer, const Slice& slice, uint64_t step);
  void dropOut(size_t layer, const Slice& slice, Range units, uint64_t step);
  Status computeLoss(const Slice& slice, const backend::Targets& targets);
  void activationGradient(size_t layer, const Slice& slice, Range units);
  // dL/dz of the layer below, or of the first layer dL/dx.
  void inputGradient(size_t layer, const Slice& slice);
  void sumLoss(const backend::Targets& targets, backend::StepResult* result) const;

  // Where an update of some numbers finds their state, and by which rule: the optimizer's, or (while gradients are
  // collected) one that leaves the numbers and writes their gradients where the state of momentum would be.
  kernels::OptimizerChoice optimizerOf(bool isBias) const;
  template <class OwnState>
  void setState(float* collected, const OwnState& ownState, float** state) const;
  // The update of all weights, once the gradients of all samples are there.
  Status update(const rules::OptimizerStep& step);
  void updateNumbers();
  // All numbers of a layer, from their collected gradients.
  void applyGradients(size_t layer, float scale);
  void updateDense(size_t layer);
  int denseParts(size_t layer) const;
  void updateBias(size_t layer, Range units);
  void updateActivation(size_t layer, Range units);

  const kernels::KernelTable* kernels_ = nullptr;
  backend::TrainingRules rules_;
  core::Scaling scaling_;
  Status sparseScaling_;  // core::checkSparseScaling
  uint64_t seed_ = 0;
  int threads_ = 1;
  std::vector<Layer> layers_;

  // Of the running step.
  int64_t samples_ = 0, vectors_ = 0, width_ = 32, panels_ = 0;
  int64_t tileStride_ = 0;
  float weightCoefficients_[rules::kMaxCoefficients];
  float biasCoefficients_[rules::kMaxCoefficients];
  kernels::Panels x_;
  int64_t inputFeatures_ = 0;  // rows of its panels: all inputs, or live_'s
  bool isLive_ = false;
  LiveInputs live_;
  DenseNonzeros nonzeros_;
  int denseSteps_ = 0;  // that need not be tried: the last one that was had too many inputs
  int64_t slicePanels_ = 1, slices_ = 1;
  std::vector<Trace> traces_;
  bool collects_ = false;
  std::vector<LayerGradients> gradients_;  // where gradients are clipped
  kernels::Panels dx_;                     // of a step in phases
  Buffer<float> outerMemory_;              // dx_
  backend::StepPhases phases_;
  Buffer<float> inputMemory_;  // x_
  Buffer<float> memory_;       // all other panels
  Buffer<float> inputTiles_, gradientTiles_;
  std::vector<Buffer<float>> scratch_;  // per thread's share of the slices, or part of a layer
  std::vector<Status> failures_;        // per share
  // Parts of sparse layers, or all dense layers that are too small to be cut.
  static constexpr size_t kSmallDense = ~size_t{0};
  struct Item {
    size_t layer;
    int part;
  };
  std::vector<Item> updates_, refreshes_;
  Buffer<float> terms_;
  Buffer<uint32_t> predicted_;

  EvolutionBuffers evolution_;
  WorkspacePool workspaces_;
  std::vector<ForwardForm> forms_;
  // More shares of the slices than threads, so that one that is held up elsewhere leaves work to the others.
  static constexpr int kSharesPerThread = 4;
};

template <class Run>
Status Engine::forEachSlice(const Run& run) {
  uint64_t work = 0;
  for (const Layer& layer : layers_) work += layer.forwardForm().work() * static_cast<uint64_t>(samples_);
  const int shares =
      partsFor(work, threads_) == 1
          ? 1
          : static_cast<int>(std::min<int64_t>(slices_, static_cast<int64_t>(kSharesPerThread) * threads_));
  pool::parallel(shares, [&](int share) {
    failures_[share] = Status();
    const int64_t end = slices_ * (share + 1) / shares;
    for (int64_t s = slices_ * share / shares; s < end && failures_[share].ok(); ++s) {
      Slice slice = sliceAt(s);
      slice.scratch = scratch_[share].data();
      failures_[share] = run(slice);
    }
  });
  for (int share = 0; share < shares; ++share) SETNET_TRY(failures_[share]);
  return Status();
}

}  // namespace setnet::cpu
