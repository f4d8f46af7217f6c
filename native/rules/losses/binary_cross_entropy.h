#pragma once

#include "base/lane_math.h"
#include "base/lanes.h"
#include "rules/losses/target.h"
#include "rules/rule.h"

namespace setnet::rules {

// Every output by itself: a sigmoid, cross-entropy against a target y in [0, 1]. From the logit z, without overflow:
//   L = mean_u max(z, 0) - z y + log(1 + exp(-|z|)),  dL/dz = (sigmoid(z) - y) / outputs.
struct BinaryCrossEntropy : NoParameters {
  static constexpr const char* name = "binaryCrossEntropy";
  static constexpr Target target = Target::Fraction;

  // `scale` has the mean over outputs in it. Terms: the sum over outputs, one ascending chain, and the number of
  // outputs on their target's side of 1/2 (exactly 1/2 is on the lower side).
  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void gradient(Panel& panel, int64_t units, V scale, V* terms) {
    const V zero = Splat<V>::of(0);
    const V one = Splat<V>::of(1);
    V sum = zero;
    V right = zero;
    for (int64_t u = 0; u < units; ++u) {
      const V z = panel.logit(u);
      const V y = panel.target(u);
      const V e = laneExp(zero - laneMagnitude(z));
      sum = sum + (madd(zero - z, y, larger(z, zero)) + laneLogOnePlus(e));
      const V yes = wherePositive(y - Splat<V>::of(0.5), one, zero);
      right = right + wherePositive(z, yes, one - yes);
      panel.set(u, (laneSigmoid(z, e) - y) * scale);
    }
    terms[0] = sum;
    terms[1] = right;
    terms[2] = zero;
  }

  static double sampleLoss(const double* terms, int64_t units) { return terms[0] / static_cast<double>(units); }

  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void probabilities(Panel& panel, int64_t units) {
    for (int64_t u = 0; u < units; ++u) panel.set(u, laneSigmoid(panel.logit(u)));
  }
};

}  // namespace setnet::rules
