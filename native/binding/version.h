// The version of the package; the same as in package.json (a test compares them).
#pragma once

namespace setnet::binding {

constexpr const char* kVersion = "0.1.0";

}  // namespace setnet::binding
