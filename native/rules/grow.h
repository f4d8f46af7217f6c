// The rules that choose where new connections grow. A rule gives
//   static void choose(const GrowInput&, GrowMemory*, CellList* cells)
// and appends min(count, free cells) distinct free cells, in ascending order.
#pragma once

#include <cstdint>

#include "rules/grow/input.h"
#include "rules/grow/random.h"
#include "rules/rule.h"

#define SETNET_GROW_RULES(X) X(RandomGrow)

namespace setnet::rules {

enum class Grow : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_GROW_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kGrowRules[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_GROW_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline void chooseGrown(int rule, const GrowInput& input, GrowMemory* memory, CellList* cells) {
  switch (static_cast<Grow>(rule)) {
#define SETNET_ENTRY(Rule)              \
  case Grow::Rule:                      \
    Rule::choose(input, memory, cells); \
    break;
    SETNET_GROW_RULES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

}  // namespace setnet::rules
