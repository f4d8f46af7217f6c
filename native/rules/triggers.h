// The rules that say when a layer evolves. A rule gives
//   static constexpr bool atEpochEnd                     at every epoch's end, after validation, all layers at once
//   static bool fires(const double* p, const TriggerInput&)   else: after this step, this layer
// There is no evolution after a fit's last step, whatever the rule says: only the final removal.
#pragma once

#include "rules/rule.h"
#include "rules/triggers/by_chance.h"
#include "rules/triggers/every_epoch.h"
#include "rules/triggers/every_steps.h"
#include "rules/triggers/input.h"

#define SETNET_TRIGGERS(X) \
  X(EveryEpoch)            \
  X(EverySteps)            \
  X(ByChance)

namespace setnet::rules {

enum class Trigger : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_TRIGGERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kTriggers[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_TRIGGERS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline bool triggersAtEpochEnd(const RuleChoice& choice) {
  switch (static_cast<Trigger>(choice.rule)) {
#define SETNET_ENTRY(Rule) \
  case Trigger::Rule:      \
    return Rule::atEpochEnd;
    SETNET_TRIGGERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return false;
}

inline bool triggerFires(const RuleChoice& choice, const TriggerInput& input) {
  switch (static_cast<Trigger>(choice.rule)) {
#define SETNET_ENTRY(Rule) \
  case Trigger::Rule:      \
    return Rule::fires(choice.parameters, input);
    SETNET_TRIGGERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return false;
}

}  // namespace setnet::rules
