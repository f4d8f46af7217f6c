// The container of model files: what is written is read again, and whatever differs from the format is refused, by the
// rule it breaks. Damaged headers get a fresh checksum, so that the rule and not only the checksum is tested.
#include "core/safetensors.h"

#include <unistd.h>

#include <cstring>

#include "base/hash.h"
#include "base/philox.h"
#include "core/json.h"
#include "test/check.h"
#include "test/temporary_folder.h"

namespace {

using namespace setnet;
using core::Tensor;
using core::TensorFile;
using core::TensorType;
using test::readText;
using test::TemporaryFolder;
using test::writeText;

using Metadata = std::vector<std::pair<std::string, std::string>>;

const std::string kZeros(16, '0');

std::string withLength(const std::string& header, const std::string& data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>(header.size() >> 8 * i));
  return file + header + data;
}

// Pads the header, as the writer does, and puts the right checksum where 16 zeros stand.
std::string sealed(std::string header, const std::string& data) {
  while ((8 + header.size()) % 64 != 0) header.push_back(' ');
  const size_t at = header.find(kZeros);
  std::string file = withLength(header, data);
  if (at == std::string::npos) return file;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash64(file.data(), file.size())));
  return file.replace(8 + at, 16, digits);
}

std::string headerOf(const std::string& entries) {
  return "{\"__metadata__\":{\"setnet_checksum\":\"" + kZeros + "\"}" + (entries.empty() ? "" : ",") + entries + "}";
}

std::string entryOf(const std::string& name, const std::string& type, const std::string& shape,
                    const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}";
}

Status readBytes(const std::string& bytes, Ref<TensorFile>* file) {
  static const TemporaryFolder folder;
  writeText(folder / "file", bytes);
  return core::readTensorFile(folder / "file", file);
}

// The file is refused with Code::Format, and the message says why.
void checkRefused(const std::string& bytes, const std::string& reason) {
  Ref<TensorFile> file;
  const Status status = readBytes(bytes, &file);
  if (status.code() != Code::Format) {
    FAIL("not refused, although: " + reason);
  } else if (status.message().find(reason) == std::string::npos) {
    FAIL("refused for another reason than \"" + reason + "\": " + status.message());
  }
  CHECK(!file);
}

template <class T>
Span<const uint8_t> bytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)};
}

struct Example {
  std::vector<float> weights{1.5f, -2.0f, 0.25f, 3e-42f, -0.0f, 7.0f};
  std::vector<uint32_t> columns{0, 5, 0xFFFFFFFFu};
  std::vector<uint64_t> pointers{0, 1, 0x123456789ABCDEFull};
  Metadata metadata{{"setnet", "{\"a\":[1,2]}"}, {"note", "line\nbreak \"quoted\" \\ tab\t\x01 ä € 𝄞"}};

  std::vector<Tensor> tensors() const {
    return {{"weights", TensorType::F32, {2, 3}, bytesOf(weights)},
            {"columns", TensorType::U32, {3}, bytesOf(columns)},
            {"none", TensorType::F32, {0, 4}, {}},
            {"pointers", TensorType::U64, {3}, bytesOf(pointers)}};
  }
};

void checkTensor(const TensorFile& file, const Tensor& expected) {
  const Tensor* found = file.find(expected.name);
  REQUIRE(found != nullptr);
  CHECK(found->type == expected.type);
  CHECK(found->shape == expected.shape);
  REQUIRE(found->bytes.size() == expected.bytes.size());
  CHECK(expected.bytes.empty() || std::memcmp(found->bytes.data(), expected.bytes.data(), expected.bytes.size()) == 0);
  const size_t element = expected.type == TensorType::U64 ? 8 : 4;
  CHECK_EQ(reinterpret_cast<uintptr_t>(found->bytes.data()) % element, 0u);
}

TEST("the hash is XXH64, in one piece and in many") {
  CHECK_EQ(hash64("", 0), 0xef46db3751d8e999u);
  CHECK_EQ(hash64("abc", 3), 0x44bc2cf5ad770999u);
  const std::string text = "Nobody inspects the spammish repetition";
  CHECK_EQ(hash64(text.data(), text.size()), 0xfbcea83c8a378bf1u);
  std::string longText;
  for (int i = 0; i < 200; ++i) longText.push_back(static_cast<char>(i * 7));
  for (size_t size = 0; size <= longText.size(); ++size) {
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{31}, size_t{33}}) {
      Hash64 hash;
      for (size_t i = 0; i < size; i += piece) hash.update(longText.data() + i, std::min(piece, size - i));
      CHECK_EQ(hash.digest(), hash64(longText.data(), size));
    }
  }
}

