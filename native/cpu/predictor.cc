#include "cpu/predictor.h"

#include <new>
#include <utility>

#include "base/float_bits.h"
#include "cpu/crossover.h"
#include "kernels/dispatch.h"

namespace setnet::cpu {

namespace {

// Alike in every form, so that what a network answers does not depend on how it is executed; they stay f32 in memory.
void roundWeights(DenseForm* dense) {
  for (uint64_t k = 0; k < dense->weights.size(); ++k) dense->weights[k] = fromBfloat16(toBfloat16(dense->weights[k]));
}

}  // namespace

Status Predictor::create(Ref<const core::Model> model, const backend::PredictorOptions& options,
                         Ref<backend::Predictor>* out) {
  const kernels::KernelTable* kernels = nullptr;
  SETNET_TRY(kernels::active(&kernels));
  try {
    Predictor* predictor = new Predictor;
    const Ref<backend::Predictor> owner(predictor);
    predictor->loss_ = model->loss;
    predictor->scaling_ = model->scaling;
    predictor->sparseScaling_ = core::checkSparseScaling(model->scaling);
    predictor->kernels_ = kernels;
    predictor->threads_ = options.threads < 1 ? 1 : options.threads;
    const size_t count = model->layers.size();
    predictor->dense_.resize(count);
    predictor->packed_.resize(count);
    predictor->columns_.resize(count);
    predictor->packedSingles_.resize(count);
    predictor->bias_.resize(count);
    predictor->learned_.resize(count);
    predictor->layers_.resize(count);
    for (size_t l = 0; l < count; ++l) SETNET_TRY(predictor->packLayer(*model, l, options));
    *out = owner;
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "no memory while a predictor was made");
  }
  return Status();
}

Status Predictor::packLayer(const core::Model& model, size_t l, const backend::PredictorOptions& options) {
  const core::LayerDefinition& definition = model.definition.layers[l];
  const core::LayerState& state = model.layers[l];
  const core::CsrMatrix& weights = state.weights;
  ForwardForm& form = layers_[l];
  form.inputs = static_cast<int64_t>(definition.inputs);
  form.units = static_cast<int64_t>(definition.units);
  bias_[l] = state.bias;
  form.bias = state.bias.empty() ? nullptr : bias_[l].data();
  form.activation = rules::placed(definition.activation, model.definition.firstLayer + l);
  learned_[l] = state.activationParameters;
  form.learned = learned_[l].empty() ? nullptr : learned_[l].data();
  const bool rounded = options.precision == backend::Precision::Bf16;
  const double density = static_cast<double>(weights.count()) / static_cast<double>(definition.inputs) /
                         static_cast<double>(definition.units);
  constexpr double kSurelySparse = 0.3;  // no machine is asked below it
  const bool isSparse = definition.kind == core::LayerKind::Sparse &&
                        (density <= kSurelySparse || density <= crossoverDensity(*kernels_));
  if (isSparse) {
    PackOptions packing;
    packing.parts = threads_;
    packing.bfloat16 = rounded;
    SETNET_TRY(packed_[l].pack(weights, packing));
    form.packed = &packed_[l];
    if (options.optimizeFor == backend::OptimizeFor::Throughput) return Status();
    return packSingles(weights, l, density, rounded);
  }
  DenseForm& dense = dense_[l];
  SETNET_TRY(dense.allocate(definition.units, definition.inputs, 0, false));
  if (definition.kind == core::LayerKind::Dense)
    dense.setWeights(weights.values);
  else
    dense.scatter(weights, {});
  if (rounded) roundWeights(&dense);
  form.dense = &dense;
  return Status();
}

Status Predictor::packSingles(const core::CsrMatrix& weights, size_t l, double density, bool rounded) {
  ForwardForm& form = layers_[l];
  columns_[l].build(weights);
  for (float& value : columns_[l].values) value = rounded ? fromBfloat16(toBfloat16(value)) : value;
  form.columns = &columns_[l];

  PackOptions packing;
  packing.parts = threads_;
  packing.bfloat16 = rounded;
  packing.singles = true;
  SETNET_TRY(packedSingles_[l].pack(weights, packing));
  // Nearly the same again is not worth its memory.
  if (4 * packedSingles_[l].blocks() >= 3 * packed_[l].blocks())
    packedSingles_[l] = PackedMatrix();
  else
    form.packedSingle = &packedSingles_[l];

  // A dense matrix is read in a stream, at five times the weights per second: it is tried where it may win. One that
  // comes from memory cannot: it has more bytes than the connections until two thirds of the cells are there.
  constexpr double kPerhapsDense = 0.18;
  constexpr uint64_t kMostCells = uint64_t{1} << 24;  // 64 MB
  if (density < kPerhapsDense || weights.rows > kMostCells / weights.columns) return Status();
  DenseForm& dense = dense_[l];
  SETNET_TRY(dense.allocate(weights.rows, weights.columns, 0, false));
  dense.scatter(weights, {});
  if (rounded) roundWeights(&dense);
  const PackedMatrix& packed = form.packedSingle ? *form.packedSingle : packed_[l];
  bool isDenseQuicker = false;
  SETNET_TRY(compareSingles(*kernels_, packed, dense, &isDenseQuicker));
  if (isDenseQuicker) {
    form.denseSingle = &dense;
    form.packedSingle = nullptr;
    packedSingles_[l] = PackedMatrix();
  } else {
    dense = DenseForm();
  }
  return Status();
}

Status Predictor::predict(const backend::RowSet& rows, backend::Output output, Span<float> out) const {
  int loss = -1;
  if (output == backend::Output::Probabilities)
    loss = loss_ >= 0 ? loss_ : static_cast<int>(rules::Loss::SoftmaxCrossEntropy);
  return infer({kernels_, &scaling_, &sparseScaling_, &layers_, threads_}, &workspaces_, rows, loss, out);
}

uint64_t Predictor::bytes() const {
  uint64_t bytes = sizeof(*this);
  for (const PackedMatrix& packed : packed_) bytes += packed.bytes();
  for (const DenseForm& form : dense_) bytes += form.weights.bytes();
  for (const ColumnForm& columns : columns_) bytes += columns.bytes();
  for (const PackedMatrix& packed : packedSingles_) bytes += packed.bytes();
  for (const std::vector<float>& bias : bias_) bytes += bias.size() * sizeof(float);
  for (const std::vector<float>& learned : learned_) bytes += learned.size() * sizeof(float);
  return bytes;
}

}  // namespace setnet::cpu
