// The content hash against published and independently computed values.
#include "base/hash.h"

#include <algorithm>
#include <random>
#include <vector>

#include "base/radix_sort.h"
#include "test/check.h"

using setnet::hash64;
using setnet::Hash64;

namespace {

std::vector<uint8_t> sampleBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + 3);
  return bytes;
}

}  // namespace

TEST("the hash is XXH64") {
  CHECK_EQ(hash64(nullptr, 0), 0xef46db3751d8e999ull);
  CHECK_EQ(hash64("a", 1), 0xd24ec4f1a98c6e5bull);
  CHECK_EQ(hash64("abc", 3), 0x44bc2cf5ad770999ull);
  struct Known {
    size_t size;
    uint64_t unseeded, seeded;
  };
  const Known all[] = {{1, 0x1f25c8d0bc1f4bb6, 0x79826bcd749d267a},   {4, 0x9bb64b7d66ee9fda, 0x6f0a6c97d68bf353},
                       {8, 0xdab99d95c6f90092, 0xa2f1e28437a78a1b},   {31, 0xa2aa5f33cc4a6119, 0x755437271d1d0a84},
                       {32, 0x23c3c17ef790fd97, 0xbf624b932c090428},  {33, 0x50a7cfc7ba588784, 0x7aceaf1e9d34ea35},
                       {63, 0x5e3e54b431c7493c, 0x2c8ddce5c85d0d9d},  {64, 0x0eb64b3ef6eeb01f, 0x4af341f14e3a6fc9},
                       {100, 0xa61f8d4c170fe531, 0xf6d8f65c625abb4f}, {200, 0xa6cb3c09bc829b24, 0x17e5f0aa6728f859}};
  for (const Known& known : all) {
    const std::vector<uint8_t> bytes = sampleBytes(known.size);
    CHECK_EQ(hash64(bytes.data(), bytes.size()), known.unseeded);
    CHECK_EQ(hash64(bytes.data(), bytes.size(), 0x9E3779B97F4A7C15ull), known.seeded);
  }
}

TEST("pieces hash like the whole, however they are cut") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    const std::vector<uint8_t> bytes = sampleBytes(random() % 300);
    Hash64 hash(round);
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min<size_t>(random() % 70, bytes.size() - at);
      hash.update(bytes.data() + at, size);
      hash.digest();  // looking does not change anything
      at += size;
    }
    CHECK_EQ(hash.digest(), hash64(bytes.data(), bytes.size(), round));
  }
}

TEST("every flipped bit changes the hash") {
  std::vector<uint8_t> bytes = sampleBytes(77);
  const uint64_t before = hash64(bytes.data(), bytes.size());
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] ^= 1 << i % 8;
    CHECK(hash64(bytes.data(), bytes.size()) != before);
    bytes[i / 8] ^= 1 << i % 8;
  }
}

TEST("numbers are sorted like std::sort does, from the given place on") {
  std::mt19937_64 random(6);
  for (const size_t size : {0, 1, 2, 2047, 2048, 2049, 10000}) {
    for (const int bits : {1, 10, 11, 12, 20, 33, 63, 64}) {
      for (const size_t first : {size_t{0}, size / 3}) {
        std::vector<uint64_t> numbers(size);
        for (uint64_t& x : numbers) x = random() >> (64 - bits);
        std::vector<uint64_t> expected = numbers;
        std::sort(expected.begin() + static_cast<long>(first), expected.end());
        setnet::sortNumbers(&numbers, first);
        CHECK(numbers == expected);
      }
    }
  }
}

TEST("numbers are sorted however unevenly they are spread") {
  std::mt19937_64 random(7);
  for (const size_t size : {13, 100, 5000, 300000}) {
    for (int kind = 0; kind < 5; ++kind) {
      std::vector<uint64_t> numbers(size);
      for (uint64_t& x : numbers) {
        x = random();
        if (kind == 1) x = x % 4 == 0 ? x : x % 1000;                    // most of them in one bucket
        if (kind == 2) x = (x % 3) << 62 | (x >> 54);                    // in a few bins of three buckets
        if (kind == 3) x = (uint64_t{1} << 40) + (x % 7);                // nearly all equal
        if (kind == 4) x = ~static_cast<uint64_t>(&x - numbers.data());  // descending
      }
      std::vector<uint64_t> expected = numbers;
      std::sort(expected.begin(), expected.end());
      setnet::sortNumbers(&numbers);
      CHECK(numbers == expected);
    }
  }
}

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
