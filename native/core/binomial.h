// Binomial random numbers for the number of connections of a Bernoulli topology.
#pragma once

#include <cstdint>

#include "base/philox.h"

namespace setnet::core {

// How many of `trials` independent trials of probability p succeed (0 <= p <= 1), from the stream's blocks 3, 4, ...
// (0, 1 and 2 key the bijection). Inversion where the mean of the rarer outcome is below 10, else Hormann's transformed
// rejection BTRS (Journal of Statistical Computation and Simulation 46, 1993); constant time, no state.
uint64_t binomial(const RandomStream& stream, uint64_t trials, double p);

}  // namespace setnet::core
