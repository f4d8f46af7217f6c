// 16 lanes in two AVX2 registers, with FMA. Parsed inside a target region only (see isa_avx2.cc).
#pragma once

#include "base/lanes.h"
#include "kernels/kernel_args.h"
#include "kernels/lanes/unroll.h"

namespace setnet::kernels::avx2 {

// Sizes of register tiles (16 registers, two per vector of 16 lanes).
constexpr int kDenseRows = 6;
constexpr int kDenseVectors = 1;
constexpr int kUpdateRows = 4;
constexpr int kUpdateVectors = 1;
constexpr int kSparseRows = 2;      // rows of a packed group at a time, two vectors each
constexpr int kSparseGroups = 2;    // groups side by side where there is one vector
constexpr int kSampledVectors = 4;  // of a row's gradient that stay in registers
constexpr int kSampledRows = 2;     // connections of a sampled product at a time
constexpr int kDenseTiles = 2;      // of 16 rows, for a single sample

struct Lanes {
  __m256 low, high;
};
struct Words {
  __m256i low, high;
};

SETNET_INLINE Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
SETNET_INLINE void store(float* p, Lanes a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}
// The first `count` lanes; the others are 0.
SETNET_INLINE __m256i firstLanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
SETNET_INLINE Lanes loadPart(const float* p, int64_t count) {
  return {_mm256_maskload_ps(p, firstLanes(count)), _mm256_maskload_ps(p + 8, firstLanes(count - 8))};
}
SETNET_INLINE void storePart(float* p, Lanes a, int64_t count) {
  _mm256_maskstore_ps(p, firstLanes(count), a.low);
  _mm256_maskstore_ps(p + 8, firstLanes(count - 8), a.high);
}
// 16 integers as f32.
SETNET_INLINE Lanes loadIntegers(const uint8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))),
          _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8))))};
}
SETNET_INLINE Lanes loadIntegers(const int8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8))))};
}
SETNET_INLINE Lanes loadIntegers(const uint16_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))),
          _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8))))};
}
SETNET_INLINE Lanes loadIntegers(const int16_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))),
          _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8))))};
}
SETNET_INLINE Lanes splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
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

