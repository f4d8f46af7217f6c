#include "binding/job.h"

#include "binding/errors.h"
#include "binding/process.h"

namespace setnet::binding {

Napi::Promise Job::start(Napi::Env env, AddonData& addon, Ref<Job> job) {
  job->addon_ = Ref<AddonData>(&addon);
  job->deferred_.emplace(Napi::Promise::Deferred::New(env));
  const Napi::Promise promise = job->deferred_->Promise();
  addon.jobs.emplace(job.get(), job);
  addon.mailbox->expect();
  Process::instance().jobs.fetch_add(1);
  const Status status = Process::instance().executor.submit(job);
  if (!status.ok()) {
    job->settle();
    job->letGo();
    job->deferred_->Reject(makeError(env, status).Value());
  }
  return promise;
}

void Job::execute() {
  try {
    status_ = run();
  } catch (...) {
    status_ = statusOfException();
  }
  addon_->mailbox->post(Ref<Correspondent>(this));
}

void Job::settle() {
  Process::instance().jobs.fetch_sub(1);
  addon_->mailbox->settle();
  addon_->jobs.erase(this);
}

bool Job::deliver(Napi::Env env) {
  const Ref<Job> alive(this);
  settle();
  letGo();
  // The promise is settled outside of the try blocks: it can be tried only once.
  napi_value value = nullptr;
  bool answered = false;
  try {
    check(env, status_);
    value = answer(env, *addon_);
    answered = true;
  } catch (const Napi::Error& error) {
    value = error.Value();
  } catch (...) {
    value = makeError(env, statusOfException()).Value();
  }
  if (answered)
    deferred_->Resolve(value);
  else
    deferred_->Reject(value);
  return false;
}

void Job::abandon() {
  Process::instance().executor.withdraw(*this);
  Process::instance().jobs.fetch_sub(1);
  letGo();
}

}  // namespace setnet::binding
