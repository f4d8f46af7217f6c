// The engine of the CPU backend: one network that trains, layer by layer on activation panels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/buffer.h"
#include "cpu/inference.h"
#include "cpu/layer.h"
#include "kernels/kernel_table.h"

namespace setnet::cpu {

class Engine : public backend::Engine {
 public:
  static Status create(const core::Model& model, const backend::TrainingRules& rules,
                       const backend::EngineOptions& options, std::unique_ptr<backend::Engine>* out);

  Status step(const backend::RowSet& rows, const backend::Targets& targets, const backend::StepSettings& settings,
              backend::StepResult* result) override;
  Status forward(const backend::RowSet& rows, Span<float> out) override;
  Status evolve(const backend::EvolutionSettings& settings, std::vector<core::LayerEvolutionReport>* reports) override;
  Status checkFinite() const override;
  Status exportLayers(core::Model* model, bool withOptimizerState) const override;

 private:
  // What forward leaves behind for backward, one per layer.
  struct Trace {
    kernels::Panels z;  // is y where the activation does not need its input
    kernels::Panels y;
    Buffer<uint16_t> kept;  // dropout's decisions, [unit][vectors]
    bool needsInput = false;
  };

  Status reserve(int64_t samples);
  kernels::Panels place(float** memory, int64_t features) const;
  const kernels::Panels& inputsOf(size_t layer) const { return layer == 0 ? x_ : traces_[layer - 1].y; }
  void forwardLayer(size_t layer, uint64_t step);
  void computeLoss(const backend::Targets& targets, backend::StepResult* result);
  void activationUpdate(size_t layer, const kernels::Panels& gradient, Range units);
  void activationGradient(size_t layer, const kernels::Panels& gradient, Range units);
  void inputGradient(size_t layer, const kernels::Panels& from, const kernels::Panels& to);
  void makeTiles(size_t layer, const kernels::Panels& gradient);
  void update(size_t layer, const kernels::Panels& gradient);
  int partsOf(size_t layer) const;

  const kernels::KernelTable* kernels_ = nullptr;
  backend::TrainingRules rules_;
  core::Scaling scaling_;
  uint64_t seed_ = 0;
  int threads_ = 1;
  std::vector<Layer> layers_;

  // Of the running step.
  int64_t samples_ = 0, vectors_ = 0, width_ = 32, panels_ = 0;
  int64_t tileStride_ = 0;
  float weightCoefficients_[rules::kMaxCoefficients];
  float biasCoefficients_[rules::kMaxCoefficients];
  kernels::Panels x_;
  kernels::Panels gradients_[2];
  std::vector<Trace> traces_;
  Buffer<float> memory_;  // all panels
  Buffer<float> inputTiles_, gradientTiles_;
  std::vector<Buffer<float>> scratch_;  // per part
  Buffer<float> terms_;
  Buffer<uint32_t> predicted_;

  WorkspacePool workspaces_;
  std::vector<ForwardForm> forms_;
};

}  // namespace setnet::cpu
