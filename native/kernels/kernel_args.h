// What the kernels are called with: plain pointers and sizes. A kernel allocates nothing, checks nothing and returns
// nothing; its caller has seen to it that pointers, lengths and indices fit together.
#pragma once

#include <cstdint>

#include "rules/activations/learned.h"
#include "rules/losses.h"
#include "rules/optimizers.h"

namespace setnet::kernels {

// One vector holds 16 samples of the batch.
constexpr int64_t kLanes = 16;

// Activations are panels [panel][feature][width]: width is 32 samples, or 16 where the batch has at most 16 rows.
// Sample b lies in panel b / width. Work is done on vectors of 16 samples; those without a single sample of the batch
// are neither computed nor read, and the lanes beyond the batch's end hold finite numbers (gradients: zeros).
template <class T>
struct PanelsOf {
  T* data = nullptr;
  int64_t stride = 0;  // floats from one panel to the next
  int64_t width = 32;

  // Vector `v` of the first feature; the next feature is `width` floats further.
  T* vector(int64_t v) const { return width == kLanes ? data + v * stride : data + v / 2 * stride + v % 2 * kLanes; }
  operator PanelsOf<const T>() const { return {data, stride, width}; }
};
using Panels = PanelsOf<float>;
using ConstPanels = PanelsOf<const float>;

// Which optimizer, and rules::prepareOptimizer's numbers for this step.
struct OptimizerChoice {
  int rule = 0;  // rules::Optimizer
  const float* coefficients = nullptr;
};

// y[r] = start[r] (or 0) + sum over the row's connections of value * x[column], for rows [rowBegin, rowEnd).
struct SparseProductArgs {
  int64_t rowBegin, rowEnd;
  const uint64_t* rowPointers;
  const uint32_t* columns;
  const float* values;
  const float* start;
  ConstPanels x;
  Panels y;
  int64_t vectors;
};

// The gradient of every connection of rows [rowBegin, rowEnd), and at once the optimizer's update of value and state.
struct SparseUpdateArgs {
  int64_t rowBegin, rowEnd;
  const uint64_t* rowPointers;
  const uint32_t* columns;
  float* values;
  float* state[rules::kMaxOptimizerState];
  ConstPanels x;         // the layer's inputs
  ConstPanels gradient;  // dL / d(pre-activations)
  int64_t vectors;
  OptimizerChoice optimizer;
};

// to[k] = from[positions[k]], begin <= k < end.
struct GatherArgs {
  int64_t begin, end;
  const uint32_t* positions;
  const float* from;
  float* to;
};

// A dense weight matrix [units][stride], row-major. Rows beyond the units, up to a multiple of 16, and columns beyond
// the inputs, up to the stride (a multiple of 16), exist and hold zeros.
struct DenseForwardArgs {
  int64_t rowBegin, rowEnd;
  int64_t inputs;
  const float* weights;
  int64_t stride;
  const float* start;  // bias, or null
  ConstPanels x;
  Panels y;
  int64_t vectors;
};

// Columns [inputBegin, inputEnd) of the input gradient. inputBegin: a multiple of kDenseColumnBlock.
constexpr int64_t kDenseColumnBlock = 48;
// Sums over more terms than this are cut into blocks and continue from the stored value (exact: f32 is stored).
constexpr int64_t kDenseDepthBlock = 1024;
constexpr int64_t kDenseScratch = kDenseColumnBlock * kDenseDepthBlock;

struct DenseInputGradientArgs {
  int64_t inputBegin, inputEnd;
  int64_t units;
  const float* weights;
  int64_t stride;
  ConstPanels gradient;
  Panels result;
  int64_t vectors;
  float* scratch;  // kDenseScratch floats, 64-byte aligned
};

// Sample-major tiles [feature / 16][row][16], `tileStride` floats from one tile to the next, for the dense weight
// gradient, which sums over samples chain by chain: the samples of a chain (b mod 16) lie behind each other, and the
// chains lie in the order in which they are added (kChainOrder), so that memory is read from front to back. Sample b
// has row chainPlace(b mod 16) * vectors + b / 16. Features beyond the last are zeros. featureBegin is a multiple
// of 16.
constexpr int64_t kChainOrder[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
// Bits reversed: its own inverse.
constexpr int64_t chainPlace(int64_t chain) { return kChainOrder[chain]; }

struct TilesArgs {
  int64_t featureBegin, featureEnd;
  ConstPanels x;
  int64_t vectors;
  float* tiles;
  int64_t tileStride;
};

// As SparseUpdateArgs for a dense matrix; rowBegin is a multiple of 16. mask: one bit per weight, [units][maskStride]
// of 16 columns each; null: all weights exist.
struct DenseUpdateArgs {
  int64_t rowBegin, rowEnd;
  int64_t inputs;
  int64_t samples;
  int64_t vectors;
  const float* x;         // tiles of the inputs
  const float* gradient;  // tiles of dL / d(pre-activations)
  int64_t tileStride;
  float* weights;
  float* state[rules::kMaxOptimizerState];
  int64_t stride;
  const uint16_t* mask;
  int64_t maskStride;
  OptimizerChoice optimizer;
};

struct BiasUpdateArgs {
  int64_t unitBegin, unitEnd;
  ConstPanels gradient;
  int64_t vectors;
  float* bias;
  float* state[rules::kMaxOptimizerState];
  OptimizerChoice optimizer;
};

// y = f(z) for units [unitBegin, unitEnd); y may be z. Parameter i that unit u has learned: learned[i * learnedStride +
// u].
struct ActivationArgs {
  int rule;  // rules::Activation
  const double* parameters;
  int64_t unitBegin, unitEnd;
  ConstPanels z;
  Panels y;
  int64_t vectors;
  const float* learned = nullptr;  // null where the rule learns nothing
  int64_t learnedStride = 0;
};

// gradient: from dL/dy (y: after dropout) to dL/dz, in place; for rules that learn nothing.
struct ActivationGradientArgs {
  int rule;
  const double* parameters;
  int64_t unitBegin, unitEnd;
  ConstPanels z;  // y again where the rule does not need it
  ConstPanels y;  // after dropout
  Panels gradient;
  int64_t vectors;
  const uint16_t* kept;  // [unit][keptStride], one bit per sample; null: no dropout
  int64_t keptStride;
  float keptScale;  // what survivors were multiplied by
};

// As ActivationGradientArgs for a rule that learns parameters: in the same pass their gradients, and the optimizer's
// update of parameters and state. dL/dz is that of the parameters before the update.
struct ActivationUpdateArgs {
  int rule;
  const double* parameters;
  int64_t unitBegin, unitEnd;
  ConstPanels z;
  ConstPanels y;  // after dropout
  Panels gradient;
  int64_t vectors;
  const uint16_t* kept;
  int64_t keptStride;
  float keptScale;
  float* learned;  // [parameter][learnedStride]
  int64_t learnedStride;
  float* state[rules::kMaxOptimizerState];  // as `learned`
  OptimizerChoice optimizer;
};

// Inverted dropout in place. Decision: index (position in the batch << 32 | unit / 8) of the Philox stream, 16-bit half
// number unit mod 8 of its block, low halves first; a half below the threshold drops. Writes which samples of which
// units were kept.
struct DropoutArgs {
  int64_t unitBegin, unitEnd;
  Panels y;
  int64_t vectors;
  uint64_t seed;
  uint32_t counter1;   // purpose and layer
  uint32_t counter3;   // the step
  uint32_t threshold;  // a 16-bit number below it drops
  float keptScale;
  uint16_t* kept;
  int64_t keptStride;
};

// Gradient of the loss by the outputs, times scale; the loss's terms; the class of the largest output (ties: the
// lower).
struct LossArgs {
  int loss;  // rules::Loss
  int64_t units;
  ConstPanels z;
  Panels gradient;
  int64_t vectors;
  int64_t samples;
  const int32_t* classes;
  float scale;
  float* terms;         // [rules::kLossTerms][vectors * 16]
  uint32_t* predicted;  // [vectors * 16]
};

// What a network trained with this loss answers, in place.
struct ProbabilitiesArgs {
  int loss;
  int64_t units;
  Panels y;
  int64_t vectors;
};

enum class Element : int { Float32, Float64, Uint8, Int8, Uint16, Int16 };

// Rows of a row-major matrix into panels: (float(x) - mean) * scale with two roundings, `missing` becomes 0.
struct PackRowsArgs {
  Element type;
  const void* data;
  int64_t columns;
  const uint64_t* indices;  // of the rows, or null: rows first, first + 1, ...
  uint64_t first;
  int64_t samples;
  const float* mean;  // null: not scaled
  const float* scale;
  bool perFeature;  // else mean[0] and scale[0] serve all features
  bool hasMissing;
  float missing;  // NaN: every NaN is missing
  int64_t columnBegin, columnEnd;
  Panels out;
  uint8_t* nonfinite;  // set to 1 where a result is not finite
};

// Panels to a row-major matrix [samples][units].
struct UnpackRowsArgs {
  int64_t units;
  ConstPanels y;
  int64_t samples;
  float* out;
};

}  // namespace setnet::kernels
