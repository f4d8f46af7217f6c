// What an optimizer's coefficients follow from, beside its parameters.
#pragma once

#include <cstdint>

namespace setnet::rules {

struct OptimizerStep {
  float learningRate = 0;
  uint64_t number = 1;  // steps since the state was all 0, this one included
};

}  // namespace setnet::rules
