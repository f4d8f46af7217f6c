// JavaScript classes around reference-counted C++ objects. A type tag is checked before `this` is unwrapped, and a
// constructor that JavaScript calls on its own is refused, so that native code never sees an object that is not its
// own. A class T gives
//   static constexpr ClassId kClass; static constexpr const char* kClassName; static constexpr napi_type_tag kTag;
//   void onFinalise(Napi::Env env)   the JavaScript object has been collected (no JavaScript can run)
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "base/ref.h"
#include "binding/addon_data.h"
#include "binding/errors.h"

namespace setnet::binding {

template <class T>
class Wrapped {
 public:
  using Function = Napi::Value(T& self, const Napi::CallbackInfo& info);

  template <Function* function>
  static napi_property_descriptor method(AddonData& addon, const char* name) {
    return {name, nullptr, call<function>, nullptr, nullptr, nullptr, napi_default_method, &addon};
  }
  template <Function* function>
  static napi_property_descriptor getter(AddonData& addon, const char* name) {
    return {name, nullptr, nullptr, call<function>, nullptr, nullptr, napi_enumerable, &addon};
  }

  static void define(Napi::Env env, AddonData& addon, const std::vector<napi_property_descriptor>& members) {
    napi_value constructor = nullptr;
    if (napi_define_class(env, T::kClassName, NAPI_AUTO_LENGTH, construct, &addon, members.size(), members.data(),
                          &constructor) != napi_ok)
      throw Napi::Error::New(env);
    addon.classes[static_cast<int>(T::kClass)] = Napi::Persistent(Napi::Function(env, constructor));
  }

  // A new JavaScript object around `object`.
  static Napi::Object make(Napi::Env env, AddonData& addon, const Ref<T>& object) {
    addon.constructing = object.get();
    addon.constructingClass = T::kClass;
    napi_value made = nullptr;
    const napi_status status =
        napi_new_instance(env, addon.classes[static_cast<int>(T::kClass)].Value(), 0, nullptr, &made);
    addon.constructing = nullptr;
    if (status != napi_ok) throw Napi::Error::New(env);
    return Napi::Object(env, made);
  }

  // The object that an argument is; null where it is something else.
  static T* find(Napi::Env env, const Napi::Value& value) {
    bool tagged = false;
    void* object = nullptr;
    if (!value.IsObject() || napi_check_object_type_tag(env, value, &T::kTag, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env, value, &object) != napi_ok)
      return nullptr;
    return static_cast<T*>(object);
  }

 private:
  static napi_value construct(napi_env env, napi_callback_info raw) {
    return guarded(env, [&]() -> napi_value {
      const Napi::CallbackInfo info(env, raw);
      AddonData& addon = addonOf(info);
      if (!addon.constructing || addon.constructingClass != T::kClass)
        fail(env, Code::Type,
             std::string(T::kClassName) + " objects are made by setnet's functions, not by their constructor");
      T* object = static_cast<T*>(addon.constructing);
      addon.constructing = nullptr;
      object->retain();
      if (napi_wrap(env, info.This(), object, finalise, nullptr, nullptr) != napi_ok) {
        object->release();
        throw Napi::Error::New(env);
      }
      if (napi_type_tag_object(env, info.This(), &T::kTag) != napi_ok) throw Napi::Error::New(env);
      return info.This();
    });
  }

  static void finalise(napi_env env, void* data, void*) {
    T* object = static_cast<T*>(data);
    object->onFinalise(env);
    object->release();
  }

  static T& unwrap(Napi::Env env, const Napi::Value& self) {
    T* object = find(env, self);
    if (object == nullptr)
      fail(env, Code::Type, std::string("this method must be called on a ") + T::kClassName + " of setnet");
    return *object;
  }

  template <Function* function>
  static napi_value call(napi_env env, napi_callback_info raw) {
    return guarded(env, [&]() -> napi_value {
      const Napi::CallbackInfo info(env, raw);
      return function(unwrap(env, info.This()), info);
    });
  }
};

// A function of the module.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
napi_property_descriptor moduleFunction(AddonData& addon, const char* name) {
  const napi_callback callback = [](napi_env env, napi_callback_info raw) -> napi_value {
    return guarded(env, [&]() -> napi_value { return function(Napi::CallbackInfo(env, raw)); });
  };
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_enumerable, &addon};
}

}  // namespace setnet::binding
