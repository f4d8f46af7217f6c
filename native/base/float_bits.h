// Sign, zero, finiteness and order of a float from its integer bits: neither the processor's flush mode (which reads
// subnormals as zero) nor the compiler's arithmetic options can change the answer.
#pragma once

#include <cstdint>
#include <cstring>

namespace setnet {

inline uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Orders floats by absolute value: finite ones are below 0x7F800000, zeros are 0, NaNs lie above infinity.
inline uint32_t magnitudeBits(float x) { return bitsOf(x) & 0x7FFFFFFFu; }
// +0 or -0; no subnormal is.
inline bool isZeroBits(float x) { return magnitudeBits(x) == 0; }
inline bool isFiniteBits(float x) { return magnitudeBits(x) < 0x7F800000u; }
inline bool isNanBits(float x) { return magnitudeBits(x) > 0x7F800000u; }
// The sign bit, also that of -0.
inline bool hasSignBit(float x) { return bitsOf(x) >> 31 != 0; }

// The upper half of an f32, rounded to nearest, ties to even: 8 bits of mantissa. A finite number stays finite: what
// would round to infinity becomes the largest.
inline uint16_t toBfloat16(float x) {
  const uint32_t bits = bitsOf(x);
  if (isNanBits(x)) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  const bool overflown = isFiniteBits(x) && (rounded & 0x7FFFu) == 0x7F80u;
  return static_cast<uint16_t>(overflown ? rounded - 1 : rounded);
}
inline float fromBfloat16(uint16_t half) { return floatOf(uint32_t{half} << 16); }

// The first index whose element is not finite; `count` where all are. Reads blocks without a branch, so that it runs
// at the speed of memory.
inline uint64_t firstNonfinite(const float* x, uint64_t count) {
  constexpr uint64_t kBlock = 256;
  for (uint64_t first = 0; first < count; first += kBlock) {
    const uint64_t size = count - first < kBlock ? count - first : kBlock;
    uint32_t bad = 0;
    for (uint64_t i = 0; i < size; ++i) bad |= isFiniteBits(x[first + i]) ? 0u : 1u;
    if (bad == 0) continue;
    for (uint64_t i = 0; i < size; ++i)
      if (!isFiniteBits(x[first + i])) return first + i;
  }
  return count;
}

}  // namespace setnet
