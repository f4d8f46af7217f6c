#include "binding/convert.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/memory.h"
#include "binding/errors.h"

namespace setnet::binding {

namespace {

Napi::Value bigToJs(Napi::Env env, uint64_t number) { return Napi::BigInt::New(env, number); }

// The members that a layer's report and the sum over layers share.
void setReport(Napi::Object object, const core::LayerEvolutionReport& report) {
  const Napi::Env env = object.Env();
  object.Set("prunedPositive", countToJs(env, report.prunedPositive));
  object.Set("prunedNegative", countToJs(env, report.prunedNegative));
  object.Set("prunedZero", countToJs(env, report.prunedZero));
  object.Set("grown", countToJs(env, report.grown));
  object.Set("connections", countToJs(env, report.connections));
}

// Absent where the loss knows no right answers.
void setAccuracy(Napi::Object object, double accuracy) {
  if (!std::isnan(accuracy)) object.Set("accuracy", accuracy);
}

// A number, or rows of counts.
Napi::Value metricToJs(Napi::Env env, const rules::MetricValue& value) {
  if (value.classes == 0) return Napi::Number::New(env, value.number);
  Napi::Array rows = Napi::Array::New(env, value.classes);
  for (uint64_t r = 0; r < value.classes; ++r) {
    const Napi::HandleScope scope(env);
    Napi::Array row = Napi::Array::New(env, value.classes);
    for (uint64_t c = 0; c < value.classes; ++c)
      row.Set(static_cast<uint32_t>(c), static_cast<double>(value.counts[r * value.classes + c]));
    rows.Set(static_cast<uint32_t>(r), row);
  }
  return rows;
}

}  // namespace

Napi::Object evolutionToJs(Napi::Env env, const train::EvolutionRecord& record) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("zeta", record.zeta);
  object.Set("evolutions", countToJs(env, record.evolutions));
  setReport(object, record.total);
  Napi::Array layers = Napi::Array::New(env, record.layers.size());
  for (size_t i = 0; i < record.layers.size(); ++i) {
    layers.Set(static_cast<uint32_t>(i), layerEvolutionToJs(env, record.layers[i]));
  }
  object.Set("layers", layers);
  return object;
}

Napi::Value newArray(Napi::Env env, AddonData& addon, ArrayId kind, uint64_t length, void** data) {
  const uint64_t bytes = saturatedProduct(length, kind == ArrayId::Float64 ? sizeof(double) : sizeof(float));
  requireMemory(env, bytes);
  napi_value argument = countToJs(env, length);
  napi_value array = nullptr;
  const napi_status status = napi_new_instance(env, addon.arrays[static_cast<int>(kind)].Value(), 1, &argument, &array);
  if (status == napi_pending_exception) {
    // The RangeError of an allocation that failed; nothing else can come from an intrinsic constructor.
    napi_value ignored = nullptr;
    napi_get_and_clear_last_exception(env, &ignored);
    fail(env, Code::Memory, "an array of " + std::to_string(length) + " elements could not be allocated");
  }
  size_t got = 0;
  if (status != napi_ok || napi_get_typedarray_info(env, array, nullptr, &got, data, nullptr, nullptr) != napi_ok ||
      got != length)
    fail(env, Code::Memory, "an array of " + std::to_string(length) + " elements could not be allocated");
  return Napi::Value(env, array);
}

void requireMemory(Napi::Env env, uint64_t bytes) {
  if (bytes > memoryLimit())
    fail(env, Code::Memory,
         "a result of " + formatBytes(bytes) + " does not fit this process's memory of " + formatBytes(memoryLimit()));
}

Napi::Value floatsToJs(Napi::Env env, AddonData& addon, Span<const float> values) {
  void* data = nullptr;
  const Napi::Value array = newArray(env, addon, ArrayId::Float32, values.size(), &data);
  if (!values.empty()) std::memcpy(data, values.data(), values.size() * sizeof(float));
  return array;
}

Napi::Value uint32sToJs(Napi::Env env, AddonData& addon, Span<const uint32_t> values) {
  void* data = nullptr;
  const Napi::Value array = newArray(env, addon, ArrayId::Uint32, values.size(), &data);
  if (!values.empty()) std::memcpy(data, values.data(), values.size() * sizeof(uint32_t));
  return array;
}

