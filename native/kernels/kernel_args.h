// What the kernels are called with: plain pointers and sizes. A kernel allocates nothing, checks nothing and returns
// nothing; its caller has seen to it that pointers, lengths and indices fit together.
#pragma once

#include <cstdint>

#include "base/lanes.h"
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

// A sparse matrix, or some rows of one, in the order in which the kernels walk it (docs/how-it-works.md, "Packed
// matrices"): columns in blocks, so that the block of x stays in a near cache and a column fits into 16 bits; within a
// block the rows by length, four of them a group, whose connections take turns: step k of a group holds the k-th
// connection of each of its rows. A row that has none left is padded with the value 0 at a column of the block.
constexpr int64_t kGroupRows = 4;

struct PackedRows {
  int64_t blocks;
  int64_t blockWidth;       // columns of a block (the last one may have fewer)
  int64_t groups;           // of each block
  const uint32_t* rows;     // [blocks][groups][4]; where there are no four, the last one again
  const uint32_t* steps;    // [blocks][groups]
  const uint16_t* lengths;  // [blocks][groups][4] connections of each row (0 where it is repeated); for updates only
  const uint16_t* columns;  // [step][4], from the block's first column
  float* values;            // [step][4]
  const uint16_t* shorts;   // or, where values is null, their upper halves (bfloat16); products only
  int64_t slots;            // of all groups: numbers in `columns`
  // Where the rows of x that belong to each block begin, for vectors of samples; null: at its first column.
  const int64_t* xRows;
};

SETNET_INLINE int64_t firstRowOfX(const PackedRows& w, int64_t block) {
  return w.xRows ? w.xRows[block] : block * w.blockWidth;
}

// y[r] = start[r] (or 0) + sum over the row's connections of value * x[column], and f of that where an activation is
// given; or, for the gradient of a layer's inputs, that times the slope of the activation they came from.
struct SparseProductArgs {
  PackedRows w;
  const float* start;
  ConstPanels x;
  Panels y;
  int64_t vectors;
  int activation = -1;  // rules::Activation, one that is `cheap`; -1: none
  const double* parameters = nullptr;
  // These blocks are not the first ones of the matrix (y holds the sums so far), or not the last ones.
  bool continues = false, unfinished = false;
  const float* below = nullptr;  // panels like y, what the slope there follows from: z where the rule needs it, else y
};

// The same for a single sample; x and y have one number per column and row. No activation.
struct SparseVectorArgs {
  PackedRows w;
  const float* start;
  const float* x;
  float* y;
};

// The same column by column, skipping those where x is 0; for matrices that lie so.
struct SparseColumnsArgs {
  int64_t rows, columns;
  const uint64_t* columnPointers;
  const uint32_t* rowIndices;
  const float* values;
  const float* start;
  const float* x;
  float* y;
};

// The gradient of every connection, and at once the optimizer's update of value and state, which lie as the values do.
struct SparseUpdateArgs {
  PackedRows w;
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

// The same for a single sample. x is readable up to the stride, with finite numbers beyond the inputs; y is writable up
// to a multiple of 16.
struct DenseVectorArgs {
  int64_t rowBegin, rowEnd;  // rowBegin: a multiple of 16
  int64_t inputs;
  const float* weights;
  int64_t stride;
  const float* start;
  const float* x;
  float* y;
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

// Numbers and their gradients, which are scaled: as the updates above with these gradients.
struct ScaledUpdateArgs {
  int64_t count;
  float* values;
  float* state[rules::kMaxOptimizerState];
  const float* gradient;
  float scale;
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

// The same for a single sample.
struct ActivationVectorArgs {
  int rule;
  const double* parameters;
  int64_t units;
  const float* z;
  float* y;
  const float* learned = nullptr;  // of the first unit
  int64_t learnedStride = 0;
};

// gradient: dL/dz from dL/dy (y: after dropout); they may be the same panels.
struct ActivationGradientArgs {
  int rule;
  const double* parameters;
  int64_t unitBegin, unitEnd;
  ConstPanels z;  // y again where the rule does not need it
  ConstPanels y;  // after dropout
  ConstPanels dy;
  Panels gradient;
  int64_t vectors;
  const uint16_t* kept;  // [unit][keptStride], one bit per sample; null: no dropout
  int64_t keptStride;
  float keptScale;                 // what survivors were multiplied by
  const float* learned = nullptr;  // as in ActivationArgs
  int64_t learnedStride = 0;
};

// The gradients of the parameters that a rule learns, and the optimizer's update of parameters and state.
struct ActivationUpdateArgs {
  int rule;
  const double* parameters;
  int64_t unitBegin, unitEnd;
  ConstPanels z;
  ConstPanels dy;  // as in ActivationGradientArgs
  int64_t vectors;
  const uint16_t* kept;
  int64_t keptStride;
  float keptScale;
  float* learned;  // [parameter][learnedStride]
  int64_t learnedStride;
  float* state[rules::kMaxOptimizerState];  // as `learned`
  OptimizerChoice optimizer;
};

// Inverted dropout in place. Decision: index ((firstSample + position in the panels) << 32 | unit / 8) of the Philox
// stream, 16-bit half number unit mod 8 of its block, low halves first; a half below the threshold drops. Writes which
// samples of which units were kept.
struct DropoutArgs {
  int64_t unitBegin, unitEnd;
  Panels y;
  int64_t vectors;
  uint32_t firstSample;
  uint64_t seed;
  uint32_t counter1;   // purpose and layer
  uint32_t counter3;   // the step
  uint32_t threshold;  // a 16-bit number below it drops
  float keptScale;
  uint16_t* kept;
  int64_t keptStride;
};

// Gradient of the loss by the outputs, times scale; the loss's terms. Losses by class: `classes`, and the class of the
// largest output (ties: the lower) as `predicted`. Losses by numbers: the targets lie in `gradient` and are replaced;
// lanes beyond `samples` must hold finite numbers.
struct LossArgs {
  int loss;  // rules::Loss
  int64_t units;
  ConstPanels z;
  Panels gradient;
  int64_t vectors;
  int64_t samples;
  const int32_t* classes;  // null where the loss takes numbers
  float scale;
  float* terms;                    // [rules::kLossTerms][termStride]
  int64_t termStride;              // at least vectors * 16
  uint32_t* predicted;             // [vectors * 16]; not written where the loss takes numbers
  const float* weights = nullptr;  // one per sample: its gradient's factor is scale * weight, rounded; null: scale
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
// With panels of width 1 there is one sample, and the result is followed by zeros up to a multiple of 16.
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
  int64_t outBegin;  // the column that lies first in `out`
  Panels out;
  uint8_t* nonfinite;  // set to 1 where a result is not finite
};

// Which of the `wanted` samples of one panel have a value other than 0 in any feature: bit i is sample i.
struct LiveSamplesArgs {
  int64_t features;
  const float* x;
  int64_t width;
  uint32_t wanted;
  uint32_t* live;
};

// Panels to a row-major matrix [samples][units].
struct UnpackRowsArgs {
  int64_t units;
  ConstPanels y;
  int64_t samples;
  float* out;
};

}  // namespace setnet::kernels
