#pragma once

namespace setnet::rules {

// What a loss compares a sample's outputs with: the number of its class, or one number for each output, in [0, 1] or
// any finite one. Losses by class take one loss of a sample; those by numbers take the mean over its outputs.
enum class Target : int { Class, Fraction, Number };

}  // namespace setnet::rules
