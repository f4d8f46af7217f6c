// 16 lanes in four NEON registers of arm64, with FMA. Parsed inside a target region only (see isa_neon.cc).
#pragma once

#include "base/lanes.h"
#include "kernels/kernel_args.h"
#include "kernels/lanes/unroll.h"

namespace setnet::kernels::neon {

// Sizes of register tiles (32 registers, four per vector of 16 lanes). Four vectors of sums are 16 chains, enough to
// hide the latency of four multiply-adds per cycle; with 24 of them g++ keeps some of the chains in memory.
constexpr int kDenseRows = 4;
constexpr int kDenseVectors = 1;
constexpr int kUpdateRows = 4;
constexpr int kUpdateVectors = 1;
constexpr int kSparseRows = 2;      // rows of a packed group at a time, two vectors each
constexpr int kSparseGroups = 1;    // groups side by side where there is one vector
constexpr int kSampledVectors = 2;  // of a row's gradient that stay in registers
constexpr int kSampledRows = 2;     // connections of a sampled product at a time
constexpr int kDenseTiles = 1;      // of 16 rows, for a single sample

struct Lanes {
  float32x4_t q[4];
};
struct Words {
  uint32x4_t q[4];
};

#define SETNET_EACH SETNET_UNROLL for (int i = 0; i < 4; ++i)

SETNET_INLINE Lanes load(const float* p) {
  Lanes r;
  SETNET_EACH r.q[i] = vld1q_f32(p + 4 * i);
  return r;
}
SETNET_INLINE void store(float* p, Lanes a) { SETNET_EACH vst1q_f32(p + 4 * i, a.q[i]); }
// The first `count` lanes; the others are 0. Without loops, which the compiler would turn into calls of memcpy.
SETNET_INLINE float32x4_t loadPart4(const float* p, int64_t count) {
  if (count >= 4) return vld1q_f32(p);
  float32x4_t v = vdupq_n_f32(0);
  if (count > 0) v = vld1q_lane_f32(p, v, 0);
  if (count > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (count > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
SETNET_INLINE void storePart4(float* p, float32x4_t v, int64_t count) {
  if (count >= 4) return vst1q_f32(p, v);
  if (count > 0) vst1q_lane_f32(p, v, 0);
  if (count > 1) vst1q_lane_f32(p + 1, v, 1);
  if (count > 2) vst1q_lane_f32(p + 2, v, 2);
}
SETNET_INLINE Lanes loadPart(const float* p, int64_t count) {
  Lanes r;
  SETNET_EACH r.q[i] = loadPart4(p + 4 * i, count - 4 * i);
  return r;
}
SETNET_INLINE void storePart(float* p, Lanes a, int64_t count) {
  SETNET_EACH storePart4(p + 4 * i, a.q[i], count - 4 * i);
}
// 16 integers as f32; the compiler vectorizes it.
template <class T>
SETNET_INLINE Lanes loadIntegers(const T* p) {
  float numbers[16];
  for (int i = 0; i < 16; ++i) numbers[i] = static_cast<float>(p[i]);
  return load(numbers);
}
SETNET_INLINE Lanes splat(float x) {
  Lanes r;
  SETNET_EACH r.q[i] = vdupq_n_f32(x);
  return r;
}
// The first R of four weights, each in every lane.
template <int R>
SETNET_INLINE void splatEach(const float* p, Lanes (&to)[R]) {
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) to[r] = splat(p[r]);
}
template <int R>
SETNET_INLINE void splatEach(const uint16_t* p, Lanes (&to)[R]) {
  SETNET_UNROLL
  for (int r = 0; r < R; ++r) {
    const uint32_t word = uint32_t{p[r]} << 16;
    float x;
    __builtin_memcpy(&x, &word, sizeof x);
    to[r] = splat(x);
  }
}

SETNET_INLINE Lanes operator+(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = vaddq_f32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes operator-(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = vsubq_f32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes operator*(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = vmulq_f32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes operator/(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = vdivq_f32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes madd(Lanes a, Lanes b, Lanes c) {
  SETNET_EACH c.q[i] = vfmaq_f32(c.q[i], a.q[i], b.q[i]);
  return c;
}
SETNET_INLINE Lanes squareRoot(Lanes a) {
  SETNET_EACH a.q[i] = vsqrtq_f32(a.q[i]);
  return a;
}
SETNET_INLINE uint32x4_t isPositive(float32x4_t x) { return vcgtq_f32(x, vdupq_n_f32(0)); }
// NEON's own maximum treats NaN otherwise than x86's.
SETNET_INLINE Lanes larger(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes wherePositive(Lanes x, Lanes yes, Lanes no) {
  SETNET_EACH x.q[i] = vbslq_f32(isPositive(x.q[i]), yes.q[i], no.q[i]);
  return x;
}
SETNET_INLINE Lanes nearestInteger(Lanes x) {
  SETNET_EACH x.q[i] = vrndnq_f32(x.q[i]);
  return x;
}
SETNET_INLINE Lanes powerOfTwo(Lanes n) {
  SETNET_EACH {
    const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n.q[i]), vdupq_n_s32(127));
    n.q[i] = vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
  }
  return n;
}

// One bit per lane.
SETNET_INLINE uint32x4_t bitsOfLanes(int quad) {
  const uint32x4_t first = {1, 2, 4, 8};
  return vshlq_u32(first, vdupq_n_s32(4 * quad));
}
// Also where x is not a number.
SETNET_INLINE uint16_t nonzeroBits(Lanes x) {
  uint32x4_t bits = vdupq_n_u32(0);
  SETNET_EACH bits = vorrq_u32(bits, vbicq_u32(bitsOfLanes(i), vceqq_f32(x.q[i], vdupq_n_f32(0))));
  return static_cast<uint16_t>(vaddvq_u32(bits));
}
SETNET_INLINE Lanes whereBits(uint16_t bits, Lanes yes, Lanes no) {
  SETNET_EACH yes.q[i] = vbslq_f32(vtstq_u32(vdupq_n_u32(bits), bitsOfLanes(i)), yes.q[i], no.q[i]);
  return yes;
}

SETNET_INLINE Words splatWords(uint32_t x) {
  Words r;
  SETNET_EACH r.q[i] = vdupq_n_u32(x);
  return r;
}
SETNET_INLINE Words loadWords(const uint32_t* p) {
  Words r;
  SETNET_EACH r.q[i] = vld1q_u32(p + 4 * i);
  return r;
}
SETNET_INLINE void storeWords(uint32_t* p, Words a) { SETNET_EACH vst1q_u32(p + 4 * i, a.q[i]); }
SETNET_INLINE Words operator+(Words a, Words b) {
  SETNET_EACH a.q[i] = vaddq_u32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Words operator^(Words a, Words b) {
  SETNET_EACH a.q[i] = veorq_u32(a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Words lowHalf(Words a) {
  SETNET_EACH a.q[i] = vandq_u32(a.q[i], vdupq_n_u32(0xFFFF));
  return a;
}
SETNET_INLINE Words highHalf(Words a) {
  SETNET_EACH a.q[i] = vshrq_n_u32(a.q[i], 16);
  return a;
}

// 16 words that are to be multiplied (x86 keeps them in another order).
using Factors = Words;
SETNET_INLINE Factors apart(Words a) { return a; }
SETNET_INLINE Words together(Factors a) { return a; }
SETNET_INLINE Factors splatFactors(uint32_t x) { return splatWords(x); }
// The words of the 64-bit products.
SETNET_INLINE void multiplyWide(Factors a, uint32_t factor, Factors* high, Factors* low) {
  SETNET_EACH {
    const uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(a.q[i]), factor));
    const uint32x4_t second = vreinterpretq_u32_u64(vmull_n_u32(vget_high_u32(a.q[i]), factor));
    low->q[i] = vuzp1q_u32(first, second);
    high->q[i] = vuzp2q_u32(first, second);
  }
}

// x where a >= b, else 0, and one bit per lane that says where. For words below 2^31.
SETNET_INLINE Lanes keepAtLeast(Words a, Words b, Lanes x, uint16_t* bits) {
  uint32x4_t found = vdupq_n_u32(0);
  SETNET_EACH {
    const uint32x4_t mask = vcgeq_u32(a.q[i], b.q[i]);
    found = vorrq_u32(found, vandq_u32(mask, bitsOfLanes(i)));
    x.q[i] = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x.q[i]), mask));
  }
  *bits = static_cast<uint16_t>(vaddvq_u32(found));
  return x;
}
SETNET_INLINE Lanes whereEqual(Words a, Words b, Lanes yes, Lanes no) {
  SETNET_EACH yes.q[i] = vbslq_f32(vceqq_u32(a.q[i], b.q[i]), yes.q[i], no.q[i]);
  return yes;
}
SETNET_INLINE Words wherePositive(Lanes x, Words yes, Words no) {
  SETNET_EACH yes.q[i] = vbslq_u32(isPositive(x.q[i]), yes.q[i], no.q[i]);
  return yes;
}

// a0+a2, a1+a3, b0+b2, b1+b3: the tree's level 2 for two vectors.
SETNET_INLINE float32x4_t addHalves(float32x4_t a, float32x4_t b) {
  return vaddq_f32(vcombine_f32(vget_low_f32(a), vget_low_f32(b)), vcombine_f32(vget_high_f32(a), vget_high_f32(b)));
}
// Lane i of the result is the sum of the lanes of sums[i], in the order of the tree 8, 4, 2, 1 (docs/how-it-works.md).
SETNET_INLINE Lanes treeSums(const Lanes* sums) {
  Lanes result;
  SETNET_EACH {
    float32x4_t quads[4];
    SETNET_UNROLL
    for (int k = 0; k < 4; ++k) {
      const Lanes& s = sums[4 * i + k];
      quads[k] = vaddq_f32(vaddq_f32(s.q[0], s.q[2]), vaddq_f32(s.q[1], s.q[3]));
    }
    result.q[i] = vpaddq_f32(addHalves(quads[0], quads[1]), addHalves(quads[2], quads[3]));
  }
  return result;
}

// rows[i] lane j <-> rows[j] lane i
SETNET_INLINE void transpose16(Lanes* rows) {
  Lanes result[16];
  SETNET_UNROLL
  for (int b = 0; b < 4; ++b) {
    SETNET_EACH {
      const float32x4_t r0 = rows[4 * b].q[i], r1 = rows[4 * b + 1].q[i];
      const float32x4_t r2 = rows[4 * b + 2].q[i], r3 = rows[4 * b + 3].q[i];
      const float64x2_t t0 = vreinterpretq_f64_f32(vtrn1q_f32(r0, r1));
      const float64x2_t t1 = vreinterpretq_f64_f32(vtrn2q_f32(r0, r1));
      const float64x2_t t2 = vreinterpretq_f64_f32(vtrn1q_f32(r2, r3));
      const float64x2_t t3 = vreinterpretq_f64_f32(vtrn2q_f32(r2, r3));
      result[4 * i].q[b] = vreinterpretq_f32_f64(vtrn1q_f64(t0, t2));
      result[4 * i + 1].q[b] = vreinterpretq_f32_f64(vtrn1q_f64(t1, t3));
      result[4 * i + 2].q[b] = vreinterpretq_f32_f64(vtrn2q_f64(t0, t2));
      result[4 * i + 3].q[b] = vreinterpretq_f32_f64(vtrn2q_f64(t1, t3));
    }
  }
  SETNET_UNROLL
  for (int r = 0; r < 16; ++r) rows[r] = result[r];
}

#undef SETNET_EACH

// woven[h] lane 4 k + r is rows[r] lane 4 h + k.
SETNET_INLINE void weave(const Lanes (&rows)[4], Lanes (&woven)[4]) {
  SETNET_UNROLL
  for (int h = 0; h < 4; ++h) {
    float numbers[16];
    vst4q_f32(numbers, {{rows[0].q[h], rows[1].q[h], rows[2].q[h], rows[3].q[h]}});
    woven[h] = load(numbers);
  }
}

// Four lanes: the rows of a packed group, for a single sample.
struct Quad {
  float32x4_t v;
};
SETNET_INLINE Quad makeQuad(float a, float b, float c, float d) {
  const float numbers[4] = {a, b, c, d};
  return {vld1q_f32(numbers)};
}
SETNET_INLINE Quad loadQuad(const float* p) { return {vld1q_f32(p)}; }
SETNET_INLINE void storeQuad(float* p, Quad a) { vst1q_f32(p, a.v); }
SETNET_INLINE Quad operator+(Quad a, Quad b) { return {vaddq_f32(a.v, b.v)}; }
SETNET_INLINE Quad madd(Quad a, Quad b, Quad c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
SETNET_INLINE float maddOne(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
// Upper halves of f32.
SETNET_INLINE Quad loadQuad(const uint16_t* p) { return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))}; }
#include "kernels/lanes/quads.h"
SETNET_INLINE Quad gatherQuad(const float* x, const uint16_t* columns) {
  float32x4_t v = vld1q_dup_f32(x + columns[0]);
  v = vld1q_lane_f32(x + columns[1], v, 1);
  v = vld1q_lane_f32(x + columns[2], v, 2);
  return {vld1q_lane_f32(x + columns[3], v, 3)};
}

}  // namespace setnet::kernels::neon

namespace setnet {

template <>
struct Splat<kernels::neon::Lanes> {
  SETNET_MEMBER_INLINE static kernels::neon::Lanes of(double x) { return kernels::neon::splat(static_cast<float>(x)); }
};

}  // namespace setnet
