#include "core/json.h"

#include <limits>

namespace setnet::core {
namespace {

bool isContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

void appendUtf8(uint32_t point, std::string* out) {
  if (point < 0x80) {
    out->push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out->push_back(static_cast<char>(0xC0 | point >> 6));
    out->push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else if (point < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | point >> 12));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | point >> 18));
    out->push_back(static_cast<char>(0x80 | (point >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (point & 0x3F)));
  }
}

}  // namespace

bool isUtf8(Span<const uint8_t> bytes, size_t* at) {
  size_t i = 0;
  while (i < bytes.size()) {
    const uint8_t first = bytes[i];
    size_t length = 1;
    // The range of the second byte excludes overlong forms, surrogates and what lies above U+10FFFF.
    uint8_t lowest = 0x80, highest = 0xBF;
    if (first < 0x80) {
      ++i;
      continue;
    } else if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
      length = 3;
      if (first == 0xE0) lowest = 0xA0;
      if (first == 0xED) highest = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      if (first == 0xF0) lowest = 0x90;
      if (first == 0xF4) highest = 0x8F;
    }
    bool good = length > 1 && bytes.size() - i >= length && bytes[i + 1] >= lowest && bytes[i + 1] <= highest;
    for (size_t k = 2; good && k < length; ++k) good = isContinuation(bytes[i + k]);
    if (!good) {
      *at = i;
      return false;
    }
    i += length;
  }
  return true;
}

void appendJsonString(const std::string& text, std::string* out) {
  static const char digits[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte < 0x20) {
      out->append("\\u00");
      out->push_back(digits[byte >> 4]);
      out->push_back(digits[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

Status JsonReader::failure(const std::string& message) const {
  return Status(Code::Format, message + " at byte " + std::to_string(position_));
}

void JsonReader::skipSpace() {
  while (position_ < text_.size()) {
    const uint8_t c = text_[position_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
    ++position_;
  }
}

bool JsonReader::take(char c) {
  skipSpace();
  if (position_ >= text_.size() || text_[position_] != static_cast<uint8_t>(c)) return false;
  ++position_;
  return true;
}

Status JsonReader::expect(char c) {
  if (take(c)) return Status();
  return failure(std::string("'") + c + "' expected");
}

Status JsonReader::fourHexDigits(uint32_t* out) {
  *out = 0;
  for (int i = 0; i < 4; ++i, ++position_) {
    const uint8_t c = position_ < text_.size() ? text_[position_] : 0;
    uint32_t digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return failure("four hex digits expected after \\u");
    }
    *out = *out << 4 | digit;
  }
  return Status();
}

Status JsonReader::escape(std::string* out) {
  const uint8_t c = position_ < text_.size() ? text_[position_] : 0;
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  for (int i = 0; names[i]; ++i) {
    if (c != static_cast<uint8_t>(names[i])) continue;
    out->push_back(values[i]);
    ++position_;
    return Status();
  }
  if (c != 'u') return failure("an escape that JSON does not know");
  ++position_;
  uint32_t point;
  SETNET_TRY(fourHexDigits(&point));
  if (point >= 0xDC00 && point <= 0xDFFF)
    return failure("the second half of a surrogate pair without the first, before");
  if (point >= 0xD800 && point <= 0xDBFF) {
    if (text_.size() - position_ < 2 || text_[position_] != '\\' || text_[position_ + 1] != 'u')
      return failure("the second half of a surrogate pair expected");
    position_ += 2;
    uint32_t second;
    SETNET_TRY(fourHexDigits(&second));
    if (second < 0xDC00 || second > 0xDFFF) return failure("the second half of a surrogate pair expected, before");
    point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00);
  }
  appendUtf8(point, out);
  return Status();
}

Status JsonReader::string(std::string* out, size_t* rawBegin) {
  if (!take('"')) return failure("a string expected");
  out->clear();
  if (rawBegin) *rawBegin = position_;
  while (position_ < text_.size()) {
    const uint8_t c = text_[position_];
    if (c < 0x20) return failure("a control character inside a string");
    ++position_;
    if (c == '"') return Status();
    if (c == '\\') {
      SETNET_TRY(escape(out));
    } else {
      out->push_back(static_cast<char>(c));
    }
  }
  return failure("a string without its closing quote");
}

Status JsonReader::natural(uint64_t* out) {
  skipSpace();
  const size_t begin = position_;
  uint64_t value = 0;
  while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
    const uint64_t digit = text_[position_] - '0';
    constexpr uint64_t most = std::numeric_limits<uint64_t>::max();
    if (value > most / 10 || value * 10 > most - digit) return failure("a number of more than 64 bits");
    if (position_ > begin && value == 0) return failure("a number with a leading zero");
    value = value * 10 + digit;
    ++position_;
  }
  if (position_ == begin) return failure("a natural number expected");
  const uint8_t next = position_ < text_.size() ? text_[position_] : 0;
  if (next == '.' || next == 'e' || next == 'E')
    return failure("a natural number expected, not a fraction or exponent,");
  *out = value;
  return Status();
}

Status JsonReader::end() {
  skipSpace();
  return position_ == text_.size() ? Status() : failure("nothing more expected");
}

}  // namespace setnet::core