TEST("tensors and metadata come back as they were written") {
  const TemporaryFolder folder;
  const Example example;
  const Status written = core::writeTensorFile(folder / "a", example.metadata, example.tensors());
  CHECK_EQ(written.message(), "");
  Ref<TensorFile> file;
  const Status read = core::readTensorFile(folder / "a", &file);
  CHECK_EQ(read.message(), "");
  REQUIRE(file);
  CHECK_EQ(file->tensors.size(), 4u);
  for (const Tensor& tensor : example.tensors()) checkTensor(*file, tensor);
  for (const auto& [key, value] : example.metadata) {
    REQUIRE(file->findMetadata(key) != nullptr);
    CHECK_EQ(*file->findMetadata(key), value);
  }
  CHECK(file->find("absent") == nullptr);
  CHECK(file->findMetadata("absent") == nullptr);
  CHECK_EQ(file->path, folder / "a");
}

TEST("equal content makes equal bytes, padded to 64, sealed by the documented checksum") {
  const TemporaryFolder folder;
  const Example example;
  CHECK(core::writeTensorFile(folder / "a", example.metadata, example.tensors()).ok());
  CHECK(core::writeTensorFile(folder / "b", example.metadata, example.tensors()).ok());
  std::string bytes = readText(folder / "a");
  CHECK(bytes == readText(folder / "b"));
  uint64_t headerSize = 0;
  std::memcpy(&headerSize, bytes.data(), 8);
  CHECK_EQ((8 + headerSize) % 64, 0u);
  CHECK_EQ(bytes.size() - 8 - headerSize, 24u + 12u + 24u);
  // Larger elements first.
  CHECK(bytes.find("\"pointers\"") < bytes.find("\"weights\""));
  const std::string key = "\"setnet_checksum\":\"";
  const size_t at = bytes.find(key) + key.size();
  const std::string digits = bytes.substr(at, 16);
  bytes.replace(at, 16, kZeros);
  CHECK_EQ(std::stoull(digits, nullptr, 16), hash64(bytes.data(), bytes.size()));
}

TEST("a file without tensors is a file") {
  const TemporaryFolder folder;
  CHECK(core::writeTensorFile(folder / "a", {}, {}).ok());
  Ref<TensorFile> file;
  CHECK(core::readTensorFile(folder / "a", &file).ok());
  REQUIRE(file);
  CHECK_EQ(file->tensors.size(), 0u);
}

