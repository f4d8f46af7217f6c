// How native threads reach the JavaScript thread of an environment. They never hand over data: they say that an object
// has news (Mailbox::post), and the JavaScript thread asks that object for them. An object waits in the box at most
// once and at most one call of the thread-safe function is under way, so that nothing grows while JavaScript is busy.
#pragma once

#include <napi.h>

#include <deque>

#include "base/ref.h"
#include "binding/monitor.h"

namespace setnet::binding {

// Something with news for the JavaScript thread.
class Correspondent : public RefCounted {
 private:
  friend class Mailbox;
  // On the JavaScript thread, within a handle scope: hands over ONE piece of news (so that microtasks run after each)
  // and says whether there is more.
  virtual bool deliver(Napi::Env env) = 0;

  bool queued_ = false;  // in the box; guarded by the mailbox
};

class Mailbox : public RefCounted {
 public:
  // On the JavaScript thread. Throws where the thread-safe function cannot be made.
  static Ref<Mailbox> open(Napi::Env env);

  // Any thread, at any time; nothing happens once the box is closed.
  void post(Ref<Correspondent> sender);

  // On the JavaScript thread: while something is expected the environment's event loop is kept alive.
  void expect();
  void settle();

  // On the JavaScript thread, when the environment ends: drops what is in the box. The thread-safe function closes
  // itself in its own cleanup hook, after which nobody pokes it any more.
  void close();

 private:
  Mailbox() = default;
  static void onPoke(napi_env env, napi_value function, void* context, void* data);
  void deliverOne(napi_env env);
  void poke(MonitorLock&);

  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  long expected_ = 0;  // JavaScript thread only

  Monitor monitor_;  // guards what follows
  std::deque<Ref<Correspondent>> box_;
  bool poked_ = false;
  bool closed_ = false;
};

}  // namespace setnet::binding
