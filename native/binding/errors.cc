#include "binding/errors.h"

#include <new>
#include <stdexcept>

namespace setnet::binding {

Napi::Error makeError(Napi::Env env, const Status& status) {
  const std::string code = std::string("ERR_SETNET_") + codeName(status.code());
  const Napi::String codeValue = Napi::String::New(env, code);
  const Napi::String message = Napi::String::New(env, status.message());
  napi_value error = nullptr;
  if (napi_create_error(env, codeValue, message, &error) != napi_ok) throw Napi::Error::New(env);
  return Napi::Error(env, error);
}

void fail(Napi::Env env, Code code, const std::string& message) { throw makeError(env, Status(code, message)); }

Status statusOfException() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "memory could not be had");
  } catch (const std::length_error&) {
    return Status(Code::Memory, "more memory than an array can have was asked for");
  } catch (const std::exception& error) {
    return Status(Code::Internal, std::string("an unexpected C++ exception: ") + error.what());
  } catch (...) {
    return Status(Code::Internal, "an unexpected C++ exception without a description");
  }
}

void rethrowInJavaScript(napi_env env) noexcept {
  // The outer try: ThrowAsJavaScriptException throws again where the environment cannot take the exception (it is being
  // torn down); then there is nobody left to tell.
  try {
    try {
      throw;
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
    } catch (...) {
      makeError(env, statusOfException()).ThrowAsJavaScriptException();
    }
  } catch (...) {
  }
}

void reportUncaught(Napi::Env env, const Napi::Error& error) noexcept {
  try {
    napi_fatal_exception(env, error.Value());
  } catch (...) {
  }
}

}  // namespace setnet::binding
