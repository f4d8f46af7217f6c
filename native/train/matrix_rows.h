// Reading user matrices of any data type as f32, for statistics; the backends fill their panels themselves.
#pragma once

#include "backend/backend.h"

namespace setnet::train {

// Calls visitor(const T* data) with the matrix's element type.
template <class Visitor>
auto visitElements(const backend::MatrixView& matrix, Visitor&& visitor) {
  switch (matrix.type) {
    case backend::DataType::Float64:
      return visitor(static_cast<const double*>(matrix.data));
    case backend::DataType::Uint8:
      return visitor(static_cast<const uint8_t*>(matrix.data));
    case backend::DataType::Int8:
      return visitor(static_cast<const int8_t*>(matrix.data));
    case backend::DataType::Uint16:
      return visitor(static_cast<const uint16_t*>(matrix.data));
    case backend::DataType::Int16:
      return visitor(static_cast<const int16_t*>(matrix.data));
    case backend::DataType::Float32:
      break;
  }
  return visitor(static_cast<const float*>(matrix.data));
}

}  // namespace setnet::train
