// Philox and the bijection: known answers, uniformity, the same values by every way.
#include "base/bijection.h"

#include <algorithm>
#include <vector>

#include "base/philox.h"
#include "test/check.h"
#include "test/statistics.h"

using setnet::Bijection;
using setnet::philox4x32;
using setnet::PhiloxBlock;
using setnet::Purpose;
using setnet::RandomStream;

namespace {

// Enough to see networks of up to five rounds.
constexpr uint64_t kSeedsPerPair = 40;

bool sameWords(const PhiloxBlock& a, const PhiloxBlock& b) {
  return std::equal(std::begin(a.word), std::end(a.word), std::begin(b.word));
}

// The definition of pi, round by round as set down, with any number of rounds.
uint64_t definedPi(const RandomStream& stream, uint64_t size, uint64_t x, int rounds) {
  uint32_t key[12];
  for (int i = 0; i < 12; ++i) key[i] = stream.block(i / 4).word[i % 4];
  int bits = 0;
  for (uint64_t n = size - 1; n > 0; n /= 2) ++bits;
  bits = std::max(bits, 6);
  do {
    int leftWidth = bits / 2, rightWidth = bits - bits / 2;
    uint64_t left = x >> rightWidth, right = x & ((uint64_t{1} << rightWidth) - 1);
    for (int round = 0; round < rounds; ++round) {
      uint32_t h = static_cast<uint32_t>(right) ^ key[round];
      h ^= h >> 16;
      h *= 0x7feb352du;
      h ^= h >> 15;
      h *= 0x846ca68bu;
      h ^= h >> 16;
      const uint64_t mixed = left ^ (h & ((uint64_t{1} << leftWidth) - 1));
      left = right;
      right = mixed;
      std::swap(leftWidth, rightWidth);
    }
    x = left << rightWidth | right;
  } while (x >= size);
  return x;
}

// The score of the ordered pairs (pi(a), pi(b)) over many seeds; far above 4 where they are not uniform.
template <class Pi>
double pairScore(uint64_t size, uint64_t a, uint64_t b, uint64_t seeds, Pi pi) {
  std::vector<uint64_t> counts(size * (size - 1));
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    const RandomStream stream{seed, Purpose::Topology, static_cast<uint32_t>(size), 1};
    uint64_t first = 0, second = 0;
    pi(stream, a, b, &first, &second);
    ++counts[first * (size - 1) + (second > first ? second - 1 : second)];
  }
  return setnet::test::uniformityScore(counts);
}

}  // namespace

