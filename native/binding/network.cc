#include "binding/network.h"

#include <string>

#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/csr_matrix.h"
#include "binding/dataset.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/network_jobs.h"
#include "binding/options.h"
#include "binding/session.h"
#include "binding/training.h"
#include "binding/wrapped.h"

namespace setnet::binding {

namespace {

uint64_t unitsOf(const core::Model& model) { return model.definition.layers.back().units; }

size_t requireLayer(const Napi::Value& value, const core::Model& model) {
  return requireWhole(value, "layer", 0, static_cast<double>(model.layers.size() - 1));
}

}  // namespace

void Network::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<Network>;
  W::define(env, addon,
            {W::method<info>(addon, "info"), W::method<isFitting>(addon, "isFitting"),
             W::method<syncPredictor>(addon, "syncPredictor"), W::method<predict>(addon, "predict"),
             W::method<freeze>(addon, "freeze"), W::method<evaluate>(addon, "evaluate"),
             W::method<evolve>(addon, "evolve"), W::method<fit>(addon, "fit"), W::method<weights>(addon, "weights"),
             W::method<bias>(addon, "bias"), W::method<activationParameters>(addon, "activationParameters"),
             W::method<clone>(addon, "clone"), W::method<save>(addon, "save"),
             W::method<checkpoint>(addon, "checkpoint"), W::method<saveCheckpoint>(addon, "saveCheckpoint"),
             W::method<dropCheckpoint>(addon, "dropCheckpoint"), W::method<dispose>(addon, "dispose")});
}

Napi::Object Network::make(Napi::Env env, AddonData& addon, Ref<const core::Model> model, int threads) {
  return make(env, addon, Ref<NetworkState>(new NetworkState(std::move(model), threads)));
}

Napi::Object Network::make(Napi::Env env, AddonData& addon, Ref<NetworkState> state) {
  const Ref<Network> network(new Network(std::move(state)));
  const Napi::Object made = Wrapped<Network>::make(env, addon, network);
  network->account(env);
  return made;
}

Napi::Value Network::create(const Napi::CallbackInfo& info) {
  NetworkSpec spec = parseNetworkSpec(info[0], ScalingSource::Spec);
  parseGivenLayers(info[1], &spec);
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new CreateNetworkJob(std::move(spec))));
}

Napi::Value Network::createSync(const Napi::CallbackInfo& info) {
  NetworkSpec spec = parseNetworkSpec(info[0], ScalingSource::Spec);
  parseGivenLayers(info[1], &spec);
  Ref<core::Model> model;
  check(info.Env(), createModel(spec, &model));
  return make(info.Env(), addonOf(info), model, spec.threads);
}

void Network::account(Napi::Env env) {
  const Ref<const core::Model> model = state_->published();
  const Ref<const core::Checkpoint> checkpoint = state_->checkpoint();
  int64_t bytes = model && !collected_ ? bytesOf(*model) : 0;
  if (checkpoint && !collected_) {
    // Its model is the published one as long as no step has been made after it.
    if (checkpoint->model.get() != model.get()) bytes += bytesOf(*checkpoint->model);
    if (checkpoint->best) bytes += bytesOf(*checkpoint->best);
  }
  adjustExternalMemory(env, bytes - accounted_);
  accounted_ = bytes;
}

void Network::onFinalise(Napi::Env env) {
  collected_ = true;
  account(env);
}

Ref<const core::Model> Network::requireModel(Napi::Env env) const {
  Ref<const core::Model> model = state_->published();
  if (!model) fail(env, Code::State, "this network has been disposed");
  return model;
}

Napi::Value Network::info(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  return networkInfoToJs(info.Env(), addonOf(info), *model, self.state_->topologyDigestOf(model));
}

Napi::Value Network::isFitting(Network& self, const Napi::CallbackInfo& info) {
  self.requireModel(info.Env());
  return Napi::Boolean::New(info.Env(), self.state_->training != nullptr);
}

Napi::Value Network::syncPredictor(Network& self, const Napi::CallbackInfo& info) {
  self.requireModel(info.Env());
  return Wrapped<Network>::bound<predictSync>(info.Env(), "predictSync", self);
}

Napi::Value Network::predictSync(Network& self, const Napi::CallbackInfo& info) {
  Ref<backend::Predictor> predictor;
  const Ref<const core::Model> model = self.state_->published(&predictor);
  if (!model) self.requireModel(info.Env());
  const SyncPrediction prediction(info, answerShapeOf(*model));
  if (!predictor) check(info.Env(), self.state_->predictorOf(model, &predictor));
  check(info.Env(), prediction.run(*predictor, &self.scratch_));
  return Napi::Value();
}

Napi::Value Network::predict(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new NetworkPredictJob(info, self.state_, model)));
}

Napi::Value Network::freeze(Network& self, const Napi::CallbackInfo& info) {
  const backend::PredictorOptions options = parsePredictorOptions(info[0]);
  return Session::freeze(info.Env(), addonOf(info), self.requireModel(info.Env()), options);
}

Napi::Value Network::evaluate(Network& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Ref<const core::Model> model = self.requireModel(env);
  std::vector<int> metrics = parseMetrics(info[1]);
  checkMetrics(env, metrics, model->loss, unitsOf(*model));
  const DatasetArgument data(info[0], "data");
  Dataset dataset = data.take(model->definition.inputs, unitsOf(*model), model->loss);
  return Job::start(env, addonOf(info),
                    Ref<Job>(new EvaluateJob(self.state_, model, std::move(dataset), std::move(metrics))));
}

