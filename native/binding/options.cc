#include "binding/options.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/wrapped.h"

namespace setnet::binding {

namespace {

constexpr double kMostLayers = 65536;
constexpr double kMostUnits = static_cast<double>(core::kMaxColumns);
constexpr double kLargestFloat = 3.402823466385288e38;

core::Budget parseBudget(const Napi::Object& layer, const std::string& what) {
  const Napi::Value epsilon = layer.Get("epsilon");
  const Napi::Value density = layer.Get("density");
  const Napi::Value connections = layer.Get("connections");
  if (isAbsent(epsilon) + isAbsent(density) + isAbsent(connections) != 2)
    fail(layer.Env(), Code::Option, what + " must have exactly one of epsilon, density and connections");
  core::Budget budget;
  if (!isAbsent(connections)) {
    budget.connections = static_cast<int64_t>(requireWhole(connections, what + ".connections", 0, kLargestWhole));
  } else if (isAbsent(density)) {
    budget.epsilon = requireInRange(epsilon, what + ".epsilon", 0, kLargestWhole);
    if (budget.epsilon == 0) fail(layer.Env(), Code::Option, what + ".epsilon must be more than 0");
  } else {
    budget.density = requireInRange(density, what + ".density", 0, 1);
  }
  return budget;
}

core::LayerDefinition parseLayer(const Napi::Value& value, const std::string& what, uint64_t inputs) {
  const Napi::Object object = requireObject(value, what);
  core::LayerDefinition layer;
  layer.kind =
      static_cast<core::LayerKind>(requireOneOf(object.Get("kind"), what + ".kind", all(core::kLayerKindNames)));
  layer.inputs = inputs;
  layer.units = requireWhole(object.Get("units"), what + ".units", 1, kMostUnits);
  if (layer.kind != core::LayerKind::Dense) layer.budget = parseBudget(object, what);
  layer.draw = static_cast<core::Draw>(requireOneOf(object.Get("draw"), what + ".draw", all(core::kDrawNames)));
  layer.activation = requireRule(object.Get("activation"), what + ".activation", all(rules::kActivations));
  layer.initializer = requireRule(object.Get("initializer"), what + ".initializer", all(rules::kInitializers));
  layer.dropout = requireInRange(object.Get("dropout"), what + ".dropout", 0, 1);
  if (layer.dropout == 1) fail(value.Env(), Code::Option, what + ".dropout must be less than 1");
  layer.bias = requireBoolean(object.Get("bias"), what + ".bias");
  layer.evolve = requireBoolean(object.Get("evolve"), what + ".evolve");
  const Napi::Value zeta = object.Get("zeta");
  if (!isAbsent(zeta)) layer.zeta = requireInRange(zeta, what + ".zeta", 0, 1);
  return layer;
}

void requireFinite(Napi::Env env, const std::vector<float>& values, const std::string& what) {
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      fail(env, Code::Nonfinite, what + "[" + std::to_string(i) + "] is not a finite number");
}

core::Scaling parseScaling(const Napi::Value& value, uint64_t inputs, ScalingSource source) {
  const Napi::Env env = value.Env();
  const Napi::Object object = requireObject(value, "scaling");
  core::Scaling scaling;
  scaling.kind =
      static_cast<core::Scaling::Kind>(requireOneOf(object.Get("kind"), "scaling.kind", all(core::kScalingNames)));
  const Napi::Value missing = object.Get("missing");
  if (!isAbsent(missing)) {
    scaling.missing = requireNumber(missing, "scaling.missing");
    scaling.hasMissing = true;
  }
  if (scaling.kind != core::Scaling::Kind::Given || source == ScalingSource::File) return scaling;

  const Napi::Value mean = object.Get("mean");
  const Napi::Value scale = object.Get("scale");
  scaling.mean = copyFloats(mean, "scaling.mean");
  scaling.scale = copyFloats(scale, "scaling.scale");
  if (scaling.mean.size() != scaling.scale.size() || (scaling.mean.size() != inputs && scaling.mean.size() != 1))
    fail(env, Code::Shape,
         "scaling.mean and scaling.scale must both have " + std::to_string(inputs) + " elements (or both 1), got " +
             std::to_string(scaling.mean.size()) + " and " + std::to_string(scaling.scale.size()));
  requireFinite(env, scaling.mean, "scaling.mean");
  requireFinite(env, scaling.scale, "scaling.scale");
  scaling.known = true;
  return scaling;
}

int parseThreads(const Napi::Value& value) {
  return static_cast<int>(requireWhole(value, "threads", 1, kMostThreadsAsked));
}

core::EvolutionRules parseEvolutionRules(const Napi::Object& object) {
  core::EvolutionRules rules;
  rules.prune = requireRule(object.Get("prune"), "evolution.prune", all(rules::kPruneRules)).rule;
  rules.grow = requireRule(object.Get("grow"), "evolution.grow", all(rules::kGrowRules)).rule;
  const Napi::Object newWeights = requireObject(object.Get("newWeights"), "evolution.newWeights");
  const Napi::Value name = newWeights.Get("name");
  rules.newWeightsAsLayer = name.IsString() && name.As<Napi::String>().Utf8Value() == "initializer";
  if (!rules.newWeightsAsLayer)
    rules.newWeights = requireRule(newWeights, "evolution.newWeights", all(rules::kInitializers));
  rules.regrowPruned = requireBoolean(object.Get("regrowPruned"), "evolution.regrowPruned");
  rules.keepZeros = requireBoolean(object.Get("keepZeros"), "evolution.keepZeros");
  rules.resetState = requireBoolean(object.Get("resetState"), "evolution.resetState");
  return rules;
}

double parseZeta(const Napi::Object& object) { return requireInRange(object.Get("zeta"), "evolution.zeta", 0, 1); }

void parseEvolution(const Napi::Value& value, train::FitOptions* options) {
  options->evolve = !value.IsNull();
  if (!options->evolve) {
    options->finalPrune = false;
    return;
  }
  const Napi::Object object = requireObject(value, "evolution");
  options->evolution = parseEvolutionRules(object);
  options->zeta = parseZeta(object);
  options->zetaSchedule = requireRule(object.Get("schedule"), "evolution.schedule", all(rules::kSchedules));
  options->trigger = requireRule(object.Get("trigger"), "evolution.trigger", all(rules::kTriggers));
  options->initialBudget = requireBoolean(object.Get("initialBudget"), "evolution.initialBudget");
  options->finalEvolution = requireBoolean(object.Get("finalEvolution"), "evolution.finalEvolution");
  options->finalPrune = requireBoolean(object.Get("finalPrune"), "evolution.finalPrune");
}

train::StopRule parseStopRule(const Napi::Value& value) {
  const Napi::Object object = requireObject(value, "stopRule");
  train::StopRule rule;
  rule.monitor =
      static_cast<train::Monitor>(requireOneOf(object.Get("monitor"), "stopRule.monitor", all(train::kMonitorNames)));
  const Napi::Value patience = object.Get("patience");
  rule.stopsEarly = !patience.IsNull();
  if (rule.stopsEarly) rule.patience = requireWhole(patience, "stopRule.patience", 1, kLargestWhole);
  rule.minDelta = requireInRange(object.Get("minDelta"), "stopRule.minDelta", 0, kLargestFloat);
  rule.restoreBest = requireBoolean(object.Get("restoreBest"), "stopRule.restoreBest");
  return rule;
}

}  // namespace

NetworkSpec parseNetworkSpec(const Napi::Value& value, ScalingSource source) {
  const Napi::Object object = requireObject(value, "the network's definition");
  NetworkSpec spec;
  core::NetworkDefinition& definition = spec.definition;
  definition.inputs = requireWhole(object.Get("inputs"), "inputs", 1, kMostUnits);
  definition.seed = requireUint64(object.Get("seed"), "seed");
  spec.threads = parseThreads(object.Get("threads"));
  const Napi::Value layers = object.Get("layers");
  if (!layers.IsArray()) fail(value.Env(), Code::Type, "layers must be an array");
  const Napi::Array list = layers.As<Napi::Array>();
  const uint32_t count = list.Length();
  if (count < 1 || count > kMostLayers)
    fail(value.Env(), Code::Option,
         "layers must have from 1 to " + textOf(kMostLayers) + " entries, got " + std::to_string(count));
  uint64_t inputs = definition.inputs;
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::HandleScope scope(value.Env());
    definition.layers.push_back(parseLayer(list.Get(i), "layers[" + std::to_string(i) + "]", inputs));
    inputs = definition.layers.back().units;
  }
  spec.scaling = parseScaling(object.Get("scaling"), definition.inputs, source);
  return spec;
}

