// NativeModule.buildInfo: what a bug report needs to say about the binary and the processor.
#pragma once

#include <napi.h>

namespace setnet::binding {

Napi::Value buildInfo(const Napi::CallbackInfo& info);

}  // namespace setnet::binding
