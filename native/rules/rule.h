// What all rules have in common: a name, a list of parameters, a line in the table of their kind.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "base/span.h"

namespace setnet::rules {

constexpr int kMaxParameters = 8;
constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// A number that a rule takes. The binding checks it against the limits (both inclusive unless `open`, which excludes
// the minimum, or `openMaximum`) and TypeScript reads it from here. A parameter with `choices` has a name for each of
// its values, 0 up to its maximum, separated by '|'; TypeScript takes and gives the names.
struct ParameterSpec {
  const char* name;
  double fallback;  // used where the caller gives none
  double minimum;
  double maximum;
  bool open = false;
  bool openMaximum = false;
  const char* choices = nullptr;
};

struct RuleInfo {
  const char* name;
  const ParameterSpec* parameters;
  int parameterCount;
};

// One rule of a table with its parameters, in the order of its specs.
struct RuleChoice {
  int rule = 0;
  double parameters[kMaxParameters] = {};
};

template <class Rule>
constexpr RuleInfo infoOf() {
  return {Rule::name, Rule::parameters, Rule::parameterCount};
}

// For rules without parameters (C++ knows no arrays of length zero).
struct NoParameters {
  static constexpr const ParameterSpec* parameters = nullptr;
  static constexpr int parameterCount = 0;
};

inline int findRule(Span<const RuleInfo> table, const char* name) {
  for (size_t i = 0; i < table.size(); ++i)
    if (std::strcmp(table[i].name, name) == 0) return static_cast<int>(i);
  return -1;
}

// A choice of the named rule with its fallbacks.
inline RuleChoice defaultsOf(Span<const RuleInfo> table, int rule) {
  RuleChoice choice;
  choice.rule = rule;
  for (int i = 0; i < table[rule].parameterCount; ++i) choice.parameters[i] = table[rule].parameters[i].fallback;
  return choice;
}

}  // namespace setnet::rules