void parseGivenLayers(const Napi::Value& value, NetworkSpec* spec) {
  if (isAbsent(value)) return;
  const Napi::Env env = value.Env();
  const size_t count = spec->definition.layers.size();
  if (!value.IsArray() || value.As<Napi::Array>().Length() != count)
    fail(env, Code::Type, "the given layers must be an array of " + std::to_string(count));
  const Napi::Array list = value.As<Napi::Array>();
  spec->given.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::HandleScope scope(env);
    const Napi::Value entry = list.Get(i);
    if (isAbsent(entry)) continue;
    const std::string what = "layers[" + std::to_string(i) + "]";
    const Napi::Object object = requireObject(entry, what);
    const Napi::Value weights = object.Get("weights");
    spec->given[i].weights = Wrapped<CsrMatrix>::find(env, weights);
    if (!spec->given[i].weights) fail(env, Code::Type, what + ".weights must be a CsrMatrix");
    const Napi::Value bias = object.Get("bias");
    if (!isAbsent(bias)) spec->given[i].bias = copyFloats(bias, what + ".bias");
  }
}

Status createModel(const NetworkSpec& spec, Ref<core::Model>* out) {
  std::vector<core::GivenLayer> given;
  for (const GivenLayer& layer : spec.given)
    given.push_back({layer.weights ? &layer.weights->matrix() : nullptr, layer.bias});
  return core::createModel(spec.definition, spec.scaling, out, given);
}

