// The schedules of the learning rate and of zeta. A rule gives
//   static double value(const double* p, double position, double length)
// the number at `position` of a course of `length` (learning rate: epochs done, with the fraction of the running one,
// of E; zeta of epoch e: position e - 1 of max(1, E - 1)). All in double; the learning rate is rounded once to f32.
// Warm-up is no rule: it multiplies any of them (warmupFactor below).
#pragma once

#include <algorithm>

#include "rules/rule.h"
#include "rules/schedules/constant.h"
#include "rules/schedules/cosine.h"
#include "rules/schedules/exponential.h"
#include "rules/schedules/linear.h"
#include "rules/schedules/step.h"

#define SETNET_SCHEDULES(X) \
  X(Constant)               \
  X(Cosine)                 \
  X(LinearSchedule)         \
  X(Exponential)            \
  X(StepSchedule)

namespace setnet::rules {

enum class Schedule : int {
#define SETNET_ENTRY(Rule) Rule,
  SETNET_SCHEDULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

constexpr RuleInfo kSchedules[] = {
#define SETNET_ENTRY(Rule) infoOf<Rule>(),
    SETNET_SCHEDULES(SETNET_ENTRY)
#undef SETNET_ENTRY
};

inline double scheduleValue(const RuleChoice& choice, double position, double length) {
  switch (static_cast<Schedule>(choice.rule)) {
#define SETNET_ENTRY(Rule) \
  case Schedule::Rule:     \
    return Rule::value(choice.parameters, position, length);
    SETNET_SCHEDULES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return 0;
}

// Rises to 1 over the first `warmup` epochs; `epoch` counts from 1, `step` of `stepsPerEpoch` from 0 (stepsPerEpoch 0:
// not known, the epoch alone decides).
inline double warmupFactor(double warmup, double epoch, double step, double stepsPerEpoch) {
  if (warmup <= 0) return 1;
  if (stepsPerEpoch <= 0) return std::min(1.0, epoch / (warmup + 1));
  return std::min(1.0, ((epoch - 1) * stepsPerEpoch + step + 1) / (warmup * stepsPerEpoch));
}

}  // namespace setnet::rules
