// What the measuring programs share: the clock, medians, random numbers, memory, options, and figures as lines of JSON.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace bench {

inline double now() {
  using std::chrono::duration;
  using std::chrono::steady_clock;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// xorshift64*: good enough for data that is only measured with.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  uint64_t below(uint64_t limit) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * limit) >> 64);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  float uniform() { return static_cast<float>(2 * unit() - 1); }         // [-1, 1)

 private:
  uint64_t state_;
};

// Memory on its own pages, in huge pages where the system gives them: else address translation, not the caches, is what
// large sets measure. All of it is written once, so that none of it is the system's one page of zeros.
template <class T>
class Buffer {
 public:
  explicit Buffer(size_t size) : size_(size) {
    constexpr size_t kHugePage = size_t{2} << 20;
    const size_t bytes = (std::max<size_t>(size * sizeof(T), 1) + kHugePage - 1) / kHugePage * kHugePage;
    void* memory = nullptr;
    if (::posix_memalign(&memory, kHugePage, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    std::memset(memory, 0, bytes);
    data_ = static_cast<T*>(memory);
  }
  ~Buffer() { ::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

  Buffer& fillRandom(uint64_t seed) {
    Random random(seed);
    for (T& value : *this) value = static_cast<T>(random.uniform());
    return *this;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

// How long and how often something is timed.
struct Timing {
  double seconds = 0.01;  // of one repeat, at least
  int repeats = 9;
};

struct Measured {
  double seconds = 0;  // of one call: the median of the repeats
  double best = 0;
  int repeats = 0;
};

// Times `call` after it has warmed up: the calls of a repeat are as many as fill its seconds.
template <class Call>
Measured measure(const Timing& timing, Call&& call) {
  double single = std::numeric_limits<double>::infinity();
  const double begin = now();
  double end = begin;
  for (int i = 0; i < 2 || (i < 1000 && end - begin < timing.seconds / 2); ++i) {
    const double start = now();
    call();
    end = now();
    single = std::min(single, end - start);
  }
  const int calls = static_cast<int>(std::min(1e7, std::max(1.0, timing.seconds / std::max(single, 1e-9))));
  // Calls of many times the seconds that were asked for are repeated less often, yet never less than three times.
  const int most = static_cast<int>(std::min(1e6, std::max(3.0, 20 * timing.repeats * timing.seconds / single)));
  const int repeats = std::min(timing.repeats, most);
  std::vector<double> times;
  for (int r = 0; r < repeats; ++r) {
    const double start = now();
    for (int i = 0; i < calls; ++i) call();
    times.push_back((now() - start) / calls);
  }
  return {median(times), *std::min_element(times.begin(), times.end()), repeats};
}

// --name VALUE; every name must be known to the program.
class Options {
 public:
  Options(int argc, char** argv, std::vector<std::string> known) : known_(std::move(known)) {
    for (int i = 1; i < argc; i += 2) {
      const std::string flag = argv[i];
      const bool isKnown = flag.rfind("--", 0) == 0 && has(known_, flag.substr(2));
      if (!isKnown || i + 1 >= argc) {
        std::string names;
        for (const std::string& name : known_) names += " [--" + name + " VALUE]";
        fail(isKnown ? flag + " wants a value" : "unknown option " + flag + "; usage:" + names);
      }
      values_[flag.substr(2)] = argv[i + 1];
    }
  }

  std::string text(const std::string& name, const std::string& fallback) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }
  double number(const std::string& name, double fallback, double low, double high) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : parse(name, found->second, low, high);
  }
  int64_t integer(const std::string& name, int64_t fallback, int64_t low, int64_t high) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : parseInteger(name, found->second, low, high);
  }
  // Comma-separated.
  std::vector<int64_t> integers(const std::string& name, std::vector<int64_t> fallback, int64_t low,
                                int64_t high) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return fallback;
    std::vector<int64_t> list;
    size_t at = 0;
    for (;;) {
      const size_t comma = found->second.find(',', at);
      list.push_back(parseInteger(name, found->second.substr(at, comma - at), low, high));
      if (comma == std::string::npos) return list;
      at = comma + 1;
    }
  }
  Timing timing(double seconds, int repeats) const {
    return {number("seconds", seconds, 1e-6, 60), static_cast<int>(integer("repeats", repeats, 1, 10000))};
  }

  [[noreturn]] static void fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(2);
  }

 private:
  static bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  }
  static double parse(const std::string& name, const std::string& text, double low, double high) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != 0 || !(value >= low && value <= high)) {
      char range[80];
      std::snprintf(range, sizeof range, "from %.10g to %.10g", low, high);
      fail("--" + name + " wants a number " + range + ", not '" + text + "'");
    }
    return value;
  }
  static int64_t parseInteger(const std::string& name, const std::string& text, int64_t low, int64_t high) {
    const double value = parse(name, text, static_cast<double>(low), static_cast<double>(high));
    if (value != std::floor(value)) fail("--" + name + " wants an integer, not '" + text + "'");
    return static_cast<int64_t>(value);
  }

  std::vector<std::string> known_;
  std::map<std::string, std::string> values_;
};

// One figure: {"name", "value", "unit", ...} on a line of its own, at once.
class Figure {
 public:
  Figure(const std::string& name, double value, const std::string& unit) {
    add("name", name);
    if (std::isfinite(value))
      add("value", value);
    else
      raw("value", "null");
    add("unit", unit);
  }
  // A peer that is not there, or not usable, and why.
  static Figure absent(const std::string& name, const std::string& unit, const std::string& reason) {
    return Figure(name, std::numeric_limits<double>::quiet_NaN(), unit).add("absent", reason);
  }

  Figure& add(const std::string& key, const std::string& value) { return raw(key, quoted(value)); }
  Figure& add(const std::string& key, const char* value) { return raw(key, quoted(value)); }
  Figure& add(const std::string& key, double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.10g", value);
    return raw(key, std::isfinite(value) ? text : "null");
  }
  Figure& add(const std::string& key, int64_t value) { return raw(key, std::to_string(value)); }
  Figure& add(const std::string& key, int value) { return raw(key, std::to_string(value)); }
  Figure& add(const std::string& key, bool value) { return raw(key, value ? "true" : "false"); }

  void print() const {
    std::printf("{%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  Figure& raw(const std::string& key, const std::string& json) {
    text_ += (text_.empty() ? "" : ",") + quoted(key) + ":" + json;
    return *this;
  }
  static std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') json += '\\';
      if (static_cast<unsigned char>(c) >= 0x20)
        json += c;
      else
        json += ' ';
    }
    return json + '"';
  }

  std::string text_;
};

}  // namespace bench