TEST("all escapes of JSON are read, surrogate pairs too") {
  const std::string text = R"("\"\\\/\b\f\n\r\t\u0041\u00e4\u20AC\ud834\udd1e")";
  core::JsonReader json({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  std::string value;
  CHECK(json.string(&value).ok());
  CHECK_EQ(value, "\"\\/\b\f\n\r\tAä€𝄞");
  CHECK(json.end().ok());
}

TEST("UTF-8 is checked to the letter") {
  const auto isGood = [](const std::string& text) {
    size_t at;
    return core::isUtf8({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, &at);
  };
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    CHECK(isGood(good));
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2",
                          "\xC2"
                          "a",
                          "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                          "\xF5\x80\x80\x80", "\xF1\x80\x80", "\xFF"})
    CHECK(!isGood(bad));
}

TEST("a foreign file is read without a checksum, one of ours is not") {
  const std::string data(8, 'x');
  Ref<TensorFile> file;
  CHECK(readBytes(withLength("{" + entryOf("w", "F32", "2", "0,8") + "}", data), &file).ok());
  CHECK(readBytes(withLength("{\"__metadata__\":{\"format\":\"pt\"}}", ""), &file).ok());
  checkRefused(sealed("{\"__metadata__\":{\"setnet\":\"{}\"}}", ""), "lack 'setnet_checksum'");
  checkRefused(sealed("{\"w\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", "1234"),
               "tensor 'w': dtype BF16 is not supported");
}

TEST("every rule of the header refuses on its own") {
  const std::string data(16, 'd');
  const std::string good = entryOf("p", "U64", "1", "0,8") + "," + entryOf("w", "F32", "2", "8,16");
  Ref<TensorFile> control;
  const Status accepted = readBytes(sealed(headerOf(good), data), &control);
  CHECK_EQ(accepted.message(), "");

  const auto refused = [&](const std::string& entries, const std::string& reason) {
    checkRefused(sealed(headerOf(entries), data), reason);
  };
  // Offsets, shapes, sizes.
  refused(entryOf("p", "U64", "1", "0,8") + "," + entryOf("w", "F32", "1", "12,16"), "gap between tensor 'p' (8)");
  refused(entryOf("w", "F32", "3", "4,16"), "gap between the start of the data (0)");
  refused(entryOf("p", "U64", "1", "0,8") + "," + entryOf("w", "F32", "3", "4,16"), "'w' begins at 4 and overlaps");
  refused(entryOf("p", "U64", "2", "0,16") + "," + entryOf("w", "F32", "4", "0,16"), "overlaps");
  refused(entryOf("p", "U64", "1", "0,8"), "need 8 bytes of data, the file has 16");
  refused(entryOf("p", "U64", "3", "0,24"), "need 24 bytes of data, the file has 16 (is it cut off?)");
  refused(entryOf("w", "F32", "1", "0,4") + "," + entryOf("p", "U64", "1", "4,12") + "," +
              entryOf("x", "F32", "1", "12,16"),
          "'p': data_offsets begin at 4, no multiple of the element's 8");
  refused(entryOf("p", "U64", "1", "0,16"), "'p': U64 of shape [1] needs 8 bytes");
  refused(entryOf("p", "U64", "0", "8,0"), "data_offsets are [8, 0]");
  refused(entryOf("p", "U64", "4294967296,4294967296", "0,0"), "larger than 64 bits can count");
  refused(entryOf("p", "U64", "2305843009213693953", "0,8"), "larger than 64 bits can count");
  refused(entryOf("p", "U64", "1", "18446744073709551608,18446744073709551615"), "needs 8 bytes");
  refused(entryOf("p", "U64", "1", "18446744073709551608,0"), "needs 8 bytes");
  refused(entryOf("p", "U64", "1", "0"), "two numbers");
  refused(entryOf("p", "U64", "1", "0,8,16"), "two numbers");
  // Numbers.
  for (const char* number :
       {"-1", "1.0", "1e0", "01", "+1", "0x1", "\"1\"", "true", "null", "[1]", "", "18446744073709551616"})
    checkRefused(sealed(headerOf(entryOf("p", "U64", "1", std::string("0,") + number)), data), " at byte ");
  refused(entryOf("p", "U64", "1", "0,18446744073709551616"), "more than 64 bits");
  refused(entryOf("p", "U64", "01", "0,8"), "leading zero");
  // Shapes of JSON that safetensors does not know.
  refused("\"p\":1", "'{' expected");
  refused("\"p\":{}", "a string expected");
  refused("\"p\":{\"dtype\":\"U64\",\"shape\":[1]}", "data_offsets is missing");
  refused("\"p\":{\"dtype\":\"U64\",\"data_offsets\":[0,8]}", "shape is missing");
  refused("\"p\":{\"shape\":[1],\"data_offsets\":[0,8]}", "dtype is missing");
  refused("\"p\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8],\"extra\":1}", "unknown entry 'extra'");
  refused("\"p\":{\"dtype\":\"U64\",\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8]}", "dtype is there twice");
  refused("\"p\":{\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,8]}", "a string expected");
  refused(entryOf("p", "I8", "1", "0,1"), "tensor 'p': dtype I8 is not supported");
  refused(good + "," + entryOf("w", "F32", "0", "16,16"), "'w' is there twice");
  refused(good + "," + entryOf("\\u0077", "F32", "0", "16,16"), "'w' is there twice");
  refused("\"__metadata__\":{}", "'__metadata__' is there twice");
  refused("\"p\":{\"shape\":" + std::string(100000, '['), "natural number expected");
  refused(good + ",", "a string expected");
  refused("p:1", "a string expected");
  refused("\"p\" " + entryOf("p", "U64", "1", "0,8").substr(4), "':' expected");
}

TEST("every rule of the text refuses on its own") {
  const auto refusedName = [](const std::string& name, const std::string& reason) {
    checkRefused(sealed(headerOf(entryOf(name, "F32", "0", "0,0")), ""), reason);
  };
  refusedName("\xC0\xAF", "not UTF-8");
  refusedName("a\nb", "control character");
  refusedName("\\x", "escape that JSON does not know");
  refusedName("\\u12g4", "four hex digits");
  refusedName("\\ud834", "second half of a surrogate pair expected");
  refusedName("\\ud834\\u0041", "second half of a surrogate pair expected");
  refusedName("\\udd1e", "without the first");
  checkRefused(sealed("{\"open", ""), "without its closing quote");
  checkRefused(sealed(headerOf("") + "{}", ""), "nothing more expected");
  checkRefused(sealed("[]", ""), "does not begin with '{'");
  checkRefused(sealed(" {}", ""), "does not begin with '{'");
  checkRefused(sealed("{\"__metadata__\":{\"a\":1}}", ""), "a string expected");
  checkRefused(sealed("{\"__metadata__\":[]}", ""), "'{' expected");
  checkRefused(sealed("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", ""), "metadata 'a' is there twice");
  // The checksum itself: its form, its place, its value.
  const auto checksum = [](const std::string& digits) {
    return withLength("{\"__metadata__\":{\"setnet_checksum\":\"" + digits + "\"}}" + std::string(1, ' '), "");
  };
  for (const char* digits :
       {"", "0123", "0123456789ABCDEF", "0123456789abcdeg", "0123456789abcdef0", "\\u0030123456789abcdef"})
    checkRefused(checksum(digits), "16 digits 0-9 a-f");
  const std::string padded = sealed(headerOf(""), "");
  std::string wrong = padded;
  const size_t at = wrong.find("checksum\":\"") + 11;
  wrong[at] = wrong[at] == '0' ? '1' : '0';
  checkRefused(wrong, "the file is damaged");
}

TEST("the length of the header is checked against the file, the cap and the start of the data") {
  for (size_t size = 0; size < 8; ++size)
    checkRefused(std::string(size, '\0'), "the length of the header alone needs 8");
  checkRefused(std::string(8, '\0'), "does not begin with '{'");
  checkRefused(std::string(8, '\xFF') + "{}", "should have 18446744073709551615 bytes, only 2 follow");
  std::string cut = sealed(headerOf(""), "");
  cut.pop_back();
  checkRefused(cut, "follow (cut off");
  // A header of ours that ends off the multiple of 64, its checksum being right.
  std::string header = headerOf("");
  while ((8 + header.size()) % 64 != 1) header.push_back(' ');
  std::string file = withLength(header, "");
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash64(file.data(), file.size())));
  checkRefused(file.replace(8 + header.find(kZeros), 16, digits), "no multiple of 64");
  // Larger than any header may be: a file with a hole, so that nothing is written or read.
  const TemporaryFolder folder;
  const uint64_t length = 100000001;
  writeText(folder / "huge", std::string(reinterpret_cast<const char*>(&length), 8) + "{");
  REQUIRE(::truncate((folder / "huge").c_str(), static_cast<off_t>(8 + length)) == 0);
  Ref<TensorFile> huge;
  const Status status = core::readTensorFile(folder / "huge", &huge);
  CHECK(status.code() == Code::Format);
  CHECK(status.message().find("at most 100000000 are allowed") != std::string::npos);
}

