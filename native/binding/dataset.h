// NativeDataset: features that stay in JavaScript's memory or are a CsrMatrix, and targets (class numbers, or numbers
// for each output) and weights that are copied.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "binding/csr_matrix.h"
#include "train/trainer.h"

namespace setnet::binding {

// A data set that native threads read. The features' typed array is referenced until letGo(), which (like the
// destructor before it) belongs to the JavaScript thread; lib/ has marked the buffer untransferable. A CsrMatrix never
// changes and is kept as long.
class Dataset {
 public:
  Dataset(backend::MatrixView x, Ref<const CsrMatrix> matrix, std::vector<int32_t> classes, std::vector<float> numbers,
          std::vector<float> weights, Napi::ObjectReference owner)
      : x_(x),
        matrix_(std::move(matrix)),
        classes_(std::move(classes)),
        numbers_(std::move(numbers)),
        weights_(std::move(weights)),
        owner_(std::move(owner)) {}

  train::Dataset view() const { return {x_, classes_, numbers_, weights_}; }
  void letGo() {
    owner_.Reset();
    matrix_ = nullptr;
  }
  // Copies the features of a typed array to `storage`, whose bytes this uses from then on, and lets go of the array. A
  // matrix is kept.
  void own(std::vector<char>* storage);

 private:
  backend::MatrixView x_;
  Ref<const CsrMatrix> matrix_;  // or null
  std::vector<int32_t> classes_;
  std::vector<float> numbers_;
  std::vector<float> weights_;
  Napi::ObjectReference owner_;
};

// In two steps, because reading properties may run the caller's code and pointers must be taken after the last such
// step of a whole call.
class DatasetArgument {
 public:
  // Reads the properties. `what` names the data set in messages.
  DatasetArgument(const Napi::Value& value, const std::string& what);
  // Checks and copies; runs no JavaScript. The targets must have the form that the loss takes (< 0: softmax
  // cross-entropy).
  Dataset take(uint64_t columns, uint64_t outputs, int loss) const;

 private:
  std::string what_;
  Napi::Value x_;
  Napi::Value classes_;
  Napi::Value numbers_;
  Napi::Value weights_;
  uint64_t rows_ = 0;
};

}  // namespace setnet::binding
