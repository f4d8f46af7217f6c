#include "binding/sparse_layer.h"

#include <utility>
#include <vector>

#include "base/memory.h"
#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/csr_matrix.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/options.h"
#include "binding/wrapped.h"
#include "cpu/backend.h"

namespace setnet::binding {

namespace {

constexpr double kMostLayerIndex = 65535;
constexpr double kLargestFloat = 3.402823466385288e38;

// Code::Memory where a batch of this size could never be held: its inputs, and what a layer keeps of its units.
void requireBatchMemory(Napi::Env env, uint64_t rows, const core::LayerDefinition& layer) {
  constexpr uint64_t kPerUnit = 4;  // pre-activations, outputs, and the gradients by both
  const uint64_t numbers = saturatedSum(layer.inputs, saturatedProduct(kPerUnit, layer.units));
  requireMemory(env, saturatedProduct(saturatedProduct(rows, numbers), sizeof(float)));
}

}  // namespace

void SparseLayer::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<SparseLayer>;
  W::define(env, addon,
            {W::method<info>(addon, "info"), W::method<forward>(addon, "forward"),
             W::method<backward>(addon, "backward"), W::method<step>(addon, "step"), W::method<evolve>(addon, "evolve"),
             W::method<weightGradient>(addon, "weightGradient"), W::method<weights>(addon, "weights"),
             W::method<bias>(addon, "bias"), W::method<activationParameters>(addon, "activationParameters"),
             W::method<state>(addon, "state"), W::method<dispose>(addon, "dispose")});
}

// (spec, given, { optimizer, index })
Napi::Value SparseLayer::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NetworkSpec spec = parseNetworkSpec(info[0], ScalingSource::Spec);
  parseGivenLayers(info[1], &spec);
  const Napi::Object options = requireObject(info[2], "options");
  backend::TrainingRules rules;
  rules.optimizer = requireRule(options.Get("optimizer"), "optimizer", all(rules::kOptimizers));
  spec.definition.firstLayer = static_cast<uint32_t>(requireWhole(options.Get("index"), "index", 0, kMostLayerIndex));
  if (spec.definition.layers.size() != 1 || spec.definition.layers[0].kind != core::LayerKind::Sparse ||
      spec.scaling.kind != core::Scaling::Kind::None)
    fail(env, Code::Option, "a layer by itself is one sparse layer without scaling");
  Ref<core::Model> model;
  check(env, createModel(spec, &model));
  std::unique_ptr<backend::Engine> engine;
  check(env, cpu::backend().createEngine(*model, rules, {spec.threads}, &engine));
  const Ref<SparseLayer> layer(
      new SparseLayer(std::move(engine), spec.definition.layers[0], rules.optimizer.rule, core::connectionsOf(*model)));
  const Napi::Object made = Wrapped<SparseLayer>::make(env, addonOf(info), layer);
  layer->account(env);
  return made;
}

void SparseLayer::account(Napi::Env env) {
  const int64_t bytes = engine_ ? static_cast<int64_t>(engine_->bytes()) : 0;
  adjustExternalMemory(env, bytes - accounted_);
  accounted_ = bytes;
}

void SparseLayer::onFinalise(Napi::Env env) {
  engine_ = nullptr;
  account(env);
}

backend::Engine& SparseLayer::requireEngine(Napi::Env env) const {
  if (!engine_)
    fail(env, Code::State,
         isLost_ ? "this layer was lost when memory ended during an evolution" : "this layer has been disposed");
  return *engine_;
}

Ref<core::Model> SparseLayer::exported(Napi::Env env, bool withOptimizerState) const {
  Ref<core::Model> model(new core::Model);
  check(env, requireEngine(env).exportLayers(model.get(), withOptimizerState));
  return model;
}

Napi::Value SparseLayer::info(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object object = Napi::Object::New(env);
  object.Set("connections", countToJs(env, self.connections_));
  object.Set("evolved", core::isEvolved(self.definition_));
  object.Set("steps", countToJs(env, self.steps_));
  object.Set("evolutions", countToJs(env, self.evolutions_));
  return object;
}

// (x, training, out). No JavaScript runs from the first pointer on, so that the memory stays as it is.
Napi::Value SparseLayer::forward(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::Engine& engine = self.requireEngine(env);
  const bool training = requireBoolean(info[1], "training");
  Ref<const CsrMatrix> matrix;
  const backend::MatrixView x = requireRows(info[0], "x", self.definition_.inputs, &matrix);
  const Span<float> out =
      requireFloats(info[2], "out", requireProduct(env, x.rows, self.definition_.units, "the outputs"));
  refuseOverlap(env, x, "x", out);
  const backend::RowSet rows = {x, nullptr, 0, x.rows};
  if (training) {
    requireBatchMemory(env, x.rows, self.definition_);
    check(env, engine.forwardStep(rows, self.steps_, out));
    self.account(env);
  } else if (x.rows > 0) {
    check(env, engine.forward(rows, out));
  }
  return env.Undefined();
}

