#include "core/model_file.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/safetensors_format.h"

namespace setnet::core {
namespace {

constexpr char kJsonKey[] = "setnet";
constexpr char kMeanName[] = "scaling.mean";
constexpr char kScaleName[] = "scaling.scale";

std::string layerName(size_t layer, const char* part) { return "layers." + std::to_string(layer) + "." + part; }

std::string parameterName(size_t layer, const rules::LearnedParameter& parameter) {
  return layerName(layer, "activation.") + parameter.name;
}

template <class T>
constexpr TensorType typeOf();
template <>
constexpr TensorType typeOf<float>() {
  return TensorType::F32;
}
template <>
constexpr TensorType typeOf<uint32_t>() {
  return TensorType::U32;
}
template <>
constexpr TensorType typeOf<uint64_t>() {
  return TensorType::U64;
}

template <class T>
Tensor tensorOf(std::string name, std::vector<uint64_t> shape, Span<const T> values) {
  return {std::move(name),
          typeOf<T>(),
          std::move(shape),
          {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)}};
}
template <class T>
Tensor tensorOf(std::string name, std::vector<uint64_t> shape, const std::vector<T>& values) {
  return tensorOf(std::move(name), std::move(shape), Span<const T>(values));
}

// Whether mean and scale mean something.
bool isStored(const Scaling& scaling) { return scaling.kind != Scaling::Kind::None && scaling.known; }

using Names = Span<const char* const>;

// Optimizer state of some numbers of a layer, by these names; those of all of the layer's begin at `begin`.
void addState(const std::string& name, const std::vector<uint64_t>& shape, Names names,
              const std::vector<std::vector<float>>& state, uint64_t begin, uint64_t count,
              std::vector<Tensor>* tensors) {
  for (size_t s = 0; s < names.size(); ++s)
    tensors->push_back(tensorOf(name + ".state." + names[s], shape, Span<const float>(state[s]).part(begin, count)));
}

Names stateNames(int optimizer) {
  return {rules::stateNamesOf(optimizer), static_cast<size_t>(rules::stateCountOf(optimizer))};
}

// Before the first step all state is 0 and need not be stored; after the last one nobody needs it.
bool hasStateInFile(const Checkpoint& checkpoint) { return !checkpoint.finished && checkpoint.state.epoch > 0; }

std::vector<uint64_t> weightShape(const LayerDefinition& definition, uint64_t count) {
  if (definition.kind == LayerKind::Dense) return {definition.units, definition.inputs};
  return {count};
}

// All layers of a model, each name with `prefix` before it, and their state by these names.
void addLayers(const std::string& prefix, const Model& model, Names names, std::vector<Tensor>* out) {
  std::vector<Tensor>& tensors = *out;
  const auto layerName = [&](size_t layer, const char* part) { return prefix + core::layerName(layer, part); };
  const auto parameterName = [&](size_t layer, const rules::LearnedParameter& parameter) {
    return prefix + core::parameterName(layer, parameter);
  };
  for (size_t k = 0; k < model.layers.size(); ++k) {
    const LayerDefinition& definition = model.definition.layers[k];
    const LayerState& layer = model.layers[k];
    if (definition.kind == LayerKind::Dense) {
      tensors.push_back(tensorOf(layerName(k, "weights"), {definition.units, definition.inputs}, layer.weights.values));
    } else {
      const CsrMatrix& matrix = layer.weights;
      tensors.push_back(tensorOf(layerName(k, "rowPointers"), {matrix.rowPointers.size()}, matrix.rowPointers));
      tensors.push_back(tensorOf(layerName(k, "columnIndices"), {matrix.count()}, matrix.columnIndices));
      tensors.push_back(tensorOf(layerName(k, "weights"), {matrix.count()}, matrix.values));
    }
    if (definition.bias) tensors.push_back(tensorOf(layerName(k, "bias"), {layer.bias.size()}, layer.bias));
    const Span<const rules::LearnedParameter> learned = rules::learnedOf(definition.activation.rule);
    for (size_t i = 0; i < learned.size(); ++i)
      tensors.push_back(
          tensorOf(parameterName(k, learned[i]), {definition.units},
                   Span<const float>(layer.activationParameters).part(i * definition.units, definition.units)));
    const uint64_t count = layer.weights.values.size();
    addState(layerName(k, "weights"), weightShape(definition, count), names, layer.weightState, 0, count, out);
    if (definition.bias)
      addState(layerName(k, "bias"), {definition.units}, names, layer.biasState, 0, definition.units, out);
    for (size_t i = 0; i < learned.size(); ++i)
      addState(parameterName(k, learned[i]), {definition.units}, names, layer.activationState, i * definition.units,
               definition.units, out);
  }
}

void addScaling(const Scaling& scaling, std::vector<Tensor>* out) {
  std::vector<Tensor>& tensors = *out;
  if (isStored(scaling)) {
    tensors.push_back(tensorOf(kMeanName, {scaling.mean.size()}, scaling.mean));
    tensors.push_back(tensorOf(kScaleName, {scaling.scale.size()}, scaling.scale));
  }
}

Status write(const std::string& path, const Model& model, const std::string& json) {
  // What modelFromFile would refuse is not written: the file that is there stays.
  SETNET_TRY(validateModel(model));
  std::vector<Tensor> tensors;
  addLayers("", model, {}, &tensors);
  addScaling(model.scaling, &tensors);
  return writeTensorFile(path, {{kJsonKey, json}}, tensors);
}

Status writeCheckpoint(const std::string& path, const Checkpoint& checkpoint, const std::string& json) {
  SETNET_TRY(validateModel(*checkpoint.model));
  std::vector<Tensor> tensors;
  const Names names = hasStateInFile(checkpoint) ? stateNames(checkpoint.optimizer) : Names();
  addLayers("", *checkpoint.model, names, &tensors);
  if (checkpoint.best) {
    SETNET_TRY(validateModel(*checkpoint.best));
    addLayers("best.", *checkpoint.best, names, &tensors);
  }
  addScaling(checkpoint.model->scaling, &tensors);
  return writeTensorFile(path, {{kJsonKey, json}}, tensors);
}

// Takes tensors out of a file, and knows at the end whether something was left.
class ModelReader {
 public:
  explicit ModelReader(TensorFile* file) : file_(*file) {}

