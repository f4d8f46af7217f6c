#include "core/initialize.h"

#include <cmath>

#include "base/real_math.h"

namespace setnet::core {
namespace {

float uniformOf(const PhiloxBlock& block, float factor) {
  // 24 bits, the sign among them: exact as float. 0 is read as 1, because an exact zero would count as no weight.
  const int32_t u = static_cast<int32_t>(block.word[0]) >> 8;
  return static_cast<float>(u == 0 ? 1 : u) * factor;
}

// Box and Muller 1958. The halves keep both uniform numbers off 0 and 1.
float normalOf(const PhiloxBlock& block, double sigma) {
  constexpr double kTwoPi = 6.28318530717958647692;
  const double u = (block.word[0] + 0.5) * 0x1p-32;
  const double v = (block.word[1] + 0.5) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * realLog(u)) * realCos(kTwoPi * v) * sigma);
}

float uniformFactor(double bound) { return static_cast<float>(bound) * 0x1p-23f; }

}  // namespace

float weightOfCell(const RandomStream& stream, uint64_t cell, rules::WeightScale scale) {
  if (scale.scale == 0) return 0;
  if (scale.normal) return normalOf(stream.block(cell), scale.scale);
  return uniformOf(stream.block(cell), uniformFactor(scale.scale));
}

void weightsOfCells(const RandomStream& stream, Span<const uint64_t> cells, rules::WeightScale scale,
                    Span<float> weights) {
  for (size_t i = 0; i < cells.size(); ++i) weights[i] = weightOfCell(stream, cells[i], scale);
}

void initializeActivation(const RandomStream& stream, Span<const rules::LearnedParameter> learned, uint64_t units,
                          Span<float> parameters) {
  for (uint64_t u = 0; u < units; ++u) {
    const PhiloxBlock block = stream.block(u);
    for (size_t i = 0; i < learned.size(); ++i) {
      const float low = static_cast<float>(learned[i].low);
      const float factor = static_cast<float>(learned[i].high - learned[i].low) * 0x1p-24f;
      const float drawn = static_cast<float>(block.word[i] >> 8) * factor;
      parameters[i * units + u] = low + drawn;
    }
  }
}

}  // namespace setnet::core