// (dy, out), out undefined where nobody wants the gradient of the inputs.
Napi::Value SparseLayer::backward(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::Engine& engine = self.requireEngine(env);
  const backend::MatrixView dy = requireRows(info[0], "dy", self.definition_.units, nullptr);
  Span<float> out;
  if (!isAbsent(info[1])) {
    out = requireFloats(info[1], "out", requireProduct(env, dy.rows, self.definition_.inputs, "the input gradient"));
    refuseOverlap(env, dy, "dy", out);
  }
  check(env, engine.backward(dy, out));
  self.account(env);
  return env.Undefined();
}

Napi::Value SparseLayer::step(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::Engine& engine = self.requireEngine(env);
  const float learningRate = static_cast<float>(requireInRange(info[0], "learningRate", 0, kLargestFloat));
  check(env, engine.finishStep({learningRate, self.steps_ - self.stepsBefore_ + 1}));
  self.steps_ += 1;
  return env.Undefined();
}

// (evolution, growBack)
Napi::Value SparseLayer::evolve(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::EvolutionSettings settings =
      parseEvolutionByHand(requireObject(info[0], "evolution"), requireBoolean(info[1], "growBack"));
  // Reading the options may have run the caller's code.
  backend::Engine& engine = self.requireEngine(env);
  settings.evolution = self.evolutions_ + 1;
  std::vector<core::LayerEvolutionReport> reports;
  const Status status = engine.evolve(settings, &reports);
  if (status.code() == Code::Memory) {
    self.engine_ = nullptr;
    self.isLost_ = true;
  }
  self.account(env);
  check(env, status);
  self.evolutions_ += 1;
  if (settings.rules.resetState) self.stepsBefore_ = self.steps_;
  self.connections_ = reports[0].connections;
  return layerEvolutionToJs(env, reports[0]);
}

Napi::Value SparseLayer::weightGradient(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::Engine& engine = self.requireEngine(env);
  std::vector<float> values(self.connections_);
  check(env, engine.weightGradient(0, values));
  core::CsrMatrix gradient = std::move(self.exported(env, false)->layers[0].weights);
  gradient.values = std::move(values);
  // Sums of finite numbers need not be finite.
  check(env, gradient.validate());
  return CsrMatrix::make(env, addonOf(info), std::move(gradient));
}

Napi::Value SparseLayer::weights(SparseLayer& self, const Napi::CallbackInfo& info) {
  check(info.Env(), self.requireEngine(info.Env()).checkFinite());
  return CsrMatrix::make(info.Env(), addonOf(info), std::move(self.exported(info.Env(), false)->layers[0].weights));
}

Napi::Value SparseLayer::bias(SparseLayer& self, const Napi::CallbackInfo& info) {
  return floatsToJs(info.Env(), addonOf(info), self.exported(info.Env(), false)->layers[0].bias);
}

Napi::Value SparseLayer::activationParameters(SparseLayer& self, const Napi::CallbackInfo& info) {
  return learnedToJs(info.Env(), addonOf(info), self.definition_.activation.rule,
                     self.exported(info.Env(), false)->layers[0].activationParameters, self.definition_.units);
}

Napi::Value SparseLayer::state(SparseLayer& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Ref<core::Model> model = self.exported(env, true);
  const core::LayerState& layer = model->layers[0];
  const char* const* names = rules::stateNamesOf(self.optimizer_);
  Napi::Object object = Napi::Object::New(env);
  for (size_t i = 0; i < layer.weightState.size(); ++i) {
    Napi::Object buffers = Napi::Object::New(env);
    buffers.Set("weights", floatsToJs(env, addonOf(info), layer.weightState[i]));
    buffers.Set("bias", floatsToJs(env, addonOf(info), layer.biasState[i]));
    buffers.Set("activationParameters", learnedToJs(env, addonOf(info), self.definition_.activation.rule,
                                                    layer.activationState[i], self.definition_.units));
    object.Set(names[i], buffers);
  }
  return object;
}

Napi::Value SparseLayer::dispose(SparseLayer& self, const Napi::CallbackInfo& info) {
  self.engine_ = nullptr;
  self.account(info.Env());
  return info.Env().Undefined();
}

}  // namespace setnet::binding
