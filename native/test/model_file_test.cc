// Models in files: every bit comes back, and a file whose tensors do not fit the definition is refused, by name.
#include "core/model_file.h"

#include <cstring>
#include <limits>

#include "base/philox.h"
#include "test/check.h"
#include "test/temporary_folder.h"

namespace {

using namespace setnet;
using core::LayerDefinition;
using core::LayerKind;
using core::Model;
using core::Scaling;
using core::Tensor;
using core::TensorFile;
using core::TensorType;
using test::readText;
using test::TemporaryFolder;
using test::writeText;

const std::string kJson = "{\"format\":1,\"names\":[\"ä\",\"\\\"\"]}";

LayerDefinition layerOf(LayerKind kind, uint64_t inputs, uint64_t units) {
  LayerDefinition layer;
  layer.kind = kind;
  layer.inputs = inputs;
  layer.units = units;
  layer.budget.density = kind == LayerKind::Dense ? -1 : 0.3;
  return layer;
}

// 7 sparse 9 masked 5 dense 3; the masked layer has no bias, and an activation that learns.
Ref<Model> exampleModel(uint64_t seed = 5) {
  core::NetworkDefinition definition;
  definition.inputs = 7;
  definition.seed = seed;
  definition.layers = {layerOf(LayerKind::Sparse, 7, 9), layerOf(LayerKind::Masked, 9, 5),
                       layerOf(LayerKind::Dense, 5, 3)};
  definition.layers[1].bias = false;
  definition.layers[1].activation.rule = static_cast<int>(rules::Activation::Srelu);
  Scaling scaling;
  scaling.kind = Scaling::Kind::PerFeature;
  scaling.known = true;
  scaling.mean = {0, 1, 2, 3, 4, 5, 6};
  scaling.scale = {1, 0.5f, 0.25f, 0, 2, 1e-30f, 3};
  Ref<Model> model;
  const Status made = core::createModel(definition, scaling, &model);
  if (!made.ok()) FAIL(made.message());
  model->counters = {123456789012345, 17, 16};
  model->loss = 0;
  model->finalised = true;
  // Numbers that a careless copy would lose: signed zero, subnormals, the largest.
  model->layers[0].bias = {-0.0f, 1e-45f, -1e-40f, 3.4028235e38f, 0, 1, 2, 3, 4};
  return model;
}

// What the metadata know about a model.
Ref<Model> shellOf(const Model& model) {
  Ref<Model> shell(new Model);
  shell->definition = model.definition;
  shell->scaling = model.scaling;
  shell->scaling.mean.clear();
  shell->scaling.scale.clear();
  shell->counters = model.counters;
  shell->loss = model.loss;
  shell->finalised = model.finalised;
  return shell;
}

template <class T>
bool sameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void checkSame(const Model& a, const Model& b) {
  REQUIRE(a.layers.size() == b.layers.size());
  for (size_t k = 0; k < a.layers.size(); ++k) {
    CHECK_EQ(a.layers[k].weights.rows, b.layers[k].weights.rows);
    CHECK_EQ(a.layers[k].weights.columns, b.layers[k].weights.columns);
    CHECK(sameBits(a.layers[k].weights.rowPointers, b.layers[k].weights.rowPointers));
    CHECK(sameBits(a.layers[k].weights.columnIndices, b.layers[k].weights.columnIndices));
    CHECK(sameBits(a.layers[k].weights.values, b.layers[k].weights.values));
    CHECK(sameBits(a.layers[k].bias, b.layers[k].bias));
    CHECK(sameBits(a.layers[k].activationParameters, b.layers[k].activationParameters));
  }
  CHECK(sameBits(a.scaling.mean, b.scaling.mean));
  CHECK(sameBits(a.scaling.scale, b.scaling.scale));
  CHECK_EQ(a.scaling.known, b.scaling.known);
  CHECK_EQ(a.counters.step, b.counters.step);
  CHECK_EQ(a.counters.epoch, b.counters.epoch);
  CHECK_EQ(a.counters.evolution, b.counters.evolution);
  CHECK_EQ(a.loss, b.loss);
  CHECK_EQ(a.finalised, b.finalised);
}

Status load(const std::string& path, const Model& shell, Ref<Model>* model) {
  Ref<TensorFile> file;
  SETNET_TRY(core::readTensorFile(path, &file));
  return core::modelFromFile(file.get(), shell, model);
}

TEST("a model comes back bit for bit, and equal models make equal bytes") {
  const TemporaryFolder folder;
  const Ref<Model> model = exampleModel();
  CHECK_EQ(core::writeModelFile(folder / "a", *model, kJson).message(), "");
  Ref<TensorFile> file;
  CHECK_EQ(core::readTensorFile(folder / "a", &file).message(), "");
  REQUIRE(file);
  REQUIRE(file->findMetadata("setnet") != nullptr);
  CHECK_EQ(*file->findMetadata("setnet"), kJson);
  Ref<Model> back;
  CHECK_EQ(core::modelFromFile(file.get(), *shellOf(*model), &back).message(), "");
  REQUIRE(back);
  checkSame(*back, *model);
  CHECK_EQ(core::topologyDigest(*back), core::topologyDigest(*model));

  CHECK(core::writeModelFile(folder / "b", *back, kJson).ok());
  CHECK(core::writeModelFile(folder / "c", *exampleModel(), kJson).ok());
  CHECK(core::writeModelFile(folder / "other", *exampleModel(6), kJson).ok());
  CHECK(readText(folder / "b") == readText(folder / "a"));
  CHECK(readText(folder / "c") == readText(folder / "a"));
  CHECK(readText(folder / "other") != readText(folder / "a"));
}

TEST("tensors have the documented names, types and shapes") {
  const TemporaryFolder folder;
  const Ref<Model> model = exampleModel();
  REQUIRE(core::writeModelFile(folder / "a", *model, kJson).ok());
  Ref<TensorFile> file;
  REQUIRE(core::readTensorFile(folder / "a", &file).ok());
  const auto check = [&](const std::string& name, TensorType type, const std::vector<uint64_t>& shape) {
    const Tensor* tensor = file->find(name);
    if (!tensor) return FAIL(name + " is missing");
    CHECK(tensor->type == type);
    CHECK(tensor->shape == shape);
  };
  const uint64_t first = model->layers[0].weights.count(), second = model->layers[1].weights.count();
  check("layers.0.rowPointers", TensorType::U64, {10});
  check("layers.0.columnIndices", TensorType::U32, {first});
  check("layers.0.weights", TensorType::F32, {first});
  check("layers.0.bias", TensorType::F32, {9});
  check("layers.1.rowPointers", TensorType::U64, {6});
  check("layers.1.columnIndices", TensorType::U32, {second});
  check("layers.1.weights", TensorType::F32, {second});
  for (const char* name : {"leftThreshold", "leftSlope", "gap", "rightSlope"})
    check(std::string("layers.1.activation.") + name, TensorType::F32, {5});
  check("layers.2.weights", TensorType::F32, {3, 5});
  check("layers.2.bias", TensorType::F32, {3});
  check("scaling.mean", TensorType::F32, {7});
  check("scaling.scale", TensorType::F32, {7});
  CHECK_EQ(file->tensors.size(), 15u);
  const float* gap = reinterpret_cast<const float*>(file->find("layers.1.activation.gap")->bytes.data());
  for (size_t u = 0; u < 5; ++u) CHECK_EQ(gap[u], model->layers[1].activationParameters[10 + u]);
}

TEST("every kind of scaling comes back") {
  const TemporaryFolder folder;
  struct Row {
    Scaling::Kind kind;
    bool known;
    size_t size;
  };
  for (const Row& row : {Row{Scaling::Kind::None, true, 0}, Row{Scaling::Kind::PerFeature, false, 0},
                         Row{Scaling::Kind::Global, false, 0}, Row{Scaling::Kind::Global, true, 1},
                         Row{Scaling::Kind::Given, true, 1}, Row{Scaling::Kind::Given, true, 7}}) {
    const Ref<Model> model = exampleModel();
    model->scaling.kind = row.kind;
    model->scaling.known = row.known;
    model->scaling.mean.assign(row.size, 0.5f);
    model->scaling.scale.assign(row.size, 2.0f);
    model->scaling.hasMissing = true;
    model->scaling.missing = -1;
    CHECK_EQ(core::writeModelFile(folder / "a", *model, kJson).message(), "");
    Ref<Model> back;
    CHECK_EQ(load(folder / "a", *shellOf(*model), &back).message(), "");
    if (back) checkSame(*back, *model);
  }
}

// ---- damage: the tensors of a good file, changed, in a container that is valid and has its checksum ----

struct Parts {
  Ref<TensorFile> file;
  std::vector<Tensor> tensors;
  std::vector<std::vector<uint8_t>> storage;
  std::vector<std::pair<std::string, std::string>> metadata{{"setnet", kJson}};

