#include "binding/model_file.h"

#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/job.h"
#include "binding/network.h"
#include "binding/network_state.h"
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

// A file's content as a network, and whether its connections are the ones that its run record speaks of.
class OpenNetworkJob : public Job {
 public:
  OpenNetworkJob(Ref<core::TensorFile> file, const NetworkSpec& spec, std::string digest)
      : file_(std::move(file)), digest_(std::move(digest)), threads_(spec.threads) {
    shell.definition = spec.definition;
    shell.scaling = spec.scaling;
  }

  core::Model shell;
  Ref<core::Checkpoint> checkpoint;  // null: a model alone
  bool hasBest = false;

 private:
  Status run() override {
    const Ref<core::TensorFile> file = std::move(file_);
    Ref<core::Model> model;
    if (checkpoint) {
      SETNET_TRY(core::checkpointFromFile(file.get(), shell, hasBest, checkpoint.get()));
      state_ = Ref<NetworkState>(new NetworkState(checkpoint->model, threads_));
      state_->keep(checkpoint);
    } else {
      SETNET_TRY(core::modelFromFile(file.get(), shell, &model));
      state_ = Ref<NetworkState>(new NetworkState(model, threads_));
    }
    const std::string digest = hexOf(state_->topologyDigestOf(state_->published()));
    if (digest == digest_) return Status();
    return Status(Code::Format, file->path + ": run.topologyDigest is " + digest_ +
                                    ", but the connections in the file have " + digest);
  }

  Napi::Value answer(Napi::Env env, AddonData& addon) override { return Network::make(env, addon, state_); }

  Ref<core::TensorFile> file_;
  const std::string digest_;
  const int threads_;
  Ref<NetworkState> state_;
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
  const int64_t bytes = file_ ? static_cast<int64_t>(file_->bytes() + json_.size()) : 0;
  adjustExternalMemory(env, bytes - accounted_);
  accounted_ = bytes;
}

void ModelFile::onFinalise(Napi::Env env) {
  file_ = Ref<core::TensorFile>();
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
  if (!self.file_) fail(info.Env(), Code::State, "this file has been used up or let go");
  const Ref<OpenNetworkJob> job(new OpenNetworkJob(self.file_, spec, requireString(info[3], "digest")));
  parseModelState(info[1], &job->shell);
  if (!info[2].IsNull()) job->checkpoint = parseCheckpoint(info[2], spec.definition.layers.size(), &job->hasBest);
  self.onFinalise(info.Env());
  return Job::start(info.Env(), addonOf(info), job);
}

}  // namespace setnet::binding
