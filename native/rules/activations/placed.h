// Activations that depend on where their layer stands. Such a rule also gives
//   place(p, layer)   the values of its specs as its functions want them in layer `layer` (0: the first)
#pragma once

#include <cstdint>

namespace setnet::rules {

template <class Rule>
auto placeParameters(double* p, uint64_t layer, int) -> decltype(Rule::place(p, layer)) {
  Rule::place(p, layer);
}
template <class Rule>
void placeParameters(double*, uint64_t, ...) {}

}  // namespace setnet::rules
