// What a training needs to go on from where it was, in another process as well.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ref.h"
#include "core/model.h"

namespace setnet::core {

// How far a fit is, beside the network's own counters.
struct FitState {
  uint64_t epoch = 0;       // finished epochs of this fit
  uint64_t fitBegan = 0;    // steps of the network's life before this fit
  uint64_t stateBegan = 0;  // likewise, when the optimizer's state was all 0
  uint64_t bestEpoch = 0;   // by the stop rule's monitor; 0: none yet
  double bestValue = 0;
  uint64_t bestSteps = 0;         // of the optimizer in the best epoch
  std::vector<uint64_t> budgets;  // what layers grow back to, or empty
  uint64_t dataDigest = 0;        // of training and validation data
};

struct Checkpoint : RefCounted {
  FitState state;
  bool finished = false;  // the fit is over: there is nothing to go on with, and no optimizer state
  int optimizer = 0;      // rules::Optimizer that the state belongs to
  Ref<const Model> model;
  Ref<const Model> best;  // as it was validated, with its state; or null
};

}  // namespace setnet::core
