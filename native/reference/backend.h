// The reference backend: a whole network in plain double precision, the truth that tests compare other backends with.
// Written for reading: loops over samples, units and connections; no SIMD, no threads, no second form of anything.
#pragma once

#include "backend/backend.h"

namespace setnet::reference {

// Weights, optimizer state and activations are double; features are scaled in f32 as backend.h and core::Scaling say,
// dropout decides as everywhere, evolution looks at the weights rounded to f32. `threads` is taken and not used.
const backend::Backend& backend();

}  // namespace setnet::reference
