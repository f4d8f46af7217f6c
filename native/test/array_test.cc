// Memory that is kept, and the measuring of phases.
#include "base/array.h"

#include <new>
#include <string>
#include <utility>

#include "base/phases.h"
#include "test/check.h"

using setnet::Array;
using setnet::Phases;
using setnet::Stopwatch;

TEST("an array keeps its elements when it grows, and its memory when it shrinks") {
  Array<uint32_t> array;
  CHECK(array.empty());
  array.resize(3);
  for (uint32_t i = 0; i < 3; ++i) array[i] = i + 7;
  array.resize(1000000);  // several pages
  CHECK_EQ(array.size(), 1000000);
  for (uint32_t i = 0; i < 3; ++i) CHECK_EQ(array[i], i + 7);
  array[999999] = 5;
  const uint32_t* const memory = array.data();
  array.resize(2);
  CHECK_EQ(array.end() - array.begin(), 2);
  CHECK(array.renew(1000000) == memory);
  CHECK_EQ(array[999999], 5);
}

TEST("an array that is moved takes its elements along") {
  Array<uint8_t> array;
  array.resize(2);
  array[1] = 9;
  Array<uint8_t> other = std::move(array);
  CHECK_EQ(other.size(), 2);
  CHECK_EQ(other[1], 9);
  Array<uint8_t> third;
  third = std::move(other);
  CHECK_EQ(third[1], 9);
}

TEST("an array larger than the memory of the machine throws and stays as it is") {
  Array<uint64_t> array;
  array.resize(4);
  array[3] = 11;
  for (const uint64_t size : {~uint64_t{0}, uint64_t{1} << 61, uint64_t{1} << 50}) {
    bool thrown = false;
    try {
      array.resize(size);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK_EQ(array.size(), 4);
    CHECK_EQ(array[3], 11);
  }
}

TEST("phases add up by name, and too many go to the last one") {
  Phases phases;
  phases.add("draw", 1);
  phases.add("sort", 2);
  phases.add(std::string("draw").c_str(), 4);
  REQUIRE(phases.size() == 2);
  CHECK_EQ(phases.seconds(0), 5);
  CHECK_EQ(std::string(phases.name(1)), "sort");
  static const char* const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
  for (const char* name : names) phases.add(name, 1);
  CHECK_EQ(phases.size(), Phases::kMost);
  double sum = 0;
  for (int i = 0; i < phases.size(); ++i) sum += phases.seconds(i);
  CHECK_EQ(sum, 7 + 16);
}

TEST("a stopwatch without phases does nothing, and one with phases gives every lap its time") {
  Stopwatch silent;
  silent.lap("nothing");
  Phases phases;
  Stopwatch watch(&phases);
  watch.lap("one");
  watch.lap("two");
  REQUIRE(phases.size() == 2);
  CHECK(phases.seconds(0) >= 0);
  CHECK(phases.seconds(1) >= 0);
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
