// A strict reader of JSON for the headers of our files. It hands out one token after the other and builds no tree: the
// caller knows the only shape it accepts, so that nesting is bounded by the caller's code and not by the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/span.h"
#include "base/status.h"

namespace setnet::core {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. *at: the first byte that is wrong.
bool isUtf8(Span<const uint8_t> bytes, size_t* at);

// Appends `text` as a JSON string with its quotes. `text` must be UTF-8.
void appendJsonString(const std::string& text, std::string* out);

// Every failure is Code::Format with the position in the text. The text must be UTF-8 (isUtf8).
class JsonReader {
 public:
  explicit JsonReader(Span<const uint8_t> text) : text_(text) {}

  size_t position() const { return position_; }
  // Skips white space and takes the character where it comes next.
  bool take(char c);
  // The same; Code::Format where something else comes.
  Status expect(char c);
  // A string with all escapes resolved. *rawBegin, where wanted: the position of its first character after the quote.
  Status string(std::string* out, size_t* rawBegin = nullptr);
  // A natural number below 2^64: digits only, no leading zero, no fraction or exponent.
  Status natural(uint64_t* out);
  // Nothing but white space up to the end.
  Status end();
  Status failure(const std::string& message) const;

 private:
  void skipSpace();
  Status escape(std::string* out);
  Status fourHexDigits(uint32_t* out);

  Span<const uint8_t> text_;
  size_t position_ = 0;
};

}  // namespace setnet::core
