// Parameters that an activation learns, a set of them for every unit. A rule that has some also gives
//   learned[], learnedCount     their names and where they start
//   addGradient(dy, z, p, g)    adds one sample's part of dL / d(parameter i) to g[i]; dy as for backward
// and finds the unit's parameters in p behind the values of its specs.
#pragma once

#include "base/lanes.h"

namespace setnet::rules {

// One Philox block has a word for each of them (core/initialize.h).
constexpr int kMaxLearned = 4;

// Starts uniform between low and high, in every unit by itself; at low where both are equal.
struct LearnedParameter {
  const char* name;
  double low, high;
};

// What a rule learns: nothing, unless it says so.
template <class Rule>
constexpr int learnedCountOf(decltype(Rule::learnedCount)*) {
  static_assert(Rule::learnedCount <= kMaxLearned, "more parameters than an initial draw has words for");
  return Rule::learnedCount;
}
template <class Rule>
constexpr int learnedCountOf(...) {
  return 0;
}
template <class Rule>
struct Learned {
  static constexpr int count = learnedCountOf<Rule>(nullptr);

  static constexpr const LearnedParameter* parameters() {
    if constexpr (count > 0) return Rule::learned;
    return nullptr;
  }
  // Rule::addGradient, for rules that have one.
  template <class V>
  SETNET_MEMBER_INLINE static void addGradient(V dy, V z, const V* p, V* g) {
    if constexpr (count > 0) Rule::addGradient(dy, z, p, g);
  }
};

}  // namespace setnet::rules