void parseModelState(const Napi::Value& value, core::Model* model) {
  const Napi::Object object = requireObject(value, "the model's state");
  model->counters.step = requireUint64(object.Get("step"), "step");
  model->counters.epoch = requireUint64(object.Get("epoch"), "epoch");
  model->counters.evolution = requireUint64(object.Get("evolution"), "evolution");
  const Napi::Value loss = object.Get("loss");
  model->loss = loss.IsNull() ? -1 : requireRuleName(loss, "loss", all(rules::kLosses));
  model->finalised = requireBoolean(object.Get("finalised"), "finalised");
  model->scaling.known = requireBoolean(object.Get("scalingKnown"), "scalingKnown");
}

Ref<core::Checkpoint> parseCheckpoint(const Napi::Value& value, size_t layers, bool* hasBest) {
  const Napi::Env env = value.Env();
  const Napi::Object object = requireObject(value, "the checkpoint");
  Ref<core::Checkpoint> checkpoint(new core::Checkpoint);
  core::FitState& state = checkpoint->state;
  checkpoint->finished = requireBoolean(object.Get("finished"), "finished");
  checkpoint->optimizer = requireRuleName(object.Get("optimizer"), "optimizer", all(rules::kOptimizers));
  *hasBest = requireBoolean(object.Get("hasBestNetwork"), "hasBestNetwork");
  state.epoch = requireWhole(object.Get("epoch"), "epoch", 0, kLargestWhole);
  state.fitBegan = requireUint64(object.Get("fitBegan"), "fitBegan");
  state.stateBegan = requireUint64(object.Get("stateBegan"), "stateBegan");
  state.bestEpoch = requireWhole(object.Get("bestEpoch"), "bestEpoch", 0, kLargestWhole);
  state.bestValue = requireNumber(object.Get("bestValue"), "bestValue");
  state.bestSteps = requireUint64(object.Get("bestSteps"), "bestSteps");
  const Napi::Value budgets = object.Get("budgets");
  if (!budgets.IsArray()) fail(env, Code::Type, "budgets must be an array");
  const Napi::Array list = budgets.As<Napi::Array>();
  const uint32_t count = list.Length();
  if (count != 0 && count != layers)
    fail(env, Code::Shape,
         "budgets has " + std::to_string(count) + " entries for " + std::to_string(layers) + " layers");
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::HandleScope scope(env);
    state.budgets.push_back(requireWhole(list.Get(i), "budgets", 0, kLargestWhole));
  }
  state.dataDigest = std::strtoull(requireString(object.Get("dataDigest"), "dataDigest").c_str(), nullptr, 16);
  return checkpoint;
}

