#include "binding/mailbox.h"

#include "binding/errors.h"

namespace setnet::binding {

Ref<Mailbox> Mailbox::open(Napi::Env env) {
  Ref<Mailbox> mailbox(new Mailbox);
  mailbox->env_ = env;
  // The thread-safe function may outlive everything else of the environment, so it has a reference of its own.
  Mailbox* context = mailbox.get();
  context->retain();
  const auto onClose = [](napi_env, void* data, void*) { static_cast<Mailbox*>(data)->release(); };
  const napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "setnet"), 0, 1, context, onClose,
                                      context, &Mailbox::onPoke, &context->function_);
  if (status != napi_ok) {
    context->release();
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, context->function_);
  return mailbox;
}

void Mailbox::post(Ref<Correspondent> sender) {
  MonitorLock lock(monitor_);
  if (closed_ || sender->queued_) return;
  sender->queued_ = true;
  box_.push_back(std::move(sender));
  poke(lock);
}

void Mailbox::poke(MonitorLock&) {
  if (poked_) return;
  // Under the lock, so that no poke can come after close().
  poked_ = napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void Mailbox::expect() {
  if (expected_++ == 0) napi_ref_threadsafe_function(env_, function_);
}

void Mailbox::settle() {
  if (--expected_ == 0) napi_unref_threadsafe_function(env_, function_);
}

void Mailbox::close() {
  std::deque<Ref<Correspondent>> dropped;
  {
    MonitorLock lock(monitor_);
    closed_ = true;
    dropped.swap(box_);
  }
}

void Mailbox::onPoke(napi_env env, napi_value, void* context, void*) {
  // Without an environment the function is being torn down and only wants its arguments freed; there are none.
  if (env != nullptr) static_cast<Mailbox*>(context)->deliverOne(env);
}

void Mailbox::deliverOne(napi_env env) {
  Ref<Mailbox> alive(this);
  Ref<Correspondent> sender;
  {
    MonitorLock lock(monitor_);
    poked_ = false;
    if (closed_ || box_.empty()) return;
    sender = std::move(box_.front());
    box_.pop_front();
    sender->queued_ = false;
  }
  bool more = false;
  try {
    Napi::HandleScope scope(env);
    more = sender->deliver(env);
  } catch (const Napi::Error& error) {
    reportUncaught(env, error);
  } catch (...) {
    // An allocation that failed while news were converted: the same, said as an error of ours.
    try {
      reportUncaught(env, makeError(env, statusOfException()));
    } catch (...) {
    }
  }
  if (more) post(sender);
  MonitorLock lock(monitor_);
  if (!closed_ && !box_.empty()) poke(lock);
}

}  // namespace setnet::binding
