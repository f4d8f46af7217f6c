// The rules that choose which connections of a layer to remove. A rule gives
//   static void mark(const PruneInput&, Span<uint8_t> removed)
// and sets removed[i] = 1 for the connections it chooses among those that are not zero. Exact zeros (+0 and -0) are
// marked by the caller before, under every rule, unless they are to be kept. Sign, zero and order come from the bits of
// a weight (base/float_bits.h): subnormals are not zero, whatever the processor's flush mode. Values are finite (the
// caller has checked) and in canonical order, so that "the lower cell number goes first" is "the lower index goes
// first".
#pragma once

#include <cstdint>

#include "rules/prune/input.h"
#include "rules/prune/largest.h"
#include "rules/prune/random.h"
#include "rules/prune/sign_magnitude.h"
#include "rules/prune/sorted_threshold.h"
#include "rules/rule.h"

#define SETNET_PRUNE_RULES(X) \
  X(SignMagnitude)            \
  X(RandomPrune)              \
  X(Largest)                  \
  X(ThresholdOfMatrix)        \
  X(ThresholdOfStored)

namespace setnet::rules {

enum class Prune : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_PRUNE_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kPruneRules[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_PRUNE_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline void markPruned(int rule, const PruneInput& input, Span<uint8_t> removed) {
  switch (static_cast<Prune>(rule)) {
#define SETNET_ENTRY(Rule)      \
  case Prune::Rule:             \
    Rule::mark(input, removed); \
    break;
    SETNET_PRUNE_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

}  // namespace setnet::rules
