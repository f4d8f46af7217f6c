#include <algorithm>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "base/hash.h"
#include "core/file_io.h"
#include "core/json.h"
#include "core/safetensors.h"
#include "core/safetensors_format.h"

namespace setnet::core {
namespace {

Status formatError(const std::string& path, const std::string& message) {
  return Status(Code::Format, "'" + path + "' is not a valid model file: " + message);
}

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The header's content before the data are there.
class HeaderParser {
 public:
  HeaderParser(Span<const uint8_t> header, TensorFile* file) : json_(header), file_(file) {}

  Status parse() {
    SETNET_TRY(json_.expect('{'));
    if (!json_.take('}')) {
      do {
        SETNET_TRY(entry());
      } while (json_.take(','));
      SETNET_TRY(json_.expect('}'));
    }
    return json_.end();
  }

  const std::vector<Range>& ranges() const { return ranges_; }
  bool isOurs() const { return isOurs_; }
  bool hasChecksum() const { return hasChecksum_; }
  // Position of the first digit in the header.
  size_t checksumPosition() const { return checksumPosition_; }

 private:
  Status entry() {
    std::string name;
    SETNET_TRY(json_.string(&name));
    if (!names_.insert(name).second) return json_.failure("'" + name + "' is there twice, before");
    SETNET_TRY(json_.expect(':'));
    return name == kMetadataKey ? metadata() : tensor(std::move(name));
  }

  Status metadata() {
    SETNET_TRY(json_.expect('{'));
    if (json_.take('}')) return Status();
    std::unordered_set<std::string> keys;
    do {
      std::string key, value;
      size_t rawBegin;
      SETNET_TRY(json_.string(&key));
      if (!keys.insert(key).second) return json_.failure("metadata '" + key + "' is there twice, before");
      SETNET_TRY(json_.expect(':'));
      SETNET_TRY(json_.string(&value, &rawBegin));
      if (key.compare(0, sizeof kOurPrefix - 1, kOurPrefix) == 0) isOurs_ = true;
      if (key == kChecksumKey) {
        // Plain digits, so that they can be taken out of the text again.
        const bool plain = json_.position() - rawBegin == kChecksumDigits + 1 && value.size() == kChecksumDigits &&
                           value.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!plain) return json_.failure("the checksum must be 16 digits 0-9 a-f, before");
        hasChecksum_ = true;
        checksumPosition_ = rawBegin;
      }
      file_->metadata.emplace_back(std::move(key), std::move(value));
    } while (json_.take(','));
    return json_.expect('}');
  }

  Status tensor(std::string name) {
    const std::string who = "tensor '" + name + "': ";
    Tensor tensor;
    tensor.name = std::move(name);
    Range range;
    bool hasType = false, hasShape = false, hasOffsets = false;
    SETNET_TRY(json_.expect('{'));
    do {
      std::string key;
      SETNET_TRY(json_.string(&key));
      SETNET_TRY(json_.expect(':'));
      bool* seen = nullptr;
      if (key == "dtype") seen = &hasType;
      if (key == "shape") seen = &hasShape;
      if (key == "data_offsets") seen = &hasOffsets;
      if (!seen) return json_.failure(who + "unknown entry '" + key + "' (dtype, shape and data_offsets expected)");
      if (*seen) return json_.failure(who + key + " is there twice, before");
      *seen = true;
      if (key == "dtype") {
        SETNET_TRY(type(who, &tensor.type));
      } else if (key == "shape") {
        SETNET_TRY(naturals(&tensor.shape));
      } else {
        std::vector<uint64_t> offsets;
        SETNET_TRY(naturals(&offsets));
        if (offsets.size() != 2) return json_.failure(who + "data_offsets must be two numbers, begin and end, before");
        range = {offsets[0], offsets[1]};
      }
    } while (json_.take(','));
    SETNET_TRY(json_.expect('}'));
    if (!hasType || !hasShape || !hasOffsets)
      return json_.failure(who + (!hasType ? "dtype" : !hasShape ? "shape" : "data_offsets") + " is missing, before");
    SETNET_TRY(checkRange(who, tensor, range));
    file_->tensors.push_back(std::move(tensor));
    ranges_.push_back(range);
    return Status();
  }

  Status type(const std::string& who, TensorType* out) {
    std::string name;
    SETNET_TRY(json_.string(&name));
    for (const TypeEntry& entry : kTypes) {
      if (name != entry.name) continue;
      *out = entry.type;
      return Status();
    }
    return json_.failure(who + "dtype " + name + " is not supported (F32, U32 and U64 are), before");
  }

