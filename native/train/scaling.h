// Learns from training data how raw features become inputs: in double, ascending by sample.
#pragma once

#include "backend/backend.h"
#include "core/model.h"

namespace setnet::train {

// Fills scaling->mean and scale (f32; scale = 1 / population standard deviation, 0 for a constant feature) where the
// kind is PerFeature or Global and nothing is known yet. Missing values are left out. A sparse matrix
// is not centred: mean 0, scale = 1 / root mean square with zeros counted, 0 for a feature that is always 0.
// Code::Nonfinite names row and column of a feature that is not finite.
Status learnScaling(const backend::MatrixView& x, core::Scaling* scaling);

}  // namespace setnet::train
