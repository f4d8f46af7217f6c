// What evolutions of a whole network report, and one by hand, outside a fit.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "base/status.h"
#include "core/model.h"

namespace setnet::train {

// One evolution, or all those of an epoch together.
struct EvolutionRecord {
  double zeta = 0;  // of the last one
  uint64_t evolutions = 0;
  core::LayerEvolutionReport total;
  std::vector<core::LayerEvolutionReport> layers;

  // `total` from `layers`.
  void sumUp();
  // The evolutions of `later`, which came after these.
  void add(const EvolutionRecord& later);
};

// A model as `model` after one evolution of every layer that evolves, or after the final removal (settings.growBack
// false), which makes it finalised. It is number settings.evolution of the network's life. Optimizer state is not kept.
// Code::Nonfinite, Code::Option, Code::Memory.
Status evolveModel(const core::Model& model, const backend::EvolutionSettings& settings, Ref<core::Model>* out,
                   EvolutionRecord* record);

}  // namespace setnet::train