  Status naturals(std::vector<uint64_t>* out) {
    SETNET_TRY(json_.expect('['));
    if (json_.take(']')) return Status();
    do {
      uint64_t number;
      SETNET_TRY(json_.natural(&number));
      out->push_back(number);
    } while (json_.take(','));
    return json_.expect(']');
  }

  // What one tensor says must agree with itself; how tensors lie to each other is checked when all are known.
  static Status checkRange(const std::string& who, const Tensor& tensor, const Range& range) {
    const TypeEntry& type = entryOf(tensor.type);
    uint64_t bytes;
    if (!byteCount(tensor.shape, type.size, &bytes))
      return Status(Code::Format, who + "shape " + shapeText(tensor.shape) + " is larger than 64 bits can count");
    if (range.end < range.begin || range.end - range.begin != bytes)
      return Status(Code::Format, who + type.name + " of shape " + shapeText(tensor.shape) + " needs " +
                                      std::to_string(bytes) + " bytes, data_offsets are [" +
                                      std::to_string(range.begin) + ", " + std::to_string(range.end) + "]");
    if (range.begin % type.size != 0)
      return Status(Code::Format, who + "data_offsets begin at " + std::to_string(range.begin) +
                                      ", no multiple of the element's " + std::to_string(type.size) + " bytes");
    return Status();
  }

  JsonReader json_;
  TensorFile* file_;
  std::unordered_set<std::string> names_;
  std::vector<Range> ranges_;
  bool isOurs_ = false;
  bool hasChecksum_ = false;
  size_t checksumPosition_ = 0;
};

// Together the tensors cover the data exactly once; `order`: in which they lie.
Status checkCover(const TensorFile& file, const std::vector<Range>& ranges, uint64_t dataSize,
                  std::vector<size_t>* out) {
  std::vector<size_t>& order = *out;
  order.resize(ranges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ranges[a].begin != ranges[b].begin ? ranges[a].begin < ranges[b].begin : ranges[a].end < ranges[b].end;
  });
  uint64_t covered = 0;
  std::string before = "the start of the data";
  for (const size_t i : order) {
    const Range& range = ranges[i];
    const std::string name = "tensor '" + file.tensors[i].name + "'";
    if (range.begin < covered)
      return Status(Code::Format, name + " begins at " + std::to_string(range.begin) + " and overlaps " + before +
                                      ", which ends at " + std::to_string(covered));
    if (range.begin > covered)
      return Status(Code::Format, "there is a gap between " + before + " (" + std::to_string(covered) + ") and " +
                                      name + " (" + std::to_string(range.begin) + ")");
    covered = range.end;
    before = name;
  }
  if (covered != dataSize)
    return Status(Code::Format, "the tensors need " + std::to_string(covered) + " bytes of data, the file has " +
                                    std::to_string(dataSize) + (covered > dataSize ? " (is it cut off?)" : ""));
  return Status();
}

// The header as it counts for the checksum, which begins at `position` in it: with zeros in place of the digits.
void hashHeader(const uint8_t* lengthBytes, const std::vector<uint8_t>& header, size_t position, Hash64* hash) {
  const std::string zeros(kChecksumDigits, '0');
  const size_t behind = position + kChecksumDigits;
  hash->update(lengthBytes, kLengthBytes);
  hash->update(header.data(), position);
  hash->update(zeros.data(), zeros.size());
  hash->update(header.data() + behind, header.size() - behind);
}

// Reads one tensor's numbers. Hashed piece by piece while they are in the cache.
template <class T>
Status readNumbers(InputFile* input, uint64_t bytes, Hash64* hash, TensorNumbers* numbers, Tensor* tensor) {
  constexpr uint64_t kPiece = 1 << 18;
  std::vector<T>& values = numbers->emplace<std::vector<T>>(bytes / sizeof(T));
  auto* const begin = reinterpret_cast<uint8_t*>(values.data());
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t count = std::min(kPiece, bytes - done);
    SETNET_TRY(input->read(begin + done, count));
    hash->update(begin + done, count);
    done += count;
  }
  tensor->bytes = {begin, bytes};
  return Status();
}