backend::PredictorOptions parsePredictorOptions(const Napi::Value& value) {
  // In the order of the enumerations.
  constexpr const char* aims[] = {"throughput", "latency"};
  constexpr const char* precisions[] = {"f32", "bf16"};
  const Napi::Object object = requireObject(value, "options");
  backend::PredictorOptions options;
  options.threads = parseThreads(object.Get("threads"));
  options.optimizeFor =
      static_cast<backend::OptimizeFor>(requireOneOf(object.Get("optimizeFor"), "optimizeFor", all(aims)));
  options.precision =
      static_cast<backend::Precision>(requireOneOf(object.Get("precision"), "precision", all(precisions)));
  return options;
}

backend::EvolutionSettings parseEvolutionByHand(const Napi::Value& value, bool growBack) {
  const Napi::Object object = requireObject(value, "evolution");
  backend::EvolutionSettings settings;
  settings.rules = parseEvolutionRules(object);
  settings.zeta = settings.baseZeta = parseZeta(object);
  settings.growBack = growBack;
  return settings;
}

std::vector<int> parseMetrics(const Napi::Value& value) {
  if (!value.IsArray()) fail(value.Env(), Code::Type, "metrics must be an array");
  const Napi::Array list = value.As<Napi::Array>();
  if (list.Length() > std::size(rules::kMetrics))
    fail(value.Env(), Code::Option, "metrics has more names than there are");
  std::vector<int> metrics;
  for (uint32_t i = 0; i < list.Length(); ++i)
    metrics.push_back(requireRuleName(list.Get(i), "metrics[" + std::to_string(i) + "]", all(rules::kMetrics)));
  return metrics;
}

void checkMetrics(Napi::Env env, const std::vector<int>& metrics, int loss, uint64_t units) {
  const int rule = loss < 0 ? static_cast<int>(rules::Loss::SoftmaxCrossEntropy) : loss;
  for (const int metric : metrics)
    if (!rules::metricApplies(metric, rule, units))
      fail(env, Code::Option,
           std::string("metrics: '") + rules::kMetrics[metric].name + "' has no meaning for the loss '" +
               rules::kLosses[rule].name + "' and " + std::to_string(units) + " outputs");
}

train::FitOptions parseFitOptions(const Napi::Value& value) {
  const Napi::Object object = requireObject(value, "options");
  train::FitOptions options;
  options.epochs = requireWhole(object.Get("epochs"), "epochs", 1, kLargestWhole);
  options.batchSize = requireWhole(object.Get("batchSize"), "batchSize", 1, kLargestWhole);
  const rules::RuleChoice loss = requireRule(object.Get("loss"), "loss", all(rules::kLosses));
  options.rules.loss = loss.rule;
  options.rules.optimizer = requireRule(object.Get("optimizer"), "optimizer", all(rules::kOptimizers));
  options.learningRate = requireRule(object.Get("learningRate"), "learningRate", all(rules::kSchedules));
  options.warmup = requireInRange(object.Get("warmup"), "warmup", 0, kLargestWhole);
  options.rules.clipNorm = requireInRange(object.Get("clipNorm"), "clipNorm", 0, kLargestWhole);
  parseEvolution(object.Get("evolution"), &options);
  options.stop = parseStopRule(object.Get("stopRule"));
  options.checkpointEvery = requireWhole(object.Get("checkpointEvery"), "checkpointEvery", 0, kLargestWhole);
  options.metrics = parseMetrics(object.Get("metrics"));
  options.threads = parseThreads(object.Get("threads"));
  options.progressSeconds = requireInRange(object.Get("progressSeconds"), "progressSeconds", 0, kLargestFloat);
  return options;
}

}  // namespace setnet::binding