  Tensor* find(const std::string& name) {
    for (Tensor& tensor : tensors)
      if (tensor.name == name) return &tensor;
    return nullptr;
  }
  void erase(const std::string& name) { tensors.erase(tensors.begin() + (find(name) - tensors.data())); }
  // A private copy of the bytes with element `at` replaced.
  template <class T>
  void set(const std::string& name, size_t at, T value) {
    Tensor* tensor = find(name);
    storage.emplace_back(tensor->bytes.begin(), tensor->bytes.end());
    std::memcpy(storage.back().data() + at * sizeof(T), &value, sizeof value);
    tensor->bytes = storage.back();
  }
};

// Loads the example after `change` and wants Code::Format with the reason.
template <class Change>
void checkRefused(const std::string& reason, Change change) {
  static const TemporaryFolder folder;
  const Ref<Model> model = exampleModel();
  REQUIRE(core::writeModelFile(folder / "good", *model, kJson).ok());
  Parts parts;
  REQUIRE(core::readTensorFile(folder / "good", &parts.file).ok());
  parts.tensors = parts.file->tensors;
  parts.storage.reserve(16);
  const Ref<Model> shell = shellOf(*model);
  change(parts, *shell);
  const Status written = core::writeTensorFile(folder / "bad", parts.metadata, parts.tensors);
  if (!written.ok()) return FAIL(written.message());
  Ref<Model> back;
  const Status status = load(folder / "bad", *shell, &back);
  CHECK(!back);
  CHECK(status.code() == Code::Format);
  if (status.message().find(reason) == std::string::npos)
    FAIL("\"" + reason + "\" expected in: " + (status.ok() ? "success" : status.message()));
  if (!status.ok()) CHECK(status.message().find(folder / "bad") != std::string::npos);
}

TEST("tensors that are missing, too many, of another type or shape are refused by name") {
  for (const char* name : {"layers.0.rowPointers", "layers.0.columnIndices", "layers.0.weights", "layers.0.bias",
                           "layers.2.weights", "layers.2.bias", "scaling.mean", "scaling.scale"})
    checkRefused("tensor '" + std::string(name) + "' is missing", [&](Parts& parts, Model&) { parts.erase(name); });
  for (const char* name : {"leftThreshold", "leftSlope", "gap", "rightSlope"}) {
    const std::string tensor = std::string("layers.1.activation.") + name;
    checkRefused("tensor '" + tensor + "' is missing", [&](Parts& parts, Model&) { parts.erase(tensor.c_str()); });
  }
  checkRefused("'layers.1.activation.gap' has shape [1, 5], [5] expected", [](Parts& parts, Model&) {
    parts.find("layers.1.activation.gap")->shape = {1, 5};
  });
  checkRefused("'layers.1.activation.gap' has dtype U32, F32 expected",
               [](Parts& parts, Model&) { parts.find("layers.1.activation.gap")->type = TensorType::U32; });
  checkRefused("'layers.1.activation.leftThreshold' has no place in it", [](Parts&, Model& shell) {
    shell.definition.layers[1].activation.rule = static_cast<int>(rules::Activation::Relu);
  });
  checkRefused("", [](Parts&, Model& shell) { shell.definition.layers[1].activation.rule = 99; });
  checkRefused("", [](Parts&, Model& shell) { shell.definition.layers[1].activation.rule = -1; });
  checkRefused("tensor 'extra' has no place in it", [](Parts& parts, Model&) {
    parts.tensors.push_back({"extra", TensorType::F32, {0}, {}});
  });
  checkRefused("'layers.1.bias' has no place in it", [](Parts& parts, Model&) {
    parts.tensors.push_back({"layers.1.bias", TensorType::F32, {0}, {}});
  });
  checkRefused("'layers.0.columnIndices' has dtype F32, U32 expected",
               [](Parts& parts, Model&) { parts.find("layers.0.columnIndices")->type = TensorType::F32; });
  checkRefused("'layers.0.bias' has dtype U32, F32 expected",
               [](Parts& parts, Model&) { parts.find("layers.0.bias")->type = TensorType::U32; });
  checkRefused("'layers.2.weights' has shape [5, 3], [3, 5] expected", [](Parts& parts, Model&) {
    parts.find("layers.2.weights")->shape = {5, 3};
  });
  checkRefused("'layers.0.columnIndices' has shape [1, ", [](Parts& parts, Model&) {
    Tensor* tensor = parts.find("layers.0.columnIndices");
    tensor->shape.insert(tensor->shape.begin(), 1);
  });
  checkRefused("'layers.0.weights' has shape", [](Parts& parts, Model&) {
    Tensor* tensor = parts.find("layers.0.weights");
    tensor->shape[0] -= 1;
    tensor->bytes = tensor->bytes.part(0, tensor->bytes.size() - 4);
  });
}

TEST("a matrix that indexing could not rely on is refused") {
  const auto set64 = [](const char* reason, size_t at, uint64_t value) {
    checkRefused(reason, [&](Parts& parts, Model&) { parts.set("layers.0.rowPointers", at, value); });
  };
  set64("layer 0", 0, 1);
  set64("layer 0", 3, 1000000);
  set64("layer 0", 9, 0);
  set64("layer 0", 9, ~uint64_t{0});
  const core::CsrMatrix good = exampleModel()->layers[0].weights;
  checkRefused("layer 0", [](Parts& parts, Model&) { parts.set("layers.0.columnIndices", 0, uint32_t{7}); });
  checkRefused("layer 0", [](Parts& parts, Model&) { parts.set("layers.0.columnIndices", 0, 0xFFFFFFFFu); });
  for (size_t row = 0; row < 9; ++row) {
    const size_t begin = good.rowPointers[row];
    if (good.rowPointers[row + 1] - begin < 2) continue;
    checkRefused("layer 0", [&](Parts& parts, Model&) {
      parts.set("layers.0.columnIndices", begin + 1, good.columnIndices[begin]);  // a cell twice
    });
  }
}

TEST("numbers that are not finite are neither loaded nor written") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* name : {"layers.0.weights", "layers.0.bias", "layers.1.activation.rightSlope", "layers.2.weights",
                           "scaling.mean", "scaling.scale"})
    for (const float bad : {infinity, -infinity, nan})
      checkRefused("", [&](Parts& parts, Model&) { parts.set(name, 1, bad); });
  const TemporaryFolder folder;
  const Ref<Model> model = exampleModel();
  REQUIRE(core::writeModelFile(folder / "a", *model, kJson).ok());
  const std::string before = readText(folder / "a");
  model->layers[2].weights.values[4] = nan;
  CHECK(core::writeModelFile(folder / "a", *model, kJson).code() == Code::Nonfinite);
  CHECK(readText(folder / "a") == before);
}

