// What a network is: its definition, and its state in canonical form. A Model is immutable once published and shared
// by reference: predictions, files, views and the trainer read the same one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ref.h"
#include "core/csr.h"
#include "core/topology.h"
#include "rules/activations.h"
#include "rules/initializers.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::core {

enum class LayerKind : int { Sparse, Masked, Dense };
constexpr const char* kLayerKindNames[] = {"sparse", "masked", "dense"};

struct LayerDefinition {
  LayerKind kind = LayerKind::Sparse;
  uint64_t inputs = 0;
  uint64_t units = 0;
  Budget budget;  // sparse and masked
  Draw draw = Draw::Exact;
  rules::RuleChoice activation;   // rules::Activation
  rules::RuleChoice initializer;  // rules::Initializer
  double dropout = 0;             // of this layer's outputs, 0 <= rate < 1
  bool bias = true;
  bool evolve = true;  // false: neither evolved nor pruned at the end
  double zeta = -1;    // of this layer; < 0: the network's
};

struct NetworkDefinition {
  uint64_t inputs = 0;
  uint64_t seed = 0;
  std::vector<LayerDefinition> layers;
  // The number of layers[0] in the keys of random numbers, and where activations ask for it: a layer by itself may
  // stand anywhere in somebody's network.
  uint32_t firstLayer = 0;
};

// One layer's state. A dense layer's matrix is a full CSR matrix only in views and files' eyes: here its topology
// arrays are empty and `values` holds units * inputs weights, row-major.
struct LayerState {
  CsrMatrix weights;
  std::vector<float> bias;                      // units, or empty
  std::vector<std::vector<float>> weightState;  // [stateCount][connections]; empty where no optimizer state is kept
  std::vector<std::vector<float>> biasState;    // [stateCount][units]
  // What the units have learned as their activation's parameters (rules::learnedOf), or empty, and its optimizer state.
  std::vector<float> activationParameters;          // [parameter][units]
  std::vector<std::vector<float>> activationState;  // [stateCount][parameter * units]
};

// How raw features become the network's inputs: x' = (float(x) - mean) * scale, two f32 roundings.
struct Scaling {
  enum class Kind : int { None, PerFeature, Global, Given };
  Kind kind = Kind::None;
  bool known = false;       // mean and scale are there (learned or given)
  std::vector<float> mean;  // inputs, or 1 (global)
  std::vector<float> scale;
  bool hasMissing = false;  // values equal to `missing` (NaN: any NaN) are unknown and become 0
  double missing = 0;
};
// Code::Option where a mean is not 0: rows of a sparse matrix would not stay sparse, so it has none but scales.
Status checkSparseScaling(const Scaling& scaling);
constexpr const char* kScalingNames[] = {"none", "perFeature", "global", "given"};

struct Counters {
  uint64_t step = 0;       // optimizer steps of the network's life
  uint64_t epoch = 0;      // finished epochs of its life
  uint64_t evolution = 0;  // evolutions of its life; the next one is number evolution + 1
};

struct Model : RefCounted {
  NetworkDefinition definition;
  std::vector<LayerState> layers;
  Scaling scaling;
  Counters counters;
  int loss = -1;           // rules::Loss it was fitted with; -1: never fitted
  bool finalised = false;  // the final removal has run
};

// What a sparse or masked layer begins with where that is not drawn: a valid matrix of the layer's shape with the
// budget's number of connections, taken as it is, and a bias per unit (empty: zeros, or none where there is no bias).
struct GivenLayer {
  const CsrMatrix* weights = nullptr;  // null: drawn
  Span<const float> bias;
};

// A new network: topologies and initial weights from the seed, but of layers that are given. Checks the definition
// (sizes, memory). `given` is empty or has an entry for each layer; its matrices are copied.
Status createModel(const NetworkDefinition& definition, const Scaling& scaling, Ref<Model>* out,
                   Span<const GivenLayer> given = {});
// Everything code working with this model relies on: definition, shapes, matrices, finite values, scaling.
Status validateModel(const Model& model);

// How many numbers LayerState::activationParameters holds.
uint64_t activationParametersOf(const LayerDefinition& definition);
uint64_t connectionsOf(const LayerState& layer);  // stored weights (a dense layer: all)
uint64_t connectionsOf(const Model& model);
// Whether evolution and the final removal touch this layer: not where it is dense, full or `evolve: false`.
bool isEvolved(const LayerDefinition& definition);
// Removal by the network's base zeta may touch it; same condition.
// 64-bit digest of all topologies (row pointers and columns), for run records and tests.
uint64_t topologyDigest(const Model& model);

}  // namespace setnet::core
