#include "cpu/backend.h"

#include "cpu/engine.h"
#include "cpu/predictor.h"
#include "cpu/sampled_product.h"

namespace setnet::cpu {
namespace {

class CpuBackend : public backend::Backend {
 public:
  const char* name() const override { return "cpu"; }
  Status createEngine(const core::Model& model, const backend::TrainingRules& rules,
                      const backend::EngineOptions& options, std::unique_ptr<backend::Engine>* out) const override {
    return Engine::create(model, rules, options, out);
  }
  Status createPredictor(Ref<const core::Model> model, const backend::PredictorOptions& options,
                         Ref<backend::Predictor>* out) const override {
    return Predictor::create(std::move(model), options, out);
  }
  Status sampledProduct(const core::CsrMatrix& topology, const backend::MatrixView& a, const backend::MatrixView& b,
                        int threads, Span<float> values) const override {
    return cpu::sampledProduct(topology, a, b, threads, values);
  }
};

}  // namespace

const backend::Backend& backend() {
  // Never destroyed: threads of a process that exits in mid-work must not find it gone.
  static const CpuBackend& instance = *new CpuBackend;
  return instance;
}

}  // namespace setnet::cpu
