// The definition of Sparse Evolutionary Training's evolution on one layer (Mocanu et al. 2018):
// prune by a rule, grow as many by a rule, survivors keep value and state bit for bit.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "core/csr.h"
#include "rules/grow.h"
#include "rules/initializers.h"
#include "rules/prune.h"

namespace setnet::core {

struct EvolutionRules {
  int prune = 0;                   // rules::Prune
  int grow = 0;                    // rules::Grow
  rules::RuleChoice newWeights;    // rules::Initializer; default Zero
  bool newWeightsAsLayer = false;  // newcomers are drawn as the layer's own initializer says
  bool regrowPruned = true;        // a cell pruned in this very step counts as free
};

struct LayerEvolutionInput {
  double zeta = 0;
  bool growBack = true;  // false: removal only
  uint64_t seed = 0;
  uint32_t layer = 0;
  uint64_t evolution = 1;              // t
  rules::RuleChoice layerInitializer;  // for newWeightsAsLayer
};

struct LayerEvolutionReport {
  uint64_t prunedPositive = 0, prunedNegative = 0, prunedZero = 0;
  uint64_t grown = 0;
  uint64_t connections = 0;  // afterwards
};

constexpr uint64_t kNewcomer = ~uint64_t{0};

// Checks that all weights are finite (else Code::Nonfinite naming row and column, nothing changed), then writes the
// evolved matrix and, for each of its connections, the index it had before (kNewcomer: grown now; its state is 0).
// Cost is linear in connections, up to the sort of the newcomers. `before` and `after` must differ.
Status evolveLayer(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   CsrMatrix* after, std::vector<uint64_t>* origin, LayerEvolutionReport* report);

// The invariants that must hold after an evolution (Code::Internal): sorted, distinct, in range, counts as reported,
// survivors bit-identical.
Status checkEvolution(const CsrMatrix& before, const CsrMatrix& after, const std::vector<uint64_t>& origin,
                      const LayerEvolutionReport& report, bool growBack);

}  // namespace setnet::core