Napi::Value int32sToJs(Napi::Env env, AddonData& addon, Span<const int32_t> values) {
  void* data = nullptr;
  const Napi::Value array = newArray(env, addon, ArrayId::Int32, values.size(), &data);
  if (!values.empty()) std::memcpy(data, values.data(), values.size() * sizeof(int32_t));
  return array;
}

Napi::Value uint64sToJs(Napi::Env env, AddonData& addon, Span<const uint64_t> values) {
  void* data = nullptr;
  const Napi::Value array = newArray(env, addon, ArrayId::Float64, values.size(), &data);
  double* numbers = static_cast<double*>(data);
  for (size_t i = 0; i < values.size(); ++i) numbers[i] = static_cast<double>(values[i]);
  return array;
}

Napi::Value countToJs(Napi::Env env, uint64_t count) { return Napi::Number::New(env, static_cast<double>(count)); }

std::string hexOf(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

Napi::Object learnedToJs(Napi::Env env, AddonData& addon, int activation, Span<const float> values, uint64_t units) {
  const Span<const rules::LearnedParameter> learned = rules::learnedOf(activation);
  Napi::Object object = Napi::Object::New(env);
  for (size_t i = 0; i < learned.size(); ++i)
    object.Set(learned[i].name, floatsToJs(env, addon, values.part(i * units, units)));
  return object;
}

Napi::Object layerEvolutionToJs(Napi::Env env, const core::LayerEvolutionReport& report) {
  Napi::Object object = Napi::Object::New(env);
  setReport(object, report);
  return object;
}

Napi::Object evaluationToJs(Napi::Env env, const train::Evaluation& evaluation) {
  Napi::Object object = Napi::Object::New(env);
  for (const rules::MetricValue& value : evaluation.metrics)
    // Undefined ones are absent, but for the loss, which may be a number that is none.
    if (value.classes > 0 || value.metric == static_cast<int>(rules::Metric::MeanLoss) || !std::isnan(value.number))
      object.Set(rules::kMetrics[value.metric].name, metricToJs(env, value));
  object.Set("samples", countToJs(env, evaluation.samples));
  return object;
}

Napi::Object epochToJs(Napi::Env env, const train::EpochRecord& record) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("epoch", countToJs(env, record.epoch));
  object.Set("loss", record.loss);
  setAccuracy(object, record.accuracy);
  object.Set("learningRate", record.learningRate);
  object.Set("seconds", record.seconds);
  object.Set("evolutionSeconds", record.evolutionSeconds);
  object.Set("validationSeconds", record.validationSeconds);
  object.Set("connections", countToJs(env, record.connections));
  if (record.validation) object.Set("validation", evaluationToJs(env, *record.validation));
  if (record.evolution) object.Set("evolution", evolutionToJs(env, *record.evolution));
  return object;
}

Napi::Object progressToJs(Napi::Env env, const train::Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("epoch", countToJs(env, progress.epoch));
  object.Set("epochs", countToJs(env, progress.epochs));
  object.Set("step", countToJs(env, progress.step));
  if (progress.steps > 0) object.Set("steps", countToJs(env, progress.steps));
  object.Set("samples", countToJs(env, progress.samples));
  object.Set("loss", progress.loss);
  setAccuracy(object, progress.accuracy);
  object.Set("learningRate", progress.learningRate);
  object.Set("seconds", progress.seconds);
  object.Set("connections", countToJs(env, progress.connections));
  return object;
}

Napi::Object fitResultToJs(Napi::Env env, const train::FitResult& result) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array epochs = Napi::Array::New(env, result.epochs.size());
  for (size_t i = 0; i < result.epochs.size(); ++i) {
    const Napi::HandleScope scope(env);
    epochs.Set(static_cast<uint32_t>(i), epochToJs(env, result.epochs[i]));
  }
  object.Set("epochs", epochs);
  if (result.final) {
    Napi::Object final = Napi::Object::New(env);
    final.Set("removal", evolutionToJs(env, result.final->removal));
    final.Set("connections", countToJs(env, result.final->connections));
    if (result.final->validation) final.Set("validation", evaluationToJs(env, *result.final->validation));
    object.Set("final", final);
  }
  object.Set("stopped", result.stopped);
  object.Set("stoppedEarly", result.stoppedEarly);
  if (result.bestEpoch > 0) {
    Napi::Object best = Napi::Object::New(env);
    best.Set("epoch", countToJs(env, result.bestEpoch));
    best.Set("value", result.bestValue);
    best.Set("restored", result.restored);
    object.Set("best", best);
  }
  return object;
}

