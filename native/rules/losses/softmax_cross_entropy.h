#pragma once

#include "base/lane_math.h"
#include "base/lanes.h"
#include "rules/losses/target.h"
#include "rules/rule.h"

namespace setnet::rules {

// Softmax over the outputs of one sample, cross-entropy against the target distribution:
//   L = log(sum_u exp(z_u - m)) + m - z_target,  dL/dz_u = exp(z_u - m) / sum - target_u.
struct SoftmaxCrossEntropy : NoParameters {
  static constexpr const char* name = "softmaxCrossEntropy";
  static constexpr Target target = Target::Class;

  // Writes (gradient * scale) of every unit and hands back the three numbers that sampleLoss needs. Panel gives
  // logit(u), target(u) (1 at the sample's class, else 0) and set(u, value) / get(u) of the gradient. Where a loss
  // takes numbers (Target), target(u) is the output's number, and is to be read before set(u).
  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void gradient(Panel& panel, int64_t units, V scale, V* terms) {
    V top = panel.logit(0);
    for (int64_t u = 1; u < units; ++u) top = larger(panel.logit(u), top);
    V sum = Splat<V>::of(0);
    V atTarget = Splat<V>::of(0);
    for (int64_t u = 0; u < units; ++u) {
      const V logit = panel.logit(u);
      const V e = laneExp(logit - top);
      panel.set(u, e);
      sum = sum + e;
      atTarget = madd(panel.target(u), logit, atTarget);
    }
    for (int64_t u = 0; u < units; ++u) panel.set(u, (panel.get(u) / sum - panel.target(u)) * scale);
    terms[0] = sum;
    terms[1] = top;
    terms[2] = atTarget;
  }

  // The loss of one sample, in double, from its three terms.
  static double sampleLoss(const double* terms, int64_t) { return realLog(terms[0]) + (terms[1] - terms[2]); }

  // The answer of a network trained with this loss: probabilities, in place.
  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void probabilities(Panel& panel, int64_t units) {
    V top = panel.logit(0);
    for (int64_t u = 1; u < units; ++u) top = larger(panel.logit(u), top);
    V sum = Splat<V>::of(0);
    for (int64_t u = 0; u < units; ++u) {
      const V e = laneExp(panel.logit(u) - top);
      panel.set(u, e);
      sum = sum + e;
    }
    for (int64_t u = 0; u < units; ++u) panel.set(u, panel.get(u) / sum);
  }
};

}  // namespace setnet::rules
