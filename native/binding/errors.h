// The one place that makes JavaScript errors: an Error whose `code` is ERR_SETNET_<NAME>. lib/ turns them into
// SetnetErrors. Within the binding a JavaScript exception travels as node-addon-api's Napi::Error; nothing below the
// binding throws on purpose, but memory that cannot be had arrives as std::bad_alloc and is named here as well.
#pragma once

#include <napi.h>

#include <string>

#include "base/status.h"

namespace setnet::binding {

// The error of a failed status.
Napi::Error makeError(Napi::Env env, const Status& status);

[[noreturn]] void fail(Napi::Env env, Code code, const std::string& message);

// Throws where the status is not ok.
inline void check(Napi::Env env, const Status& status) {
  if (!status.ok()) throw makeError(env, status);
}

// Within catch (...): the C++ exception in flight as a status (for threads that have no JavaScript).
Status statusOfException();

// Within catch (...): makes the C++ exception in flight the pending JavaScript exception. Never throws.
void rethrowInJavaScript(napi_env env) noexcept;

// Where JavaScript calls us: nothing but a pending JavaScript exception leaves `body`.
template <class Body>
napi_value guarded(napi_env env, Body body) noexcept {
  try {
    return body();
  } catch (...) {
    rethrowInJavaScript(env);
    return nullptr;
  }
}

// Where native code calls JavaScript functions on its own account (from the mailbox): what a callback throws has no
// caller to go to, so it becomes an uncaught exception of the process. Never throws.
void reportUncaught(Napi::Env env, const Napi::Error& error) noexcept;

}  // namespace setnet::binding
