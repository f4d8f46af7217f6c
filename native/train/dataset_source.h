// The batches of a data set: every sample once an epoch, in an order that follows from seed and epoch alone.
#pragma once

#include <cstdint>
#include <vector>

#include "train/batch_source.h"
#include "train/trainer.h"

namespace setnet::train {

class DatasetSource : public BatchSource {
 public:
  // `data` has rows, with targets in the form that the loss takes, and stays where it is. The last batch of an epoch
  // may be smaller.
  DatasetSource(const Dataset& data, uint64_t batchSize, int loss, const core::NetworkDefinition& definition)
      : data_(data),
        batchSize_(batchSize),
        byClass_(rules::targetOf(loss) == rules::Target::Class),
        units_(definition.layers.back().units),
        seed_(definition.seed) {}

  Status learnScaling(core::Scaling* scaling) override;
  bool isSparse() const override { return data_.x.isSparse(); }
  void addTo(Hash64* digest) const override;
  Status begin(uint64_t epoch, uint64_t epochOfLife, uint64_t* steps) override;
  Status next(Batch* batch, bool* ended) override;

 private:
  const Dataset& data_;
  const uint64_t batchSize_;
  const bool byClass_;
  const uint64_t units_;
  const uint64_t seed_;

  std::vector<uint64_t> order_;
  uint64_t first_ = 0;  // in order_, of the next batch
  std::vector<int32_t> classes_;
  std::vector<float> weights_;
};

}  // namespace setnet::train