  // What all names of layers begin with from now on.
  void setPrefix(const char* prefix) { prefix_ = prefix; }

  // The optimizer state of a layer that has been read.
  Status state(size_t k, const LayerDefinition& definition, Names names, LayerState* layer) {
    const std::vector<uint64_t> shape = weightShape(definition, layer->weights.values.size());
    for (const char* name : names) {
      const std::string end = std::string(".state.") + name;
      layer->weightState.emplace_back();
      SETNET_TRY(take(layerName(k, "weights") + end, shape, &layer->weightState.back()));
      layer->biasState.emplace_back();
      if (definition.bias) SETNET_TRY(take(layerName(k, "bias") + end, {definition.units}, &layer->biasState.back()));
      layer->activationState.emplace_back();
      for (const rules::LearnedParameter& parameter : rules::learnedOf(definition.activation.rule)) {
        std::vector<float> values;
        SETNET_TRY(take(parameterName(k, parameter) + end, {definition.units}, &values));
        layer->activationState.back().insert(layer->activationState.back().end(), values.begin(), values.end());
      }
    }
    return Status();
  }

  Status failure(const std::string& message) const {
    return Status(Code::Format, "'" + file_.path + "' does not hold the model it describes: " + message);
  }

  Status layer(size_t k, const LayerDefinition& definition, LayerState* out) {
    if (definition.units == 0 || definition.units >= std::numeric_limits<uint64_t>::max() || definition.inputs == 0 ||
        definition.inputs > kMaxColumns)
      return failure("layer " + std::to_string(k) + " is said to have " + std::to_string(definition.inputs) +
                     " inputs and " + std::to_string(definition.units) + " units");
    CsrMatrix& matrix = out->weights;
    matrix.rows = definition.units;
    matrix.columns = definition.inputs;
    if (definition.kind == LayerKind::Dense) {
      SETNET_TRY(take(layerName(k, "weights"), {definition.units, definition.inputs}, &matrix.values));
    } else {
      SETNET_TRY(take(layerName(k, "rowPointers"), {definition.units + 1}, &matrix.rowPointers));
      SETNET_TRY(takeVector(layerName(k, "columnIndices"), &matrix.columnIndices));
      SETNET_TRY(take(layerName(k, "weights"), {matrix.count()}, &matrix.values));
      const Status valid = matrix.validate();
      if (!valid.ok()) return failure("layer " + std::to_string(k) + ": " + valid.message());
    }
    if (definition.bias) SETNET_TRY(take(layerName(k, "bias"), {definition.units}, &out->bias));
    for (const rules::LearnedParameter& parameter : rules::learnedOf(definition.activation.rule)) {
      std::vector<float> values;
      SETNET_TRY(take(parameterName(k, parameter), {definition.units}, &values));
      out->activationParameters.insert(out->activationParameters.end(), values.begin(), values.end());
    }
    return Status();
  }

  Status scaling(uint64_t inputs, Scaling* scaling) {
    scaling->mean.clear();
    scaling->scale.clear();
    if (!isStored(*scaling)) return Status();
    uint64_t count = scaling->kind == Scaling::Kind::Global ? 1 : inputs;
    // Given by the caller: per feature, or one pair for all.
    const Tensor* mean = file_.find(kMeanName);
    if (scaling->kind == Scaling::Kind::Given && mean && mean->shape == std::vector<uint64_t>{1}) count = 1;
    SETNET_TRY(take(kMeanName, {count}, &scaling->mean));
    return take(kScaleName, {count}, &scaling->scale);
  }