Napi::Object fitStateToJs(Napi::Env env, const core::FitState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("epoch", countToJs(env, state.epoch));
  object.Set("fitBegan", bigToJs(env, state.fitBegan));
  object.Set("stateBegan", bigToJs(env, state.stateBegan));
  object.Set("bestEpoch", countToJs(env, state.bestEpoch));
  object.Set("bestValue", state.bestValue);
  object.Set("bestSteps", bigToJs(env, state.bestSteps));
  Napi::Array budgets = Napi::Array::New(env, state.budgets.size());
  for (size_t i = 0; i < state.budgets.size(); ++i)
    budgets.Set(static_cast<uint32_t>(i), countToJs(env, state.budgets[i]));
  object.Set("budgets", budgets);
  object.Set("dataDigest", hexOf(state.dataDigest));
  return object;
}

Napi::Object networkInfoToJs(Napi::Env env, AddonData& addon, const core::Model& model, uint64_t topologyDigest) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("step", bigToJs(env, model.counters.step));
  object.Set("epoch", bigToJs(env, model.counters.epoch));
  object.Set("evolution", bigToJs(env, model.counters.evolution));
  object.Set("loss", model.loss < 0 ? env.Null() : Napi::String::New(env, rules::kLosses[model.loss].name));
  object.Set("finalised", model.finalised);

  Napi::Object scaling = Napi::Object::New(env);
  scaling.Set("kind", core::kScalingNames[static_cast<int>(model.scaling.kind)]);
  scaling.Set("known", model.scaling.known);
  scaling.Set("mean", floatsToJs(env, addon, model.scaling.mean));
  scaling.Set("scale", floatsToJs(env, addon, model.scaling.scale));
  if (model.scaling.hasMissing) scaling.Set("missing", model.scaling.missing);
  object.Set("scaling", scaling);

  object.Set("topologyDigest", hexOf(topologyDigest));
  object.Set("connections", countToJs(env, core::connectionsOf(model)));
  Napi::Array layers = Napi::Array::New(env, model.layers.size());
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const core::LayerDefinition& definition = model.definition.layers[i];
    Napi::Object layer = Napi::Object::New(env);
    layer.Set("inputs", countToJs(env, definition.inputs));
    layer.Set("units", countToJs(env, definition.units));
    layer.Set("connections", countToJs(env, core::connectionsOf(model.layers[i])));
    layer.Set("evolved", core::isEvolved(definition));
    layer.Set("activationParameters", countToJs(env, core::activationParametersOf(definition)));
    layers.Set(static_cast<uint32_t>(i), layer);
  }
  object.Set("layers", layers);
  return object;
}

Napi::Array metricsToJs(Napi::Env env) {
  constexpr const char* needs[] = {"nothing", "answers", "classes"};  // as rules::MetricNeeds
  Napi::Array list = rulesToJs(env, Span<const rules::RuleInfo>(rules::kMetrics));
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Object metric = list.Get(i).As<Napi::Object>();
    const rules::MetricLimits& limits = rules::kMetricLimits[i];
    metric.Set("needs", needs[static_cast<int>(limits.needs)]);
    metric.Set("mostClasses", limits.mostClasses == ~uint64_t{0} ? std::numeric_limits<double>::infinity()
                                                                 : static_cast<double>(limits.mostClasses));
  }
  return list;
}

Napi::Array rulesToJs(Napi::Env env, Span<const rules::RuleInfo> table) {
  Napi::Array list = Napi::Array::New(env, table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    Napi::Object rule = Napi::Object::New(env);
    rule.Set("name", table[i].name);
    Napi::Array parameters = Napi::Array::New(env, table[i].parameterCount);
    for (int k = 0; k < table[i].parameterCount; ++k) {
      const rules::ParameterSpec& spec = table[i].parameters[k];
      Napi::Object parameter = Napi::Object::New(env);
      parameter.Set("name", spec.name);
      parameter.Set("fallback", spec.fallback);
      parameter.Set("minimum", spec.minimum);
      parameter.Set("maximum", spec.maximum);
      parameter.Set("open", spec.open);
      parameter.Set("openMaximum", spec.openMaximum);
      if (spec.choices) parameter.Set("choices", spec.choices);
      parameters.Set(static_cast<uint32_t>(k), parameter);
    }
    rule.Set("parameters", parameters);
    list.Set(static_cast<uint32_t>(i), rule);
  }
  return list;
}

}  // namespace setnet::binding
