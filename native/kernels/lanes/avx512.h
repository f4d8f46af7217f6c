// 16 lanes in one AVX-512 register. Parsed inside a target region only (see isa_avx512.cc).
#pragma once

#include "base/lanes.h"
#include "kernels/kernel_args.h"
#include "kernels/lanes/unroll.h"

namespace setnet::kernels::avx512 {

// Sizes of register tiles (32 registers): dense product, dense weight gradient, vectors of a sparse row.
constexpr int kDenseRows = 12;
constexpr int kDenseVectors = 2;
constexpr int kUpdateRows = 8;
constexpr int kUpdateVectors = 3;
constexpr int kSparseRows = 4;      // rows of a packed group at a time, two vectors each
constexpr int kSparseGroups = 2;    // groups side by side where there is one vector
constexpr int kSampledVectors = 8;  // of a row's gradient that stay in registers
constexpr int kSampledRows = 4;     // connections of a sampled product at a time
constexpr int kDenseTiles = 2;      // of 16 rows, for a single sample

struct Lanes {
  __m512 v;
};
struct Words {
  __m512i v;
};

SETNET_INLINE Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
SETNET_INLINE void store(float* p, Lanes a) { _mm512_storeu_ps(p, a.v); }
// The first `count` lanes; the others are 0.
SETNET_INLINE Lanes loadPart(const float* p, int64_t count) {
  return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p)};
}
SETNET_INLINE void storePart(float* p, Lanes a, int64_t count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), a.v);
}
// 16 integers as f32.
SETNET_INLINE Lanes loadIntegers(const uint8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
SETNET_INLINE Lanes loadIntegers(const int8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
SETNET_INLINE Lanes loadIntegers(const uint16_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))))};
}
SETNET_INLINE Lanes loadIntegers(const int16_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))))};
}
SETNET_INLINE Lanes splat(float x) { return {_mm512_set1_ps(x)}; }
// The first R of four weights, each in every lane: one load for all of them.
template <int R>
SETNET_INLINE void splatEach(const float* p, Lanes (&to)[R]) {
  const __m512 four = _mm512_broadcast_f32x4(_mm_loadu_ps(p));
  to[0].v = _mm512_permute_ps(four, 0x00);
  if constexpr (R > 1) to[1].v = _mm512_permute_ps(four, 0x55);
  if constexpr (R > 2) to[2].v = _mm512_permute_ps(four, 0xAA);
  if constexpr (R > 3) to[3].v = _mm512_permute_ps(four, 0xFF);
}

template <int R>
SETNET_INLINE void splatEach(const uint16_t* p, Lanes (&to)[R]) {
  const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  const __m512 four = _mm512_broadcast_f32x4(_mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(halves), 16)));
  to[0].v = _mm512_permute_ps(four, 0x00);
  if constexpr (R > 1) to[1].v = _mm512_permute_ps(four, 0x55);
  if constexpr (R > 2) to[2].v = _mm512_permute_ps(four, 0xAA);
  if constexpr (R > 3) to[3].v = _mm512_permute_ps(four, 0xFF);
}