Status readTensor(InputFile* input, uint64_t bytes, Hash64* hash, TensorNumbers* numbers, Tensor* tensor) {
  switch (tensor->type) {
    case TensorType::F32:
      return readNumbers<float>(input, bytes, hash, numbers, tensor);
    case TensorType::U32:
      return readNumbers<uint32_t>(input, bytes, hash, numbers, tensor);
    case TensorType::U64:
      return readNumbers<uint64_t>(input, bytes, hash, numbers, tensor);
  }
  return Status(Code::Format, "tensor '" + tensor->name + "' has a type that has no reader");
}

Status checkChecksum(uint64_t digest, const std::vector<uint8_t>& header, size_t position) {
  const size_t behind = position + kChecksumDigits;
  const std::string expected = hexDigits(digest);
  if (std::memcmp(header.data() + position, expected.data(), kChecksumDigits) == 0) return Status();
  const std::string found(header.begin() + static_cast<std::ptrdiff_t>(position),
                          header.begin() + static_cast<std::ptrdiff_t>(behind));
  return Status(Code::Format, "the file is damaged: its content has checksum " + expected + ", it says " + found);
}

Status read(const std::string& path, Ref<TensorFile>* out) {
  InputFile input;
  SETNET_TRY(input.open(path));
  if (input.size() < kLengthBytes)
    return formatError(path, "it has " + std::to_string(input.size()) +
                                 " bytes; the length of the header alone needs " + std::to_string(kLengthBytes));
  uint8_t lengthBytes[kLengthBytes];
  SETNET_TRY(input.read(lengthBytes, kLengthBytes));
  uint64_t headerSize = 0;
  for (int i = kLengthBytes - 1; i >= 0; --i) headerSize = headerSize << 8 | lengthBytes[i];
  const uint64_t rest = input.size() - kLengthBytes;
  if (headerSize > rest)
    return formatError(path, "its header should have " + std::to_string(headerSize) + " bytes, only " +
                                 std::to_string(rest) + " follow (cut off, or no safetensors file)");
  if (headerSize > kLargestHeader)
    return formatError(path, "its header has " + std::to_string(headerSize) + " bytes, at most " +
                                 std::to_string(kLargestHeader) + " are allowed");
  std::vector<uint8_t> header(headerSize);
  SETNET_TRY(input.read(header.data(), headerSize));
  if (headerSize == 0 || header[0] != '{') return formatError(path, "its header does not begin with '{'");
  size_t at;
  if (!isUtf8(header, &at)) return formatError(path, "its header is not UTF-8 at byte " + std::to_string(at));

  Ref<TensorFile> file(new TensorFile);
  file->path = path;
  HeaderParser parser(header, file.get());
  Status parsed = parser.parse();
  if (!parsed.ok()) return formatError(path, "in its header, " + parsed.message());
  if (parser.isOurs() && !parser.hasChecksum())
    return formatError(path, std::string("its metadata lack '") + kChecksumKey + "'");
  if (parser.isOurs() && (kLengthBytes + headerSize) % kDataAlignment != 0)
    return formatError(path, "its data begin at byte " + std::to_string(kLengthBytes + headerSize) +
                                 ", no multiple of " + std::to_string(kDataAlignment));
  const uint64_t dataSize = rest - headerSize;
  std::vector<size_t> order;
  Status covered = checkCover(*file, parser.ranges(), dataSize, &order);
  if (!covered.ok()) return formatError(path, covered.message());

  Hash64 hash;
  if (parser.hasChecksum()) hashHeader(lengthBytes, header, parser.checksumPosition(), &hash);
  file->numbers.resize(file->tensors.size());
  for (const size_t i : order) {
    const Range& range = parser.ranges()[i];
    SETNET_TRY(readTensor(&input, range.end - range.begin, &hash, &file->numbers[i], &file->tensors[i]));
  }
  SETNET_TRY(input.expectEnd());
  if (parser.hasChecksum()) {
    Status sum = checkChecksum(hash.digest(), header, parser.checksumPosition());
    if (!sum.ok()) return formatError(path, sum.message());
  }
  *out = file;
  return Status();
}

}  // namespace

const std::string* TensorFile::findMetadata(const std::string& key) const {
  for (const auto& entry : metadata)
    if (entry.first == key) return &entry.second;
  return nullptr;
}

const Tensor* TensorFile::find(const std::string& name) const {
  for (const Tensor& tensor : tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

uint64_t TensorFile::bytes() const {
  uint64_t sum = 0;
  for (const Tensor& tensor : tensors) sum += tensor.bytes.size();
  return sum;
}

Status readTensorFile(const std::string& path, Ref<TensorFile>* out) {
  return withinMemory("read", path, [&] { return read(path, out); });
}

}  // namespace setnet::core
