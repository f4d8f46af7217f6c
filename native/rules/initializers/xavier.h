#pragma once

#include <cmath>

#include "rules/initializers/fans.h"
#include "rules/rule.h"

namespace setnet::rules {

// Glorot and Bengio 2010: the variance 2 / (fanIn + fanOut) is a compromise between signals and gradients, meant for
// activations that are linear around 0. Both fans are the sparse means.

// U(-sqrt(6 / (fanIn + fanOut)), sqrt(6 / (fanIn + fanOut))).
struct XavierUniform : NoParameters {
  static constexpr const char* name = "xavierUniform";
  static constexpr bool normal = false;
  static double scale(const double*, const Fans& fans) {
    return fans.in + fans.out > 0 ? std::sqrt(6 / (fans.in + fans.out)) : 0;
  }
};

// N(0, 2 / (fanIn + fanOut)).
struct XavierNormal : NoParameters {
  static constexpr const char* name = "xavierNormal";
  static constexpr bool normal = true;
  static double scale(const double*, const Fans& fans) {
    return fans.in + fans.out > 0 ? std::sqrt(2 / (fans.in + fans.out)) : 0;
  }
};

// U(-sqrt(6 / (inputs + outputs)), sqrt(6 / (inputs + outputs))), as if the layer were dense: what the authors' Keras
// program does, which masks a layer that was initialised whole.
struct DenseXavier : NoParameters {
  static constexpr const char* name = "denseXavier";
  static constexpr bool normal = false;
  static double scale(const double*, const Fans& fans) {
    return fans.denseIn + fans.denseOut > 0 ? std::sqrt(6 / (fans.denseIn + fans.denseOut)) : 0;
  }
};

}  // namespace setnet::rules