SETNET_INLINE Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
SETNET_INLINE Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
SETNET_INLINE Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
SETNET_INLINE Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
SETNET_INLINE Lanes madd(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
SETNET_INLINE Lanes squareRoot(Lanes a) { return {_mm512_sqrt_ps(a.v)}; }
SETNET_INLINE Lanes larger(Lanes a, Lanes b) { return {_mm512_max_ps(a.v, b.v)}; }
SETNET_INLINE Lanes wherePositive(Lanes x, Lanes yes, Lanes no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_GT_OQ), no.v, yes.v)};
}
SETNET_INLINE Lanes nearestInteger(Lanes x) {
  return {_mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
SETNET_INLINE Lanes powerOfTwo(Lanes n) {
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
}

// One bit per lane.
// Also where x is not a number.
SETNET_INLINE uint16_t nonzeroBits(Lanes x) {
  return static_cast<uint16_t>(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_NEQ_UQ));
}
SETNET_INLINE Lanes whereBits(uint16_t bits, Lanes yes, Lanes no) { return {_mm512_mask_blend_ps(bits, no.v, yes.v)}; }

SETNET_INLINE Words splatWords(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
SETNET_INLINE Words loadWords(const uint32_t* p) { return {_mm512_loadu_si512(p)}; }
SETNET_INLINE void storeWords(uint32_t* p, Words a) { _mm512_storeu_si512(p, a.v); }
SETNET_INLINE Words operator+(Words a, Words b) { return {_mm512_add_epi32(a.v, b.v)}; }
SETNET_INLINE Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
SETNET_INLINE Words lowHalf(Words a) { return {_mm512_and_si512(a.v, _mm512_set1_epi32(0xFFFF))}; }
SETNET_INLINE Words highHalf(Words a) { return {_mm512_srli_epi32(a.v, 16)}; }

// 16 words that are to be multiplied: even and odd ones apart, in the lower halves of 64-bit lanes. What the upper
// halves hold does not matter, so that a product is its own lower word.
struct Factors {
  __m512i even, odd;
};
SETNET_INLINE Factors apart(Words a) { return {a.v, _mm512_srli_epi64(a.v, 32)}; }
SETNET_INLINE Words together(Factors a) {
  return {_mm512_mask_blend_epi32(0xAAAA, a.even, _mm512_slli_epi64(a.odd, 32))};
}
SETNET_INLINE Factors splatFactors(uint32_t x) { return {splatWords(x).v, splatWords(x).v}; }
SETNET_INLINE Factors operator^(Factors a, Factors b) {
  return {_mm512_xor_si512(a.even, b.even), _mm512_xor_si512(a.odd, b.odd)};
}
// The words of the 64-bit products.
SETNET_INLINE void multiplyWide(Factors a, uint32_t factor, Factors* high, Factors* low) {
  const __m512i m = _mm512_set1_epi32(static_cast<int>(factor));
  *low = {_mm512_mul_epu32(a.even, m), _mm512_mul_epu32(a.odd, m)};
  *high = {_mm512_srli_epi64(low->even, 32), _mm512_srli_epi64(low->odd, 32)};
}

// x where a >= b, else 0, and one bit per lane that says where. For words below 2^31.
SETNET_INLINE Lanes keepAtLeast(Words a, Words b, Lanes x, uint16_t* bits) {
  const __mmask16 mask = _mm512_cmpge_epu32_mask(a.v, b.v);
  *bits = static_cast<uint16_t>(mask);
  return {_mm512_maskz_mov_ps(mask, x.v)};
}
SETNET_INLINE Lanes whereEqual(Words a, Words b, Lanes yes, Lanes no) {
  return {_mm512_mask_blend_ps(_mm512_cmpeq_epi32_mask(a.v, b.v), no.v, yes.v)};
}
SETNET_INLINE Words wherePositive(Lanes x, Words yes, Words no) {
  return {_mm512_mask_blend_epi32(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_GT_OQ), no.v, yes.v)};
}

// Lane i of the result is the sum of the lanes of sums[i], in the order of the tree 8, 4, 2, 1 (docs/how-it-works.md):
// each level adds the halves of two vectors and keeps both results in one.
SETNET_INLINE Lanes treeSums(const Lanes* sums) {
  __m512 quads[4];
  SETNET_UNROLL
  for (int m = 0; m < 4; ++m) {
    __m512 halves[2];
    SETNET_UNROLL
    for (int h = 0; h < 2; ++h) {
      const __m512 a = sums[8 * h + m].v, b = sums[8 * h + 4 + m].v;
      halves[h] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    }
    quads[m] = _mm512_add_ps(_mm512_shuffle_f32x4(halves[0], halves[1], 0x88),
                             _mm512_shuffle_f32x4(halves[0], halves[1], 0xDD));
  }
  const __m512 r =
      _mm512_add_ps(_mm512_shuffle_ps(quads[0], quads[1], 0x44), _mm512_shuffle_ps(quads[0], quads[1], 0xEE));
  const __m512 s =
      _mm512_add_ps(_mm512_shuffle_ps(quads[2], quads[3], 0x44), _mm512_shuffle_ps(quads[2], quads[3], 0xEE));
  return {_mm512_add_ps(_mm512_shuffle_ps(r, s, 0x88), _mm512_shuffle_ps(r, s, 0xDD))};
}

// rows[i] lane j <-> rows[j] lane i
SETNET_INLINE void transpose16(Lanes* rows) {
  __m512 u[16];
  SETNET_UNROLL
  for (int g = 0; g < 16; g += 4) {
    const __m512d t0 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[g].v, rows[g + 1].v));
    const __m512d t1 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[g].v, rows[g + 1].v));
    const __m512d t2 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[g + 2].v, rows[g + 3].v));
    const __m512d t3 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[g + 2].v, rows[g + 3].v));
    u[g] = _mm512_castpd_ps(_mm512_unpacklo_pd(t0, t2));
    u[g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t0, t2));
    u[g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t1, t3));
    u[g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t1, t3));
  }
  SETNET_UNROLL
  for (int m = 0; m < 4; ++m) {
    const __m512 a = _mm512_shuffle_f32x4(u[m], u[4 + m], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(u[8 + m], u[12 + m], 0x88);
    const __m512 c = _mm512_shuffle_f32x4(u[m], u[4 + m], 0xDD);
    const __m512 d = _mm512_shuffle_f32x4(u[8 + m], u[12 + m], 0xDD);
    rows[m].v = _mm512_shuffle_f32x4(a, b, 0x88);
    rows[8 + m].v = _mm512_shuffle_f32x4(a, b, 0xDD);
    rows[4 + m].v = _mm512_shuffle_f32x4(c, d, 0x88);
    rows[12 + m].v = _mm512_shuffle_f32x4(c, d, 0xDD);
  }
}

