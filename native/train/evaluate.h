// The metrics of raw outputs: in double, ascending by sample.
#pragma once

#include <functional>

#include "train/trainer.h"

namespace setnet::train {

// Writes the raw outputs of `count` rows from `first` on, row-major.
using ForwardRows = std::function<Status(uint64_t first, uint64_t count, Span<float> out)>;

using rules::accuracyOf;

// Walks the data set in blocks of rows; Code::Aborted between blocks once *abort is set (abort may be null).
// `metrics`: numbers of rules::kMetrics that apply to the loss and the units.
Status evaluateRows(const ForwardRows& forward, int loss, uint64_t units, const Dataset& data, Span<const int> metrics,
                    const std::atomic<bool>* abort, Evaluation* out);

}  // namespace setnet::train
