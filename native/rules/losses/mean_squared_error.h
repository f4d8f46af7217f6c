#pragma once

#include "base/lanes.h"
#include "rules/losses/target.h"
#include "rules/rule.h"

namespace setnet::rules {

// Regression: L = mean_u (z - y)^2, dL/dz = 2 (z - y) / outputs. The answer is the outputs as they are.
struct MeanSquaredError : NoParameters {
  static constexpr const char* name = "meanSquaredError";
  static constexpr Target target = Target::Number;

  // `scale` has the mean over outputs in it. Terms: the sum over outputs, one ascending chain.
  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void gradient(Panel& panel, int64_t units, V scale, V* terms) {
    const V twice = scale + scale;
    V sum = Splat<V>::of(0);
    for (int64_t u = 0; u < units; ++u) {
      const V difference = panel.logit(u) - panel.target(u);
      sum = madd(difference, difference, sum);
      panel.set(u, difference * twice);
    }
    terms[0] = sum;
    terms[1] = Splat<V>::of(0);
    terms[2] = Splat<V>::of(0);
  }

  static double sampleLoss(const double* terms, int64_t units) { return terms[0] / static_cast<double>(units); }

  // There are none: what the outputs are is what is answered.
  template <class V, class Panel>
  SETNET_MEMBER_INLINE static void probabilities(Panel& panel, int64_t units) {
    for (int64_t u = 0; u < units; ++u) panel.set(u, panel.logit(u));
  }
};

}  // namespace setnet::rules