// woven[h] lane 4 k + r is rows[r] lane 4 h + k.
SETNET_INLINE void weave(const Lanes (&rows)[4], Lanes (&woven)[4]) {
  const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[0].v, rows[1].v));
  const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[0].v, rows[1].v));
  const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[2].v, rows[3].v));
  const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[2].v, rows[3].v));
  // Quad q of k[i] is step 4 q + i of the four rows.
  const __m512 k0 = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
  const __m512 k1 = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
  const __m512 k2 = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
  const __m512 k3 = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
  const __m512 a = _mm512_shuffle_f32x4(k0, k1, 0x44), b = _mm512_shuffle_f32x4(k0, k1, 0xEE);
  const __m512 c = _mm512_shuffle_f32x4(k2, k3, 0x44), d = _mm512_shuffle_f32x4(k2, k3, 0xEE);
  woven[0].v = _mm512_shuffle_f32x4(a, c, 0x88);
  woven[1].v = _mm512_shuffle_f32x4(a, c, 0xDD);
  woven[2].v = _mm512_shuffle_f32x4(b, d, 0x88);
  woven[3].v = _mm512_shuffle_f32x4(b, d, 0xDD);
}

#include "kernels/lanes/quad_x86.h"

// Four steps of a group, with one load.
SETNET_INLINE void splitQuads(__m512 all, Quad (&q)[4]) {
  q[0].v = _mm512_castps512_ps128(all);
  q[1].v = _mm512_extractf32x4_ps(all, 1);
  q[2].v = _mm512_extractf32x4_ps(all, 2);
  q[3].v = _mm512_extractf32x4_ps(all, 3);
}
SETNET_INLINE void loadQuads(const float* p, Quad (&q)[4]) { splitQuads(_mm512_loadu_ps(p), q); }
SETNET_INLINE void loadQuads(const uint16_t* p, Quad (&q)[4]) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  splitQuads(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16)), q);
}

}  // namespace setnet::kernels::avx512

namespace setnet {

template <>
struct Splat<kernels::avx512::Lanes> {
  SETNET_MEMBER_INLINE static kernels::avx512::Lanes of(double x) {
    return kernels::avx512::splat(static_cast<float>(x));
  }
};

}  // namespace setnet
