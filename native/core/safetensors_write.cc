#include <algorithm>
#include <unordered_set>

#include "base/hash.h"
#include "core/file_io.h"
#include "core/json.h"
#include "core/safetensors.h"
#include "core/safetensors_format.h"

namespace setnet::core {
namespace {

struct LengthBytes {
  uint8_t bytes[kLengthBytes];
  explicit LengthBytes(uint64_t length) {
    for (uint64_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<uint8_t>(length >> 8 * i);
  }
};

Status internalError(const std::string& path, const std::string& message) {
  return Status(Code::Internal, "cannot write '" + path + "': " + message);
}

// What the reader would refuse is not written.
Status checkContent(const std::string& path, const std::vector<std::pair<std::string, std::string>>& metadata,
                    const std::vector<Tensor>& tensors) {
  size_t at = 0;
  const auto isText = [&](const std::string& text) {
    return isUtf8({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, &at);
  };
  std::unordered_set<std::string> keys{kChecksumKey}, names{kMetadataKey};
  for (const auto& [key, value] : metadata) {
    if (!isText(key) || !isText(value)) return internalError(path, "metadata '" + key + "' is not UTF-8");
    if (!keys.insert(key).second) return internalError(path, "metadata '" + key + "' is there twice or reserved");
  }
  for (const Tensor& tensor : tensors) {
    if (!isText(tensor.name)) return internalError(path, "a tensor's name is not UTF-8");
    if (!names.insert(tensor.name).second)
      return internalError(path, "tensor '" + tensor.name + "' is there twice or reserved");
    uint64_t bytes;
    if (!byteCount(tensor.shape, entryOf(tensor.type).size, &bytes) || bytes != tensor.bytes.size())
      return internalError(path, "tensor '" + tensor.name + "' of shape " + shapeText(tensor.shape) + " has " +
                                     std::to_string(tensor.bytes.size()) + " bytes");
  }
  return Status();
}

// The header without its length, padded. *digits: where the checksum's digits stand, which are zeros until the whole is
// hashed.
std::string makeHeader(const std::vector<std::pair<std::string, std::string>>& metadata,
                       const std::vector<const Tensor*>& tensors, size_t* digits) {
  std::string header = "{";
  appendJsonString(kMetadataKey, &header);
  header += ":{";
  for (const auto& [key, value] : metadata) {
    appendJsonString(key, &header);
    header += ':';
    appendJsonString(value, &header);
    header += ',';
  }
  appendJsonString(kChecksumKey, &header);
  header += ":\"";
  *digits = header.size();
  header.append(kChecksumDigits, '0');
  header += "\"}";
  uint64_t offset = 0;
  for (const Tensor* tensor : tensors) {
    header += ',';
    appendJsonString(tensor->name, &header);
    header += ":{\"dtype\":\"";
    header += entryOf(tensor->type).name;
    header += "\",\"shape\":[";
    for (size_t i = 0; i < tensor->shape.size(); ++i) header += (i ? "," : "") + std::to_string(tensor->shape[i]);
    header +=
        "],\"data_offsets\":[" + std::to_string(offset) + ',' + std::to_string(offset + tensor->bytes.size()) + "]}";
    offset += tensor->bytes.size();
  }
  header += '}';
  const uint64_t over = (kLengthBytes + header.size()) % kDataAlignment;
  if (over > 0) header.append(kDataAlignment - over, ' ');
  return header;
}

Status write(const std::string& path, const std::vector<std::pair<std::string, std::string>>& metadata,
             const std::vector<Tensor>& tensors) {
  SETNET_TRY(checkContent(path, metadata, tensors));
  // Larger elements first: each tensor then starts on a multiple of its element without a gap.
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(),
                   [](const Tensor* a, const Tensor* b) { return entryOf(a->type).size > entryOf(b->type).size; });
  size_t digits;
  std::string header = makeHeader(metadata, order, &digits);
  if (header.size() > kLargestHeader)
    return Status(Code::Option, "cannot write '" + path + "': names and metadata need " +
                                    std::to_string(header.size()) + " bytes, at most " +
                                    std::to_string(kLargestHeader) + " fit in a header");
  const LengthBytes length(header.size());
  Hash64 hash;
  hash.update(length.bytes, sizeof length.bytes);
  hash.update(header.data(), header.size());
  for (const Tensor* tensor : order) hash.update(tensor->bytes.data(), tensor->bytes.size());
  header.replace(digits, kChecksumDigits, hexDigits(hash.digest()));

  std::vector<Span<const uint8_t>> parts{{length.bytes, sizeof length.bytes},
                                         {reinterpret_cast<const uint8_t*>(header.data()), header.size()}};
  for (const Tensor* tensor : order) parts.push_back(tensor->bytes);
  return writeFileAtomically(path, parts);
}

}  // namespace

Status writeTensorFile(const std::string& path, const std::vector<std::pair<std::string, std::string>>& metadata,
                       const std::vector<Tensor>& tensors) {
  return withinMemory("write", path, [&] { return write(path, metadata, tensors); });
}

}  // namespace setnet::core