Napi::Value Network::evolve(Network& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  backend::EvolutionSettings settings = parseEvolutionByHand(info[0], requireBoolean(info[1], "growBack"));
  const Ref<const core::Model> model = self.requireModel(env);
  if (self.state_->training) fail(env, Code::Busy, "this network is training; wait for its end or abort it");
  settings.evolution = model->counters.evolution + 1;
  return Job::start(env, addonOf(info), Ref<Job>(new EvolveJob(self.state_, model, settings)));
}

Napi::Value Network::fit(Network& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  train::FitOptions options = parseFitOptions(info[2]);
  if (requireBoolean(requireObject(info[2], "options").Get("resume"), "resume")) {
    options.resume = self.state_->checkpoint();
    if (!options.resume || options.resume->finished)
      fail(env, Code::State, "there is no training of this network that could go on");
  }
  Training::Callbacks callbacks = Training::parseCallbacks(info[3]);
  // A stream says how many batches an epoch has, a data set what they are made of.
  const Napi::Value stepsPerEpoch = requireObject(info[0], "training").Get("stepsPerEpoch");
  std::optional<DatasetArgument> trainingData;
  uint64_t steps = 0;
  if (isAbsent(stepsPerEpoch))
    trainingData.emplace(info[0], "training");
  else
    steps = requireWhole(stepsPerEpoch, "stepsPerEpoch", 0, kLargestWhole);
  if (!trainingData && callbacks.onBatchWanted.IsEmpty())
    fail(env, Code::Type, "a stream of batches needs the callback onBatchWanted");
  std::optional<DatasetArgument> validationData;
  if (!info[1].IsNull()) validationData.emplace(info[1], "validation");
  // From here on the caller's code does not run any more: what is checked stays as it is.
  const Ref<const core::Model> model = self.requireModel(env);
  checkMetrics(env, options.metrics, options.rules.loss, unitsOf(*model));
  if (self.state_->training) fail(env, Code::Busy, "this network is training already; wait for its end or abort it");
  Training::Data training;
  if (trainingData)
    training.dataset.emplace(trainingData->take(model->definition.inputs, unitsOf(*model), options.rules.loss));
  else
    training.stream = {model->definition.inputs, unitsOf(*model), options.rules.loss, model->scaling, steps};
  std::optional<Dataset> validation;
  if (validationData)
    validation.emplace(validationData->take(model->definition.inputs, unitsOf(*model), options.rules.loss));
  return Training::start(env, addonOf(info), Ref<Network>(&self), std::move(training), std::move(validation), options,
                         std::move(callbacks));
}

Napi::Value Network::weights(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  const size_t layer = requireLayer(info[0], *model);
  const core::LayerDefinition& definition = model->definition.layers[layer];
  const core::CsrMatrix& weights = model->layers[layer].weights;
  core::CsrMatrix matrix = definition.kind == core::LayerKind::Dense
                               ? core::fullMatrix(definition.units, definition.inputs, weights.values)
                               : weights;
  return CsrMatrix::make(info.Env(), addonOf(info), std::move(matrix));
}

Napi::Value Network::bias(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  return floatsToJs(info.Env(), addonOf(info), model->layers[requireLayer(info[0], *model)].bias);
}

Napi::Value Network::activationParameters(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  const size_t layer = requireLayer(info[0], *model);
  const core::LayerDefinition& definition = model->definition.layers[layer];
  return learnedToJs(info.Env(), addonOf(info), definition.activation.rule, model->layers[layer].activationParameters,
                     definition.units);
}

Napi::Value Network::clone(Network& self, const Napi::CallbackInfo& info) {
  return make(info.Env(), addonOf(info), self.requireModel(info.Env()), self.state_->threads());
}

Napi::Value Network::save(Network& self, const Napi::CallbackInfo& info) {
  const Ref<const core::Model> model = self.requireModel(info.Env());
  std::string path = requirePath(info[0], "path");
  std::string json = requireString(info[1], "json");
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new SaveJob(model, std::move(path), std::move(json))));
}

Napi::Value Network::checkpoint(Network& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  self.requireModel(env);
  const Ref<const core::Checkpoint> checkpoint = self.state_->checkpoint();
  if (!checkpoint) return env.Null();
  Napi::Object object = fitStateToJs(env, checkpoint->state);
  object.Set("finished", checkpoint->finished);
  object.Set("hasBestNetwork", static_cast<bool>(checkpoint->best));
  const core::Model& model = *checkpoint->model;
  object.Set("info", networkInfoToJs(env, addonOf(info), model, self.state_->topologyDigestOf(checkpoint->model)));
  return object;
}

Napi::Value Network::saveCheckpoint(Network& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  self.requireModel(env);
  Ref<const core::Checkpoint> checkpoint = self.state_->checkpoint();
  if (!checkpoint) fail(env, Code::State, "there is no training of this network that could go on");
  std::string path = requirePath(info[0], "path");
  std::string json = requireString(info[1], "json");
  return Job::start(env, addonOf(info),
                    Ref<Job>(new SaveCheckpointJob(std::move(checkpoint), std::move(path), std::move(json))));
}

Napi::Value Network::dropCheckpoint(Network& self, const Napi::CallbackInfo& info) {
  self.state_->keep(nullptr);
  self.account(info.Env());
  return info.Env().Undefined();
}

Napi::Value Network::dispose(Network& self, const Napi::CallbackInfo& info) {
  if (self.state_->training) self.state_->training->onNetworkDisposed();
  self.state_->dispose();
  self.scratch_ = Scratch();
  self.account(info.Env());
  return info.Env().Undefined();
}

}  // namespace setnet::binding
