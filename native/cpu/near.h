// Data that another core has written, brought near before it is wanted.
#pragma once

#include "cpu/partition.h"
#include "kernels/kernel_args.h"

namespace setnet::cpu {

// As long as they stay near until they are used.
constexpr int64_t kNearFloats = int64_t{1} << 17;  // half a megabyte

// Brings the rows of some features near this core, one after the other. What kernels then find line by line, in no
// order, would cost a trip to the other core each. They are read, not prefetched: reading in a stream sets the
// processor's own prefetching off, which has more lines under way.
inline void bringNear(const kernels::ConstPanels& panels, int64_t panelCount, Range features) {
  constexpr int64_t kLine = 16;  // floats
  float sum = 0;
  for (int64_t p = 0; p < panelCount; ++p) {
    const float* panel = panels.data + p * panels.stride;
    for (int64_t i = features.begin * panels.width; i < features.end * panels.width; i += kLine) sum += panel[i];
  }
  volatile float sink = sum;  // or nothing of it would be done
  (void)sink;
}

// All of the panels that hold these vectors, where they are few enough.
inline void bringPanelsNear(const kernels::ConstPanels& panels, int64_t vectors, int64_t features) {
  const int64_t perPanel = panels.width / kernels::kLanes;
  const int64_t count = (vectors + perPanel - 1) / perPanel;
  if (features * panels.width * count <= kNearFloats) bringNear(panels, count, {0, features});
}

}  // namespace setnet::cpu