TEST("philox gives the published known answers") {
  CHECK(sameWords(philox4x32({{0, 0, 0, 0}}, 0, 0), {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  const uint32_t ones = 0xffffffff;
  CHECK(sameWords(philox4x32({{ones, ones, ones, ones}}, ones, ones),
                  {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  CHECK(sameWords(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0),
                  {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

TEST("a stream lays its counter out as defined") {
  const RandomStream stream{0x1122334455667788ull, Purpose::Dropout, 5, 0x199999999ull};
  CHECK(sameWords(stream.block(0xABCDEF0123456789ull),
                  philox4x32({{0x23456789, 4 | 5 << 8, 0xABCDEF01, 0x99999999}}, 0x55667788, 0x11223344)));
}

TEST("pi keeps its values to the bit") {
  // From a separate program in integers of any length.
  struct Known {
    RandomStream stream;
    uint64_t size;
    std::vector<uint64_t> values;
  };
  const Known all[] = {
      {{42, Purpose::Topology, 0, 0}, 784000, {642134, 472797, 878, 757191, 645022, 322162}},
      {{42, Purpose::SampleOrder, 0, 3}, 60000, {56773, 6380, 26795, 79, 43376, 50804}},
      {{0x123456789abcdef0ull, Purpose::RandomPrune, 7, 0x200000005ull}, 5, {0, 4, 1, 3, 2}},
      {{7, Purpose::Topology, 2, 1},
       4611686018427400249ull,
       {102304855463650626ull, 4310175248974843425ull, 2415092765033839324ull, 4046570055392741787ull,
        2564338424776972000ull, 2700564482132776654ull}},
      {{1, Purpose::Topology, 0, 0}, 1, {0}},
      {{~uint64_t{0}, Purpose::Topology, 3, 9},
       8589934592ull,
       {7015144678ull, 3799919677ull, 1681899716ull, 4505017639ull, 2582326490ull, 6755486913ull}},
  };
  for (const Known& known : all) {
    const Bijection pi(known.stream, known.size);
    CHECK_EQ(pi.size(), known.size);
    for (size_t i = 0; i < known.values.size(); ++i) CHECK_EQ(pi(i), known.values[i]);
  }
}

TEST("pi follows its definition for every width of the domain") {
  for (int bits = 1; bits < 64; ++bits) {
    for (const uint64_t size : {(uint64_t{1} << bits) - 1, uint64_t{1} << bits, (uint64_t{1} << bits) + 1}) {
      const RandomStream stream{size * 77, Purpose::Topology, 1, 2};
      const Bijection pi(stream, size);
      for (uint64_t i = 0; i < std::min<uint64_t>(size, 20); ++i) CHECK_EQ(pi(i), definedPi(stream, size, i, 12));
      CHECK_EQ(pi(size - 1), definedPi(stream, size, size - 1, 12));
    }
  }
}

TEST("pi reaches every value once") {
  for (const uint64_t size :
       {1, 2, 3, 5, 6, 7, 31, 63, 64, 65, 100, 127, 128, 129, 1000, 4095, 4097, 65536, 99991, 524289, 1000000}) {
    const Bijection pi({size, Purpose::Topology, 3, 4}, size);
    std::vector<uint64_t> values(size);
    pi.fill(0, size, values.data());
    std::vector<uint8_t> seen(size);
    for (uint64_t value : values) {
      REQUIRE(value < size);
      seen[value] += 1;
    }
    CHECK_EQ(std::count(seen.begin(), seen.end(), 1), size);
  }
}

TEST("fill gives the values of one by one") {
  uint64_t value[1500];
  for (const uint64_t size : {2ull, 33ull, 64ull, 65ull, 1000ull, 1025ull, 784000ull, 1ull << 33, (1ull << 40) + 1,
                              (1ull << 62) + 5, 1ull << 63}) {
    const Bijection pi({99, Purpose::Topology, 0, 7}, size);
    for (const uint64_t count : {0, 1, 7, 31, 32, 33, 255, 256, 257, 511, 600, 1500}) {
      if (count > size) continue;
      for (const uint64_t first : {uint64_t{0}, (size - count) / 2, size - count}) {
        std::fill(std::begin(value), std::end(value), ~uint64_t{0});
        pi.fill(first, count, value);
        for (uint64_t i = 0; i < count; ++i) CHECK_EQ(value[i], pi(first + i));
        if (count < 1500) CHECK_EQ(value[count], ~uint64_t{0});
      }
    }
  }
}

TEST("pi is uniform over ordered pairs for every size from 2 to 64") {
  double sum = 0, worst = 0;
  int scores = 0;
  for (uint64_t size = 2; size <= 64; ++size) {
    const uint64_t seeds = std::max<uint64_t>(3000, kSeedsPerPair * size * (size - 1));
    for (const auto& [a, b] : {std::pair<uint64_t, uint64_t>{0, 1}, {size - 1, size / 2}}) {
      if (a == b) continue;
      const double score =
          pairScore(size, a, b, seeds,
                    [&](const RandomStream& stream, uint64_t i, uint64_t k, uint64_t* first, uint64_t* second) {
                      const Bijection pi(stream, size);
                      *first = pi(i);
                      *second = pi(k);
                    });
      sum += score;
      worst = std::max(worst, std::fabs(score));
      ++scores;
    }
  }
  // 125 standard normal numbers: the largest is above 4.3 once in 400 such suites; their mean is near 0.
  CHECK(scores == 125);
  CHECK_NEAR(worst, 0, 4.3);
  CHECK_NEAR(sum / std::sqrt(scores), 0, 4);
}

TEST("the test of uniformity sees a network of four rounds") {
  const uint64_t size = 64;
  const double score =
      pairScore(size, 0, 1, kSeedsPerPair * size * (size - 1),
                [&](const RandomStream& stream, uint64_t i, uint64_t k, uint64_t* first, uint64_t* second) {
                  *first = definedPi(stream, size, i, 4);
                  *second = definedPi(stream, size, k, 4);
                });
  CHECK(score > 10);
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
