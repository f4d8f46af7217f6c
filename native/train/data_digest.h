// A digest of data sets, so that a training is not gone on with on other data.
#pragma once

#include <cstdint>

#include "train/trainer.h"

namespace setnet::train {

// Of types, shapes, features and targets; validation may be null.
uint64_t digestOf(const Dataset& training, const Dataset* validation);

}  // namespace setnet::train
