// Where a step in phases stands (backend::Engine), and whether what is asked for may come now.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace setnet::backend {

class StepPhases {
 public:
  // Nothing is kept of any batch: at first, after a step, an evolution, or where something has failed.
  void reset() { *this = StepPhases(); }
  void onForward(uint64_t rows) {
    rows_ = rows;
    hasGradient_ = false;
  }
  // Before the gradient of the last batch is written, and once it is there.
  void onBackwardBegin() { hasGradient_ = false; }
  void onBackward() { hasGradient_ = true; }

  uint64_t rows() const { return rows_; }
  Status checkBackward(uint64_t rows) const {
    if (rows_ == 0)
      return Status(
          Code::State,
          "there is no batch to go back through: a forward pass in training comes first, anew for every step");
    if (rows == rows_) return Status();
    return Status(Code::State, "the gradient has " + std::to_string(rows) +
                                   " rows, but the last batch in training had " + std::to_string(rows_));
  }
  Status checkGradient() const {
    if (hasGradient_) return Status();
    return Status(Code::State,
                  "there is no gradient: a forward pass in training and a backward pass come first, anew "
                  "for every step");
  }

 private:
  uint64_t rows_ = 0;  // of the batch that forward has kept; 0: none
  bool hasGradient_ = false;
};

}  // namespace setnet::backend
