#include "binding/model_file.h"

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/job.h"
#include "binding/network.h"
#include "binding/options.h"
#include "binding/wrapped.h"
#include "core/model_file.h"

namespace setnet::binding {

namespace {

class ReadModelFileJob : public Job {
 public:
  explicit ReadModelFileJob(std::string path) : path_(std::move(path)) {}

 private:
  Status run() override {
    Ref<core::TensorFile> file;
    SETNET_TRY(core::readTensorFile(path_, &file));
    const std::string* json = file->findMetadata("setnet");
    if (!json) return Status(Code::Format, path_ + " is not a model of setnet: its metadata have no entry 'setnet'");
    file_ = Ref<ModelFile>(new ModelFile(file, *json));
    return Status();
  }

  Napi::Value answer(Napi::Env env, AddonData& addon) override {
    const Napi::Object made = Wrapped<ModelFile>::make(env, addon, file_);
    file_->account(env);
    return made;
  }

  const std::string path_;
  Ref<ModelFile> file_;
};

}  // namespace

void ModelFile::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<ModelFile>;
  W::define(env, addon,
            {W::getter<json>(addon, "json"), W::method<network>(addon, "network"), W::method<letGo>(addon, "letGo")});
}

Napi::Value ModelFile::read(const Napi::CallbackInfo& info) {
  std::string path = requirePath(info[0], "path");
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new ReadModelFileJob(std::move(path))));
}

void ModelFile::account(Napi::Env env) {
  const int64_t bytes = file_ ? static_cast<int64_t>(file_->data.size() + json_.size()) : 0;
  adjustExternalMemory(env, bytes - accounted_);
  accounted_ = bytes;
}

void ModelFile::onFinalise(Napi::Env env) {
  file_ = Ref<const core::TensorFile>();
  account(env);
}

Napi::Value ModelFile::letGo(ModelFile& self, const Napi::CallbackInfo& info) {
  self.onFinalise(info.Env());
  return info.Env().Undefined();
}

Napi::Value ModelFile::json(ModelFile& self, const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), self.json_);
}

Napi::Value ModelFile::network(ModelFile& self, const Napi::CallbackInfo& info) {
  const NetworkSpec spec = parseNetworkSpec(info[0], ScalingSource::File);
  if (!self.file_) fail(info.Env(), Code::State, "this file has been let go");
  core::Model shell;
  shell.definition = spec.definition;
  shell.scaling = spec.scaling;
  parseModelState(info[1], &shell);
  if (info[2].IsNull()) {
    Ref<core::Model> model;
    check(info.Env(), core::modelFromFile(*self.file_, shell, &model));
    return Network::make(info.Env(), addonOf(info), model, spec.threads);
  }
  bool hasBest = false;
  const Ref<core::Checkpoint> checkpoint = parseCheckpoint(info[2], spec.definition.layers.size(), &hasBest);
  check(info.Env(), core::checkpointFromFile(*self.file_, shell, hasBest, checkpoint.get()));
  const Ref<const core::Model> model = checkpoint->model;
  return Network::make(info.Env(), addonOf(info), model, spec.threads, checkpoint);
}

}  // namespace setnet::binding
