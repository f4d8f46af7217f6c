// The definition of Sparse Evolutionary Training's evolution on one layer (Mocanu et al. 2018):
// prune by a rule, grow as many by a rule, survivors keep value and state bit for bit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/array.h"
#include "base/phases.h"
#include "base/status.h"
#include "core/csr.h"
#include "rules/grow.h"
#include "rules/initializers.h"
#include "rules/optimizers.h"
#include "rules/prune.h"

namespace setnet::core {

struct EvolutionRules {
  int prune = 0;                   // rules::Prune
  int grow = 0;                    // rules::Grow
  rules::RuleChoice newWeights;    // rules::Initializer; default Zero
  bool newWeightsAsLayer = false;  // newcomers are drawn as the layer's own initializer says
  bool regrowPruned = true;        // a cell pruned in this very step counts as free
  bool keepZeros = false;          // exact zeros are never removed; by default they always are
  bool resetState = false;         // optimizer state starts at 0 again, of all layers, survivors' as well
};

// As many grow as were removed.
constexpr uint64_t kAsRemoved = ~uint64_t{0};

struct LayerEvolutionInput {
  double zeta = 0;
  bool growBack = true;          // false: removal only
  uint64_t budget = kAsRemoved;  // connections to have afterwards
  uint64_t seed = 0;
  uint32_t layer = 0;
  uint64_t evolution = 1;              // t
  rules::RuleChoice layerInitializer;  // for newWeightsAsLayer
  bool measurePhases = false;          // fills in LayerEvolutionReport::phases
};

struct LayerEvolutionReport {
  uint64_t prunedPositive = 0, prunedNegative = 0, prunedZero = 0;
  uint64_t grown = 0;
  uint64_t connections = 0;  // afterwards
  Phases phases;             // seconds; empty where nobody asked
};

// A layer before its evolution, in canonical order: what is known of every connection.
struct EvolutionSource {
  CsrView matrix;
  int stateCount = 0;
  const float* state[rules::kMaxOptimizerState] = {};  // [stateCount][connections] of the optimizer
};

// Where the evolved layer is written, canonical as well. Every array of connections has room where it is as long as
// roomForEvolution says. No array may overlap one of the source.
struct EvolutionTarget {
  uint64_t* rowPointers = nullptr;  // rows + 1
  uint32_t* columnIndices = nullptr;
  float* values = nullptr;
  float* state[rules::kMaxOptimizerState] = {};  // as many as the source has; newcomers get 0
  uint64_t* origin = nullptr;  // null, or: the index that each connection had before, kNewcomer for one grown now
};

constexpr uint64_t kNewcomer = ~uint64_t{0};

// Memory that evolutions need while they run, kept for the next one. For one layer at a time, of any size.
struct EvolutionMemory {
  Array<uint8_t> removed;
  rules::GrowMemory grow;
  rules::CellList newcomers;
  Array<float> newWeights;
  Array<uint64_t> newcomerKeys;
};

// An evolution adds connections only where a budget asks for more than there are.
inline uint64_t roomForEvolution(uint64_t connections, uint64_t budget) {
  return budget == kAsRemoved ? connections : std::max(connections, budget);
}

// Checks that all weights are finite (else Code::Nonfinite naming row and column), then writes the evolved layer; its
// number of connections is report->connections. Where the status is not ok (also Code::Option, Code::Memory), nothing
// was written. Cost and memory are linear in connections.
Status evolveLayer(const EvolutionSource& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   EvolutionMemory* memory, const EvolutionTarget& after, LayerEvolutionReport* report);

// The same for a matrix without state, into memory of its own. `before` and `after` must differ.
Status evolveLayer(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   CsrMatrix* after, std::vector<uint64_t>* origin, LayerEvolutionReport* report);

// The invariants that must hold after an evolution (Code::Internal): sorted, distinct, in range, counts as reported,
// survivors bit-identical.
Status checkEvolution(const CsrMatrix& before, const CsrMatrix& after, const std::vector<uint64_t>& origin,
                      const LayerEvolutionReport& report, bool growBack, uint64_t budget = kAsRemoved);

}  // namespace setnet::core