TEST("a definition that the tensors do not fit is refused, however large its numbers") {
  const uint64_t huge = ~uint64_t{0};
  for (const uint64_t units : {uint64_t{0}, uint64_t{8}, uint64_t{10}, uint64_t{1} << 40, huge - 1, huge})
    checkRefused("", [&](Parts&, Model& shell) { shell.definition.layers[0].units = units; });
  for (const uint64_t inputs : {uint64_t{0}, uint64_t{6}, uint64_t{8}, uint64_t{1} << 32, huge})
    checkRefused("", [&](Parts&, Model& shell) { shell.definition.layers[0].inputs = inputs; });
  for (const uint64_t inputs : {uint64_t{0}, uint64_t{6}, uint64_t{8}, huge})
    checkRefused("", [&](Parts&, Model& shell) { shell.definition.inputs = inputs; });
  checkRefused("", [](Parts&, Model& shell) { shell.definition.layers.clear(); });
  checkRefused("has no place in it", [](Parts&, Model& shell) { shell.definition.layers.pop_back(); });
  checkRefused("'layers.3.weights' is missing",
               [](Parts&, Model& shell) { shell.definition.layers.push_back(layerOf(LayerKind::Dense, 3, 2)); });
  checkRefused("", [](Parts&, Model& shell) { shell.definition.layers[0].kind = LayerKind::Dense; });
  checkRefused("'layers.2.rowPointers' is missing",
               [](Parts&, Model& shell) { shell.definition.layers[2].kind = LayerKind::Sparse; });
  checkRefused("", [](Parts&, Model& shell) { shell.definition.layers[0].dropout = 1; });
  checkRefused("", [](Parts&, Model& shell) { shell.loss = 1000; });
  checkRefused("'scaling.mean' has shape [7], [1] expected",
               [](Parts&, Model& shell) { shell.scaling.kind = Scaling::Kind::Global; });
  checkRefused("has no place in it", [](Parts&, Model& shell) { shell.scaling.known = false; });
  checkRefused("its metadata lack 'setnet'", [](Parts& parts, Model&) { parts.metadata.clear(); });
}