SETNET_INLINE Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
SETNET_INLINE Lanes operator-(Lanes a, Lanes b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
SETNET_INLINE Lanes operator*(Lanes a, Lanes b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
SETNET_INLINE Lanes operator/(Lanes a, Lanes b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
SETNET_INLINE Lanes madd(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
SETNET_INLINE Lanes squareRoot(Lanes a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
SETNET_INLINE Lanes larger(Lanes a, Lanes b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
SETNET_INLINE __m256 isPositive(__m256 x) { return _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ); }
SETNET_INLINE Lanes wherePositive(Lanes x, Lanes yes, Lanes no) {
  return {_mm256_blendv_ps(no.low, yes.low, isPositive(x.low)),
          _mm256_blendv_ps(no.high, yes.high, isPositive(x.high))};
}
SETNET_INLINE Lanes nearestInteger(Lanes x) {
  return {_mm256_round_ps(x.low, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
          _mm256_round_ps(x.high, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
SETNET_INLINE __m256 powerOfTwo(__m256 n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
SETNET_INLINE Lanes powerOfTwo(Lanes n) { return {powerOfTwo(n.low), powerOfTwo(n.high)}; }

// One bit per lane.
// Also where x is not a number.
SETNET_INLINE uint16_t nonzeroBits(Lanes x) {
  const __m256 zero = _mm256_setzero_ps();
  return static_cast<uint16_t>(_mm256_movemask_ps(_mm256_cmp_ps(x.low, zero, _CMP_NEQ_UQ)) |
                               _mm256_movemask_ps(_mm256_cmp_ps(x.high, zero, _CMP_NEQ_UQ)) << 8);
}
SETNET_INLINE Lanes whereBits(uint16_t bits, Lanes yes, Lanes no) {
  const __m256i all = _mm256_set1_epi32(bits);
  const __m256i first = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i second = _mm256_slli_epi32(first, 8);
  const __m256i low = _mm256_cmpeq_epi32(_mm256_and_si256(all, first), first);
  const __m256i high = _mm256_cmpeq_epi32(_mm256_and_si256(all, second), second);
  return {_mm256_blendv_ps(no.low, yes.low, _mm256_castsi256_ps(low)),
          _mm256_blendv_ps(no.high, yes.high, _mm256_castsi256_ps(high))};
}

SETNET_INLINE Words splatWords(uint32_t x) {
  return {_mm256_set1_epi32(static_cast<int>(x)), _mm256_set1_epi32(static_cast<int>(x))};
}
SETNET_INLINE Words loadWords(const uint32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
SETNET_INLINE void storeWords(uint32_t* p, Words a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), a.high);
}
SETNET_INLINE Words operator+(Words a, Words b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
SETNET_INLINE Words operator^(Words a, Words b) {
  return {_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)};
}
SETNET_INLINE Words lowHalf(Words a) {
  const __m256i mask = _mm256_set1_epi32(0xFFFF);
  return {_mm256_and_si256(a.low, mask), _mm256_and_si256(a.high, mask)};
}
SETNET_INLINE Words highHalf(Words a) { return {_mm256_srli_epi32(a.low, 16), _mm256_srli_epi32(a.high, 16)}; }

// 16 words that are to be multiplied: even and odd ones apart, in the lower halves of 64-bit lanes. What the upper
// halves hold does not matter, so that a product is its own lower word.
struct Factors {
  Words even, odd;
};
SETNET_INLINE Words shiftedDown(Words a) { return {_mm256_srli_epi64(a.low, 32), _mm256_srli_epi64(a.high, 32)}; }
SETNET_INLINE Factors apart(Words a) { return {a, shiftedDown(a)}; }
SETNET_INLINE Words together(Factors a) {
  return {_mm256_blend_epi32(a.even.low, _mm256_slli_epi64(a.odd.low, 32), 0xAA),
          _mm256_blend_epi32(a.even.high, _mm256_slli_epi64(a.odd.high, 32), 0xAA)};
}
SETNET_INLINE Factors splatFactors(uint32_t x) { return {splatWords(x), splatWords(x)}; }
SETNET_INLINE Factors operator^(Factors a, Factors b) { return {a.even ^ b.even, a.odd ^ b.odd}; }
// The words of the 64-bit products.
SETNET_INLINE void multiplyWide(Factors a, uint32_t factor, Factors* high, Factors* low) {
  const __m256i m = _mm256_set1_epi32(static_cast<int>(factor));
  *low = {{_mm256_mul_epu32(a.even.low, m), _mm256_mul_epu32(a.even.high, m)},
          {_mm256_mul_epu32(a.odd.low, m), _mm256_mul_epu32(a.odd.high, m)}};
  *high = {shiftedDown(low->even), shiftedDown(low->odd)};
}

// x where a >= b, else 0, and one bit per lane that says where. For words below 2^31.
SETNET_INLINE Lanes keepAtLeast(Words a, Words b, Lanes x, uint16_t* bits) {
  const __m256i one = _mm256_set1_epi32(1);
  const __m256 low = _mm256_castsi256_ps(_mm256_cmpgt_epi32(a.low, _mm256_sub_epi32(b.low, one)));
  const __m256 high = _mm256_castsi256_ps(_mm256_cmpgt_epi32(a.high, _mm256_sub_epi32(b.high, one)));
  *bits = static_cast<uint16_t>(_mm256_movemask_ps(low) | _mm256_movemask_ps(high) << 8);
  return {_mm256_and_ps(x.low, low), _mm256_and_ps(x.high, high)};
}
SETNET_INLINE Lanes whereEqual(Words a, Words b, Lanes yes, Lanes no) {
  return {_mm256_blendv_ps(no.low, yes.low, _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.low, b.low))),
          _mm256_blendv_ps(no.high, yes.high, _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.high, b.high)))};
}
SETNET_INLINE Words wherePositive(Lanes x, Words yes, Words no) {
  return {_mm256_blendv_epi8(no.low, yes.low, _mm256_castps_si256(isPositive(x.low))),
          _mm256_blendv_epi8(no.high, yes.high, _mm256_castps_si256(isPositive(x.high)))};
}

// Lanes 0 to 7 of the result: the tree's levels 4, 2, 1 for eight vectors whose halves have been added already.
SETNET_INLINE __m256 treeSums8(const __m256* halves) {
  __m256 quads[4];
  SETNET_UNROLL
  for (int m = 0; m < 4; ++m)
    quads[m] = _mm256_add_ps(_mm256_permute2f128_ps(halves[m], halves[4 + m], 0x20),
                             _mm256_permute2f128_ps(halves[m], halves[4 + m], 0x31));
  const __m256 r =
      _mm256_add_ps(_mm256_shuffle_ps(quads[0], quads[1], 0x44), _mm256_shuffle_ps(quads[0], quads[1], 0xEE));
  const __m256 s =
      _mm256_add_ps(_mm256_shuffle_ps(quads[2], quads[3], 0x44), _mm256_shuffle_ps(quads[2], quads[3], 0xEE));
  return _mm256_add_ps(_mm256_shuffle_ps(r, s, 0x88), _mm256_shuffle_ps(r, s, 0xDD));
}
// Lane i of the result is the sum of the lanes of sums[i], in the order of the tree 8, 4, 2, 1 (docs/how-it-works.md).
SETNET_INLINE Lanes treeSums(const Lanes* sums) {
  __m256 halves[16];
  SETNET_UNROLL
  for (int i = 0; i < 16; ++i) halves[i] = _mm256_add_ps(sums[i].low, sums[i].high);
  return {treeSums8(halves), treeSums8(halves + 8)};
}

SETNET_INLINE void transpose8(__m256* r) {
  __m256 u[8];
  SETNET_UNROLL
  for (int g = 0; g < 8; g += 4) {
    const __m256d t0 = _mm256_castps_pd(_mm256_unpacklo_ps(r[g], r[g + 1]));
    const __m256d t1 = _mm256_castps_pd(_mm256_unpackhi_ps(r[g], r[g + 1]));
    const __m256d t2 = _mm256_castps_pd(_mm256_unpacklo_ps(r[g + 2], r[g + 3]));
    const __m256d t3 = _mm256_castps_pd(_mm256_unpackhi_ps(r[g + 2], r[g + 3]));
    u[g] = _mm256_castpd_ps(_mm256_unpacklo_pd(t0, t2));
    u[g + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(t0, t2));
    u[g + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(t1, t3));
    u[g + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(t1, t3));
  }
  SETNET_UNROLL
  for (int m = 0; m < 4; ++m) {
    r[m] = _mm256_permute2f128_ps(u[m], u[4 + m], 0x20);
    r[4 + m] = _mm256_permute2f128_ps(u[m], u[4 + m], 0x31);
  }
}
// rows[i] lane j <-> rows[j] lane i
SETNET_INLINE void transpose16(Lanes* rows) {
  __m256 block[2][2][8];
  SETNET_UNROLL
  for (int i = 0; i < 8; ++i) {
    block[0][0][i] = rows[i].low;
    block[0][1][i] = rows[i].high;
    block[1][0][i] = rows[8 + i].low;
    block[1][1][i] = rows[8 + i].high;
  }
  transpose8(block[0][0]);
  transpose8(block[0][1]);
  transpose8(block[1][0]);
  transpose8(block[1][1]);
  SETNET_UNROLL
  for (int i = 0; i < 8; ++i) {
    rows[i] = {block[0][0][i], block[1][0][i]};
    rows[8 + i] = {block[0][1][i], block[1][1][i]};
  }
}

// woven[h] lane 4 k + r is rows[r] lane 4 h + k.
SETNET_INLINE void weave(const Lanes (&rows)[4], Lanes (&woven)[4]) {
  SETNET_UNROLL
  for (int h = 0; h < 4; ++h) {
    __m128 quad[4];
    SETNET_UNROLL
    for (int r = 0; r < 4; ++r) {
      const __m256 half = h < 2 ? rows[r].low : rows[r].high;
      quad[r] = h % 2 == 0 ? _mm256_castps256_ps128(half) : _mm256_extractf128_ps(half, 1);
    }
    _MM_TRANSPOSE4_PS(quad[0], quad[1], quad[2], quad[3]);
    woven[h] = {_mm256_set_m128(quad[1], quad[0]), _mm256_set_m128(quad[3], quad[2])};
  }
}

#include "kernels/lanes/quad_x86.h"
#include "kernels/lanes/quads.h"

}  // namespace setnet::kernels::avx2

namespace setnet {

template <>
struct Splat<kernels::avx2::Lanes> {
  SETNET_MEMBER_INLINE static kernels::avx2::Lanes of(double x) { return kernels::avx2::splat(static_cast<float>(x)); }
};

}  // namespace setnet
