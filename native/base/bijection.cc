#include "base/bijection.h"

#include "base/lanes.h"

namespace setnet {
namespace {

constexpr int kRounds = 12;

// Integers only, so every instruction set gives the same values; the wider ones only give them sooner.
SETNET_INLINE uint32_t roundHash(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

// Halves change sides and widths every round: before an even round the left half has `evenMask`'s width.
SETNET_INLINE void feistel(uint32_t& left, uint32_t& right, const uint32_t* key, uint32_t evenMask, uint32_t oddMask) {
#define SETNET_TWO_ROUNDS(r)                    \
  left ^= roundHash(right ^ key[r]) & evenMask; \
  right ^= roundHash(left ^ key[(r) + 1]) & oddMask;
  // Written out: the compiler vectorises over draws only where the loop over rounds is gone. Two rounds without moving
  // the halves are the same as two rounds with a swap each.
  SETNET_TWO_ROUNDS(0)
  SETNET_TWO_ROUNDS(2)
  SETNET_TWO_ROUNDS(4)
  SETNET_TWO_ROUNDS(6)
  SETNET_TWO_ROUNDS(8)
  SETNET_TWO_ROUNDS(10)
#undef SETNET_TWO_ROUNDS
}

constexpr uint64_t kBatch = 256;
constexpr uint64_t kFew = 24;  // so many values go one by one sooner than in a batch

struct Network {
  const uint32_t* key;
  uint32_t leftMask, rightMask;
  int rightBits;
};

// One pass of the network over a whole batch, in place. Three plain loops of a fixed count, so that the compiler
// vectorises each without a tail; the halves stay in the first-level cache.
SETNET_INLINE void passOver(uint64_t* values, const Network& network) {
  alignas(64) uint32_t left[kBatch], right[kBatch];
  for (uint64_t i = 0; i < kBatch; ++i) {
    left[i] = static_cast<uint32_t>(values[i] >> network.rightBits);
    right[i] = static_cast<uint32_t>(values[i]) & network.rightMask;
  }
  for (uint64_t i = 0; i < kBatch; ++i) feistel(left[i], right[i], network.key, network.leftMask, network.rightMask);
  for (uint64_t i = 0; i < kBatch; ++i) values[i] = static_cast<uint64_t>(left[i]) << network.rightBits | right[i];
}

using Pass = void (*)(uint64_t*, const Network&);

void passBaseline(uint64_t* values, const Network& network) { passOver(values, network); }

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
__attribute__((target("avx2"))) void passAvx2(uint64_t* values, const Network& network) { passOver(values, network); }
__attribute__((target("avx512f"))) void passAvx512(uint64_t* values, const Network& network) {
  passOver(values, network);
}

Pass choosePass() {
  if (__builtin_cpu_supports("avx512f")) return passAvx512;
  return __builtin_cpu_supports("avx2") ? passAvx2 : passBaseline;
}
#else
Pass choosePass() { return passBaseline; }
#endif

uint32_t lowMask(int bits) { return static_cast<uint32_t>((uint64_t{1} << bits) - 1); }

}  // namespace

Bijection::Bijection(const RandomStream& stream, uint64_t size) : size_(size) {
  int bits = 0;
  while (bits < 64 && (size - 1) >> bits != 0) ++bits;  // ceil(log2(size))
  // Domains under 6 bits are measurably not uniform.
  if (bits < 6) bits = 6;
  leftBits_ = bits / 2;
  rightBits_ = bits - leftBits_;
  for (uint64_t index = 0; index < 3; ++index) {
    const PhiloxBlock block = stream.block(index);
    for (int i = 0; i < 4; ++i) key_[index * 4 + i] = block.word[i];
  }
}

uint64_t Bijection::once(uint64_t x) const {
  uint32_t left = static_cast<uint32_t>(x >> rightBits_);
  uint32_t right = static_cast<uint32_t>(x) & lowMask(rightBits_);
  feistel(left, right, key_, lowMask(leftBits_), lowMask(rightBits_));
  return static_cast<uint64_t>(left) << rightBits_ | right;
}

uint64_t Bijection::operator()(uint64_t i) const {
  // Cycle walking: a cycle that begins below size comes back below it, at the latest where it began.
  do {
    i = once(i);
  } while (i >= size_);
  return i;
}

void Bijection::fill(uint64_t first, uint64_t count, uint64_t* out) const {
  static const Pass pass = choosePass();
  const Network network{key_, lowMask(leftBits_), lowMask(rightBits_), rightBits_};
  // Values that are still above size_ after a pass, and where they belong. They walk on together, a batch at a time.
  alignas(64) uint64_t walking[2 * kBatch];
  uint64_t place[2 * kBatch];
  uint64_t walkers = 0;
  const auto walkOn = [&](uint64_t from) {
    pass(walking + from, network);
    uint64_t left = from;
    for (uint64_t i = from; i < walkers; ++i) {
      const uint64_t x = walking[i];
      out[place[i]] = x;
      walking[left] = x;
      place[left] = place[i];
      left += x >= size_;
    }
    walkers = left;
  };

  uint64_t begun = 0;
  for (; count - begun >= kBatch; begun += kBatch) {
    uint64_t* values = out + begun;
    for (uint64_t i = 0; i < kBatch; ++i) values[i] = first + begun + i;
    pass(values, network);
    // No branch: which values must walk on is a coin's toss. There are fewer than kBatch walkers before, so this fits.
    for (uint64_t i = 0; i < kBatch; ++i) {
      walking[walkers] = values[i];
      place[walkers] = begun + i;
      walkers += values[i] >= size_;
    }
    while (walkers >= kBatch) walkOn(walkers - kBatch);
  }
  // The rest joins the walkers, as if it had walked already.
  for (; begun < count; ++begun, ++walkers) {
    walking[walkers] = first + begun;
    place[walkers] = begun;
  }
  while (walkers >= kBatch) walkOn(walkers - kBatch);
  while (walkers >= kFew) {
    for (uint64_t i = walkers; i < kBatch; ++i) walking[i] = 0;  // fills up the batch; nobody looks at them
    walkOn(0);
  }
  for (uint64_t i = 0; i < walkers; ++i) out[place[i]] = (*this)(walking[i]);
}

}  // namespace setnet
