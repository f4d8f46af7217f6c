#include "train/dataset_source.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bijection.h"
#include "train/data_digest.h"
#include "train/scaling.h"

namespace setnet::train {

Status DatasetSource::learnScaling(core::Scaling* scaling) { return train::learnScaling(data_.x, scaling); }

void DatasetSource::addTo(Hash64* digest) const { addToDigest(data_, digest); }

Status DatasetSource::begin(uint64_t, uint64_t epochOfLife, uint64_t* steps) {
  const uint64_t samples = data_.x.rows;
  order_.resize(samples);
  Bijection({seed_, Purpose::SampleOrder, 0, epochOfLife}, samples).fill(0, samples, order_.data());
  first_ = 0;
  if (byClass_) classes_.resize(std::min(batchSize_, samples));
  if (!data_.weights.empty()) weights_.resize(std::min(batchSize_, samples));
  *steps = (samples + batchSize_ - 1) / batchSize_;
  return Status();
}

Status DatasetSource::next(Batch* batch, bool* ended) {
  const uint64_t samples = data_.x.rows;
  *ended = first_ == samples;
  if (*ended) return Status();
  const uint64_t count = std::min(batchSize_, samples - first_);
  const uint64_t* rows = order_.data() + first_;
  *batch = {};
  batch->rows = {data_.x, rows, 0, count};
  if (byClass_) {
    for (uint64_t k = 0; k < count; ++k) classes_[k] = data_.classes[rows[k]];
    batch->targets.classes = classes_.data();
  } else {
    const backend::MatrixView numbers = {data_.numbers.data(), backend::DataType::Float32, samples, units_};
    batch->targets.numbers = {numbers, rows, 0, count};
  }
  if (!data_.weights.empty()) {
    for (uint64_t k = 0; k < count; ++k) weights_[k] = data_.weights[rows[k]];
    batch->targets.weights = weights_.data();
  }
  first_ += count;
  return Status();
}

Status fit(const backend::Backend& backend, Ref<const core::Model> start, const Dataset& training,
           const Dataset* validation, const FitOptions& options, Control& control, Observer& observer,
           FitResult* result) {
  if (training.x.rows == 0) return Status(Code::Data, "the training data have no rows");
  SETNET_TRY(checkTargets(training, options.rules.loss, start->definition));
  if (!training.weights.empty() && training.weights.size() != training.x.rows)
    return Status(Code::Data, "there must be one weight for each row of the training data");
  if (options.batchSize == 0) return Status(Code::Option, "batchSize must be at least 1");
  DatasetSource source(training, options.batchSize, options.rules.loss, start->definition);
  return fit(backend, std::move(start), source, validation, options, control, observer, result);
}

}  // namespace setnet::train
