// The safetensors container: 8 bytes of header length, a JSON header, data. Reading validates everything before
// anything is trusted; writing is atomic and durable (core/file_io.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ref.h"
#include "base/span.h"
#include "base/status.h"

namespace setnet::core {

enum class TensorType : int { F32, U32, U64 };  // the ones our files use; a reader refuses others by name

struct Tensor {
  std::string name;
  TensorType type = TensorType::F32;
  std::vector<uint64_t> shape;
  Span<const uint8_t> bytes;  // little-endian; aligned to the element within the file's data
};

// A tensor's numbers, in the type that the file says.
using TensorNumbers = std::variant<std::vector<float>, std::vector<uint32_t>, std::vector<uint64_t>>;

// A file that was read: private memory, nothing stays open or mapped. Each tensor was read into an array of its own,
// which a reader can have without a copy of it.
struct TensorFile : RefCounted {
  std::string path;                                           // as given, for messages
  std::vector<std::pair<std::string, std::string>> metadata;  // of __metadata__, in file order
  std::vector<Tensor> tensors;
  std::vector<TensorNumbers> numbers;  // where the tensors' bytes lie, in the same order

  const std::string* findMetadata(const std::string& key) const;
  const Tensor* find(const std::string& name) const;
  // Of all tensors, as they were read.
  uint64_t bytes() const;
  // Moves a tensor's numbers out, once; the tensor's bytes are theirs from then on. It must have the type.
  template <class T>
  std::vector<T> take(const Tensor& tensor) {
    return std::move(std::get<std::vector<T>>(numbers[static_cast<size_t>(&tensor - tensors.data())]));
  }
};

// Header padded with spaces so that data start on a multiple of 64; no gaps; 8-byte tensors are to come first.
// Adds `setnet_checksum` to the metadata: 16 hex digits of a 64-bit hash over the whole file, computed with the digits
// as zeros.
Status writeTensorFile(const std::string& path, const std::vector<std::pair<std::string, std::string>>& metadata,
                       const std::vector<Tensor>& tensors);
// Code::Io (no such file, not readable), Code::Format (anything wrong with the content, said precisely), Code::Memory.
Status readTensorFile(const std::string& path, Ref<TensorFile>* out);

}  // namespace setnet::core
