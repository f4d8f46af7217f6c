// A digest of data sets, so that a training is not gone on with on other data.
#pragma once

#include "base/hash.h"
#include "train/trainer.h"

namespace setnet::train {

// Of type, shape, features, targets and weights.
void addToDigest(const Dataset& data, Hash64* digest);

}  // namespace setnet::train
