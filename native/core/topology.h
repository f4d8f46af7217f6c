// Which connections a layer starts with.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "core/csr.h"

namespace setnet::core {

enum class Draw : int { Exact, Bernoulli, WithReplacement };
constexpr const char* kDrawNames[] = {"exact", "bernoulli", "withReplacement"};

// How many connections are asked for: `connections` where that is >= 0 (a layer made from a matrix has as many as that
// had), else density * inputs * units where density >= 0, else epsilon * (inputs + units).
struct Budget {
  double epsilon = 20;
  double density = -1;
  int64_t connections = -1;
};

// min(N, round(...)): round half away from zero.
uint64_t requestedConnections(const Budget& budget, uint64_t inputs, uint64_t units);

// The matrix with its topology; values are 0. Memory: Status with Code::Memory where the request cannot be held.
Status drawTopology(uint64_t inputs, uint64_t units, const Budget& budget, Draw draw, uint64_t seed, uint32_t layer,
                    CsrMatrix* out);

}  // namespace setnet::core
