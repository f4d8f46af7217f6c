#include "base/hash.h"

#include <cstring>

namespace setnet {
namespace {

// The five primes of the specification.
constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ull;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Full;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9ull;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ull;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ull;
constexpr size_t kStripe = 32;

inline uint64_t rotateLeft(uint64_t x, int by) { return x << by | x >> (64 - by); }

// All machines this is built for are little-endian, as the hash is defined.
inline uint64_t read64(const uint8_t* p) {
  uint64_t x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
inline uint32_t read32(const uint8_t* p) {
  uint32_t x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

inline uint64_t mix(uint64_t lane, uint64_t input) { return rotateLeft(lane + input * kPrime2, 31) * kPrime1; }

inline uint64_t mergeLane(uint64_t hash, uint64_t lane) { return (hash ^ mix(0, lane)) * kPrime1 + kPrime4; }

// Takes whole stripes only and returns where the rest begins.
const uint8_t* takeStripes(uint64_t* lanes, const uint8_t* p, size_t bytes) {
  uint64_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
  for (; bytes >= kStripe; bytes -= kStripe, p += kStripe) {
    a = mix(a, read64(p));
    b = mix(b, read64(p + 8));
    c = mix(c, read64(p + 16));
    d = mix(d, read64(p + 24));
  }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
  return p;
}

}  // namespace

Hash64::Hash64(uint64_t seed) : seed_(seed), lane_{seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1} {}

void Hash64::update(const void* data, size_t bytes) {
  if (bytes == 0) return;
  const uint8_t* p = static_cast<const uint8_t*>(data);
  total_ += bytes;
  if (restBytes_ > 0) {
    const size_t taken = bytes < kStripe - restBytes_ ? bytes : kStripe - restBytes_;
    std::memcpy(rest_ + restBytes_, p, taken);
    restBytes_ += taken;
    p += taken;
    bytes -= taken;
    if (restBytes_ < kStripe) return;
    takeStripes(lane_, rest_, kStripe);
    restBytes_ = 0;
  }
  p = takeStripes(lane_, p, bytes);
  restBytes_ = bytes % kStripe;
  if (restBytes_ > 0) std::memcpy(rest_, p, restBytes_);
}

uint64_t Hash64::digest() const {
  uint64_t hash = seed_ + kPrime5;
  if (total_ >= kStripe) {
    hash = rotateLeft(lane_[0], 1) + rotateLeft(lane_[1], 7) + rotateLeft(lane_[2], 12) + rotateLeft(lane_[3], 18);
    for (uint64_t lane : lane_) hash = mergeLane(hash, lane);
  }
  hash += total_;
  const uint8_t* p = rest_;
  size_t left = restBytes_;
  for (; left >= 8; left -= 8, p += 8) hash = rotateLeft(hash ^ mix(0, read64(p)), 27) * kPrime1 + kPrime4;
  if (left >= 4) {
    hash = rotateLeft(hash ^ read32(p) * kPrime1, 23) * kPrime2 + kPrime3;
    left -= 4;
    p += 4;
  }
  for (; left > 0; --left, ++p) hash = rotateLeft(hash ^ *p * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

uint64_t hash64(const void* data, size_t bytes, uint64_t seed) {
  Hash64 hash(seed);
  hash.update(data, bytes);
  return hash.digest();
}

}  // namespace setnet
