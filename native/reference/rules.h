// The rules of native/rules on single numbers in double: what a table entry's functor says, chosen by number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rules/activations.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::reference {

// What an activation's functions take as p: the values of its specs, then the parameters that the unit has learned.
struct ActivationNumbers {
  double p[rules::kMaxParameters + rules::kMaxLearned] = {};

  // learned: [parameter][units], or empty.
  ActivationNumbers(const rules::RuleChoice& choice, const std::vector<double>& learned, size_t units, size_t unit) {
    const int given = rules::kActivations[choice.rule].parameterCount;
    for (int i = 0; i < given; ++i) p[i] = choice.parameters[i];
    for (size_t i = 0; i * units < learned.size(); ++i) p[given + static_cast<int>(i)] = learned[i * units + unit];
  }
};

// y = f(z)
inline double activate(int activation, const ActivationNumbers& numbers, double z) {
  switch (static_cast<rules::Activation>(activation)) {
#define SETNET_ENTRY(Rule)      \
  case rules::Activation::Rule: \
    return rules::Rule::forward(z, numbers.p);
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return 0;
}

// dL/dz from dL/dy at pre-activation z; y is the result without dropout's factor, or 0 where it is dropped.
inline double activationGradient(int activation, const ActivationNumbers& numbers, double dy, double z, double y) {
  switch (static_cast<rules::Activation>(activation)) {
#define SETNET_ENTRY(Rule)      \
  case rules::Activation::Rule: \
    return rules::Rule::backward(dy, z, y, numbers.p);
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return 0;
}

// Adds one sample's part of dL / d(learned parameter i) to gradient[i].
inline void addParameterGradient(int activation, const ActivationNumbers& numbers, double dy, double z,
                                 double* gradient) {
  switch (static_cast<rules::Activation>(activation)) {
#define SETNET_ENTRY(Rule)                                                \
  case rules::Activation::Rule:                                           \
    rules::Learned<rules::Rule>::addGradient(dy, z, numbers.p, gradient); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

// One sample's outputs as the losses want to see them (rules/losses/softmax_cross_entropy.h).
struct LossPanel {
  const std::vector<double>& logits;
  int64_t targetClass;          // -1: none, for answers and where `targets` is there
  std::vector<double>& result;  // the gradient, or the answer
  const float* targets;         // one per output, where the loss takes numbers

  double logit(int64_t u) const { return logits[u]; }
  double target(int64_t u) const {
    if (targets) return targets[u];
    return u == targetClass ? 1 : 0;
  }
  void set(int64_t u, double value) { result[u] = value; }
  double get(int64_t u) const { return result[u]; }
};

// The loss of one sample; writes its gradient by the outputs times `scale`, and how many answers are right
// (backend::StepResult).
inline double lossAndGradient(int loss, const std::vector<double>& logits, int64_t targetClass, const float* targets,
                              double scale, std::vector<double>* gradient, uint64_t* right) {
  gradient->assign(logits.size(), 0);
  LossPanel panel{logits, targetClass, *gradient, targets};
  const int64_t units = static_cast<int64_t>(logits.size());
  double terms[rules::kLossTerms] = {};
  switch (static_cast<rules::Loss>(loss)) {
#define SETNET_ENTRY(Rule)                             \
  case rules::Loss::Rule:                              \
    rules::Rule::gradient(panel, units, scale, terms); \
    break;
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  const rules::Target kind = rules::targetOf(loss);
  if (kind == rules::Target::Class)
    *right = std::max_element(logits.begin(), logits.end()) - logits.begin() == targetClass;  // the first of equal ones
  else
    *right = kind == rules::Target::Fraction ? static_cast<uint64_t>(terms[1]) : 0;
  return rules::sampleLoss(loss, terms, units);
}

// What a network trained with this loss answers for these outputs.
inline std::vector<double> probabilities(int loss, const std::vector<double>& logits) {
  std::vector<double> answer(logits.size());
  LossPanel panel{logits, -1, answer, nullptr};
  const int64_t units = static_cast<int64_t>(logits.size());
  switch (static_cast<rules::Loss>(loss)) {
#define SETNET_ENTRY(Rule)                                     \
  case rules::Loss::Rule:                                      \
    rules::Rule::template probabilities<double>(panel, units); \
    break;
    SETNET_LOSSES(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
  return answer;
}

// One optimizer step of one number. The coefficients are the f32 ones that every backend uses.
inline void optimize(int optimizer, const float* coefficients, double gradient, double* weight, double* state) {
  double c[rules::kMaxCoefficients];
  for (int i = 0; i < rules::kMaxCoefficients; ++i) c[i] = coefficients[i];
  const bool flag = coefficients[3] != 0;
  switch (static_cast<rules::Optimizer>(optimizer)) {
#define SETNET_ENTRY(Rule)                                  \
  case rules::Optimizer::Rule:                              \
    rules::Rule::update(*weight, gradient, state, c, flag); \
    break;
    SETNET_OPTIMIZERS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}

}  // namespace setnet::reference
