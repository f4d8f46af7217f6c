// A test harness of one header: registration, checks that go on after a failure, a filter, a closing line.
//
//   TEST("behaviour in words") {
//     CHECK(condition);
//     CHECK_EQ(actual, expected);
//     CHECK_NEAR(actual, expected, tolerance);   // NaN is never near anything
//     REQUIRE(condition);                        // leaves the test where it fails
//     FAIL("text");
//   }
//   int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
//
// `program substring...` runs the tests whose name contains one of the substrings. Checks may be made on any thread;
// REQUIRE only in a function that returns void.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace setnet::test {

struct Case {
  const char* name;
  void (*body)();
};

struct State {
  std::vector<Case> cases;
  std::mutex mutex;
  uint64_t failures = 0;  // of the running test
};

inline State& state() {
  static State instance;
  return instance;
}

struct Registration {
  Registration(const char* name, void (*body)()) { state().cases.push_back({name, body}); }
};

inline void fail(const char* file, int line, const std::string& text) {
  // A loop over a million wrong values says enough with its first ten.
  constexpr uint64_t kShown = 10;
  State& s = state();
  std::lock_guard<std::mutex> lock(s.mutex);
  ++s.failures;
  if (s.failures <= kShown) std::printf("    %s:%d: %s\n", file, line, text.c_str());
  if (s.failures == kShown + 1) std::printf("    ... further failures of this test are not shown\n");
}

template <class T, class = void>
struct IsPrintable : std::false_type {};
template <class T>
struct IsPrintable<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};

template <class T>
std::string show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (sizeof(T) == 1 && std::is_integral_v<T>) {
    return std::to_string(static_cast<int>(value));
  } else if constexpr (IsPrintable<T>::value) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
  } else {
    return "(a value that cannot be printed)";
  }
}

// Integers compare by value, whatever their signs: CHECK_EQ(vector.size(), 3) needs no cast.
template <class A, class B>
bool equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && std::is_signed_v<A> != std::is_signed_v<B>) {
    if constexpr (std::is_signed_v<A>)
      return a >= 0 && static_cast<std::make_unsigned_t<A>>(a) == b;
    else
      return b >= 0 && a == static_cast<std::make_unsigned_t<B>>(b);
  } else {
    return a == b;
  }
}

template <class A, class B>
bool checkEqual(const char* file, int line, const char* expression, const A& a, const B& b) {
  if (equal(a, b)) return true;
  fail(file, line, std::string(expression) + ": " + show(a) + " is not " + show(b));
  return false;
}

inline bool checkNear(const char* file, int line, const char* expression, double a, double b, double tolerance) {
  if (std::fabs(a - b) <= tolerance) return true;
  fail(file, line, std::string(expression) + ": " + show(a) + " is not within " + show(tolerance) + " of " + show(b));
  return false;
}

inline int run(int argc, char** argv) {
  uint64_t passed = 0, failed = 0;
  for (const Case& test : state().cases) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted = wanted || std::strstr(test.name, argv[i]) != nullptr;
    if (!wanted) continue;
    state().failures = 0;
    try {
      test.body();
    } catch (const std::exception& e) {
      fail(__FILE__, __LINE__, std::string("an exception left the test: ") + e.what());
    } catch (...) {
      fail(__FILE__, __LINE__, "something that is no exception was thrown");
    }
    if (state().failures == 0) {
      ++passed;
    } else {
      ++failed;
      std::printf("FAILED %s\n", test.name);
    }
    std::fflush(stdout);
  }
  if (passed + failed == 0) std::printf("no test has such a name\n");
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace setnet::test

#define SETNET_TEST_JOIN2(a, b) a##b
#define SETNET_TEST_JOIN(a, b) SETNET_TEST_JOIN2(a, b)

#define TEST(name)                                                                     \
  static void SETNET_TEST_JOIN(test_, __LINE__)();                                     \
  static const ::setnet::test::Registration SETNET_TEST_JOIN(registration_, __LINE__)( \
      name, &SETNET_TEST_JOIN(test_, __LINE__));                                       \
  static void SETNET_TEST_JOIN(test_, __LINE__)()

#define CHECK(condition) ((condition) ? (void)0 : ::setnet::test::fail(__FILE__, __LINE__, "not true: " #condition))
#define CHECK_EQ(a, b) ((void)::setnet::test::checkEqual(__FILE__, __LINE__, #a " == " #b, a, b))
#define CHECK_NEAR(a, b, tolerance) ((void)::setnet::test::checkNear(__FILE__, __LINE__, #a " ~ " #b, a, b, tolerance))
#define FAIL(text) ::setnet::test::fail(__FILE__, __LINE__, text)
#define REQUIRE(condition)                                                           \
  do {                                                                               \
    if (!(condition)) {                                                              \
      ::setnet::test::fail(__FILE__, __LINE__, "needed, and not true: " #condition); \
      return;                                                                        \
    }                                                                                \
  } while (0)