TEST("2,000 random changes and truncations of a model file are all refused") {
  const TemporaryFolder folder;
  const Ref<Model> model = exampleModel();
  REQUIRE(core::writeModelFile(folder / "a", *model, kJson).ok());
  const std::string good = readText(folder / "a");
  const Ref<Model> shell = shellOf(*model);
  const RandomStream stream{11, Purpose::Trigger, 0, 0};
  for (uint64_t i = 0; i < 2000; ++i) {
    const PhiloxBlock draw = stream.block(i);
    std::string bad = good;
    if (draw.word[1] % 4 == 0) {
      bad.resize(draw.word[0] % bad.size());
    } else {
      const int changes = 1 + static_cast<int>(draw.word[1] / 4 % 3);
      for (int c = 0; c < changes; ++c) {
        const PhiloxBlock place = stream.block(1000000 + 3 * i + static_cast<uint64_t>(c));
        char& byte = bad[place.word[0] % bad.size()];
        byte = static_cast<char>(byte + 1 + place.word[1] % 255);
      }
    }
    if (bad == good) continue;
    writeText(folder / "bad", bad);
    Ref<Model> back;
    const Status status = load(folder / "bad", *shell, &back);
    CHECK(status.code() == Code::Format);
    CHECK(!back);
  }
}

}  // namespace

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
