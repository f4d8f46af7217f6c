// Where the batches of a fit come from: a data set that is there as a whole, or a stream of which nobody knows what
// comes next.
#pragma once

#include <cstdint>

#include "backend/backend.h"
#include "base/hash.h"
#include "base/status.h"
#include "core/model.h"

namespace setnet::train {

// What one step learns from.
struct Batch {
  backend::RowSet rows;      // at least one
  backend::Targets targets;  // in the form that the loss takes
};

// Called on the training thread, by one fit.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // Before the first epoch: learns what is not known of the scaling from the data. Code::Option where they are not
  // there yet.
  virtual Status learnScaling(core::Scaling* scaling) = 0;
  // The features are known to be sparse; a stream checks each batch for itself.
  virtual bool isSparse() const = 0;
  // Adds what is known of the data beforehand to a digest of them.
  virtual void addTo(Hash64* digest) const = 0;
  // Begins an epoch of the fit, which is number `epochOfLife` of the network's life (both from 1). *steps: how many
  // batches it has, 0 where that is not known.
  virtual Status begin(uint64_t epoch, uint64_t epochOfLife, uint64_t* steps) = 0;
  // The epoch's next batch, valid until the next call; *ended where there is none. May wait for it (Code::Aborted once
  // the fit is aborted).
  virtual Status next(Batch* batch, bool* ended) = 0;
  // The failure of a step on the last batch, with what its rows are called where they have no place in a data set.
  virtual Status located(Status failure) const { return failure; }
};

}  // namespace setnet::train