  // Something that nothing asked for is a sign of a file that means something else.
  Status expectNothingLeft() const {
    for (const Tensor& tensor : file_.tensors) {
      bool known = false;
      for (const Tensor* taken : taken_) known = known || taken == &tensor;
      if (!known) return failure("tensor '" + tensor.name + "' has no place in it");
    }
    return Status();
  }

 private:
  std::string layerName(size_t layer, const char* part) const { return prefix_ + core::layerName(layer, part); }
  std::string parameterName(size_t layer, const rules::LearnedParameter& parameter) const {
    return prefix_ + core::parameterName(layer, parameter);
  }

  template <class T>
  Status find(const std::string& name, const Tensor** out) {
    *out = file_.find(name);
    if (!*out) return failure("tensor '" + name + "' is missing");
    if ((*out)->type != typeOf<T>())
      return failure("tensor '" + name + "' has dtype " + entryOf((*out)->type).name + ", " +
                     entryOf(typeOf<T>()).name + " expected");
    taken_.push_back(*out);
    return Status();
  }

  template <class T>
  Status take(const std::string& name, const std::vector<uint64_t>& shape, std::vector<T>* out) {
    const Tensor* tensor;
    SETNET_TRY(find<T>(name, &tensor));
    if (tensor->shape != shape)
      return failure("tensor '" + name + "' has shape " + shapeText(tensor->shape) + ", " + shapeText(shape) +
                     " expected");
    *out = file_.take<T>(*tensor);
    return Status();
  }

  // One dimension, of any extent.
  template <class T>
  Status takeVector(const std::string& name, std::vector<T>* out) {
    const Tensor* tensor;
    SETNET_TRY(find<T>(name, &tensor));
    if (tensor->shape.size() != 1)
      return failure("tensor '" + name + "' has shape " + shapeText(tensor->shape) + ", one dimension expected");
    *out = file_.take<T>(*tensor);
    return Status();
  }

  TensorFile& file_;
  std::string prefix_;
  std::vector<const Tensor*> taken_;
};

// The layers of a model like `shell`, with the state of these names.
Status readLayers(ModelReader* reader, const Model& shell, Names names, Ref<Model>* out) {
  Ref<Model> model(new Model);
  model->definition = shell.definition;
  model->scaling = shell.scaling;
  model->counters = shell.counters;
  model->loss = shell.loss;
  model->finalised = shell.finalised;
  model->layers.resize(shell.definition.layers.size());
  for (size_t k = 0; k < model->layers.size(); ++k) {
    SETNET_TRY(reader->layer(k, model->definition.layers[k], &model->layers[k]));
    SETNET_TRY(reader->state(k, model->definition.layers[k], names, &model->layers[k]));
  }
  *out = std::move(model);
  return Status();
}

// `checkpoint` null: a model alone.
Status read(TensorFile* file, const Model& shell, bool hasBest, Checkpoint* checkpoint, Ref<Model>* out) {
  ModelReader reader(file);
  // Without them nothing vouches for the content: the container's reader asks for a checksum only in files of ours.
  if (!file->findMetadata(kJsonKey) || !file->findMetadata(kChecksumKey))
    return reader.failure("its metadata lack 'setnet' or 'setnet_checksum'");
  const Names names = checkpoint && hasStateInFile(*checkpoint) ? stateNames(checkpoint->optimizer) : Names();
  Ref<Model> model, best;
  SETNET_TRY(readLayers(&reader, shell, names, &model));
  SETNET_TRY(reader.scaling(model->definition.inputs, &model->scaling));
  const auto validate = [&](const Model& read) {
    const Status valid = validateModel(read);
    return valid.ok() ? valid : reader.failure(valid.message());
  };
  if (hasBest) {
    reader.setPrefix("best.");
    SETNET_TRY(readLayers(&reader, shell, names, &best));
    best->scaling = model->scaling;
    SETNET_TRY(validate(*best));
  }
  SETNET_TRY(reader.expectNothingLeft());
  SETNET_TRY(validate(*model));
  if (checkpoint) {
    checkpoint->model = model;
    checkpoint->best = best;
  }
  *out = model;
  return Status();
}

}  // namespace

Status writeModelFile(const std::string& path, const Model& model, const std::string& json) {
  return withinMemory("write", path, [&] { return write(path, model, json); });
}

Status modelFromFile(TensorFile* file, const Model& shell, Ref<Model>* out) {
  return withinMemory("load", file->path, [&] { return read(file, shell, false, nullptr, out); });
}

Status writeCheckpointFile(const std::string& path, const Checkpoint& checkpoint, const std::string& json) {
  return withinMemory("write", path, [&] { return writeCheckpoint(path, checkpoint, json); });
}

Status checkpointFromFile(TensorFile* file, const Model& shell, bool hasBest, Checkpoint* checkpoint) {
  Ref<Model> model;
  return withinMemory("load", file->path, [&] { return read(file, shell, hasBest, checkpoint, &model); });
}

}  // namespace setnet::core
