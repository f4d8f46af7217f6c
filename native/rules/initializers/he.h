#pragma once

#include <cmath>

#include "rules/initializers/fans.h"
#include "rules/rule.h"

namespace setnet::rules {

// He et al. 2015 (arXiv 1502.01852): the variance 2 / fan-in keeps the signal's size through relu layers. With the
// SPARSE mean fan-in, because only existing connections carry signal. A layer without connections needs no weights.

// U(-sqrt(6 / fanIn), sqrt(6 / fanIn)), whose variance is 2 / fanIn. setnet's default.
struct HeUniform : NoParameters {
  static constexpr const char* name = "heUniform";
  static constexpr bool normal = false;
  static double scale(const double*, const Fans& fans) { return fans.in > 0 ? std::sqrt(6 / fans.in) : 0; }
};

// N(0, 2 / fanIn).
struct HeNormal : NoParameters {
  static constexpr const char* name = "heNormal";
  static constexpr bool normal = true;
  static double scale(const double*, const Fans& fans) { return fans.in > 0 ? std::sqrt(2 / fans.in) : 0; }
};

// N(0, 2 / inputs), as if the layer were dense: the Synapses library's choice. Signals shrink from layer to layer.
struct DenseHe : NoParameters {
  static constexpr const char* name = "denseHe";
  static constexpr bool normal = true;
  static double scale(const double*, const Fans& fans) { return fans.denseIn > 0 ? std::sqrt(2 / fans.denseIn) : 0; }
};

}  // namespace setnet::rules
