// What the reader and the writer of safetensors files share: the constants of the container, its types, small texts.
#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/safetensors.h"

namespace setnet::core {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' bytes are used as they lie: little-endian");

// The limit of the reference implementation, and its reason: a header is parsed before anything vouches for it.
inline constexpr uint64_t kLargestHeader = 100000000;
inline constexpr uint64_t kLengthBytes = 8;
inline constexpr uint64_t kDataAlignment = 64;
inline constexpr char kMetadataKey[] = "__metadata__";
inline constexpr char kChecksumKey[] = "setnet_checksum";
// A file with a metadata entry that begins like this is ours: it must have its checksum and start its data on 64.
inline constexpr char kOurPrefix[] = "setnet";
inline constexpr size_t kChecksumDigits = 16;

struct TypeEntry {
  TensorType type;
  const char* name;
  uint64_t size;
};
inline constexpr TypeEntry kTypes[] = {
    {TensorType::F32, "F32", 4}, {TensorType::U32, "U32", 4}, {TensorType::U64, "U64", 8}};

inline const TypeEntry& entryOf(TensorType type) { return kTypes[static_cast<int>(type)]; }

inline std::string shapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// false where the product does not fit 64 bits.
inline bool byteCount(const std::vector<uint64_t>& shape, uint64_t elementSize, uint64_t* out) {
  *out = elementSize;
  for (const uint64_t extent : shape)
    if (__builtin_mul_overflow(*out, extent, out)) return false;
  return true;
}

inline std::string hexDigits(uint64_t value) {
  std::string text(kChecksumDigits, '0');
  for (size_t i = 0; i < kChecksumDigits; ++i) text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  return text;
}

// The standard library throws where memory ends; a file that asks for too much must not end the process.
template <class Work>
Status withinMemory(const char* doing, const std::string& path, Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return Status(Code::Memory, std::string("not enough memory to ") + doing + " '" + path + "'");
}

}  // namespace setnet::core