TEST("2,000 random changes and truncations are all refused") {
  const TemporaryFolder folder;
  const Example example;
  REQUIRE(core::writeTensorFile(folder / "a", example.metadata, example.tensors()).ok());
  const std::string good = readText(folder / "a");
  const RandomStream stream{7, Purpose::Trigger, 0, 0};
  for (uint64_t i = 0; i < 2000; ++i) {
    const PhiloxBlock draw = stream.block(i);
    std::string bad = good;
    const size_t at = draw.word[0] % bad.size();
    switch (draw.word[1] % 5) {
      case 0:  // one bit
        bad[at] = static_cast<char>(bad[at] ^ 1 << draw.word[2] % 8);
        break;
      case 1:  // one byte
        bad[at] = static_cast<char>(bad[at] + 1 + draw.word[2] % 255);
        break;
      case 2:  // cut off
        bad.resize(at);
        break;
      case 3:  // something inserted
        bad.insert(at, 1 + draw.word[2] % 9, static_cast<char>(draw.word[3]));
        break;
      case 4:  // something taken out
        bad.erase(at, 1 + draw.word[2] % 9);
        break;
    }
    Ref<TensorFile> file;
    const Status status = readBytes(bad, &file);
    CHECK(status.code() == Code::Format);
    CHECK(!file);
    CHECK(!status.message().empty());
  }
}

TEST("the writer refuses what the reader would refuse, and leaves the old file") {
  const TemporaryFolder folder;
  writeText(folder / "a", "old");
  const std::vector<float> values{1, 2};
  const Tensor good{"w", TensorType::F32, {2}, bytesOf(values)};
  const auto refused = [&](const Metadata& metadata, const std::vector<Tensor>& tensors) {
    CHECK(core::writeTensorFile(folder / "a", metadata, tensors).code() == Code::Internal);
    CHECK_EQ(readText(folder / "a"), "old");
  };
  refused({}, {good, good});
  refused({}, {{"__metadata__", TensorType::F32, {2}, bytesOf(values)}});
  refused({}, {{"w", TensorType::F32, {3}, bytesOf(values)}});
  refused({}, {{"\xFF", TensorType::F32, {2}, bytesOf(values)}});
  refused({{"a", "\xFF"}}, {good});
  refused({{"a", "1"}, {"a", "2"}}, {good});
  refused({{"setnet_checksum", "1"}}, {good});
  CHECK_EQ(folder.count(), 1u);
}

}  // namespace

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
