// Weights from random numbers: a weight depends on (seed, purpose, layer, time, cell) and the rule's scale only.
#pragma once

#include <cstdint>

#include "base/philox.h"
#include "base/span.h"
#include "rules/activations.h"
#include "rules/initializers.h"

namespace setnet::core {

// The weight of one cell. Uniform: u = first output word; float(int32(u) >> 8) * (float(scale) * 2^-23), u >> 8 == 0
// read as 1. Normal: Box-Muller in double on the first two words, times scale, rounded once.
float weightOfCell(const RandomStream& stream, uint64_t cell, rules::WeightScale scale);

// weights[i] = weightOfCell(stream, cells[i], scale)
void weightsOfCells(const RandomStream& stream, Span<const uint64_t> cells, rules::WeightScale scale,
                    Span<float> weights);

// What the units of a layer start to learn as their activation's parameters, [parameter][unit]. Parameter i of unit u
// is low + float(word >> 8) * (float(high - low) * 2^-24), where word is number i of the stream's block u.
void initializeActivation(const RandomStream& stream, Span<const rules::LearnedParameter> learned, uint64_t units,
                          Span<float> parameters);

}  // namespace setnet::core
