// 16 lanes in four vectors of the compiler's own kind: what every processor of the architecture runs. Multiply and add
// are rounded separately, so that results are near those of the other tables but not equal to the bit.
#pragma once

#include "base/lanes.h"
#include "kernels/kernel_args.h"
#include "kernels/lanes/unroll.h"

namespace setnet::kernels::baseline {

// Sizes of register tiles (16 registers, four per vector of 16 lanes).
constexpr int kDenseRows = 2;
constexpr int kDenseVectors = 1;
constexpr int kUpdateRows = 2;
constexpr int kUpdateVectors = 1;
constexpr int kSparseRows = 1;      // rows of a packed group at a time, two vectors each
constexpr int kSparseGroups = 2;    // groups side by side where there is one vector
constexpr int kSampledVectors = 2;  // of a row's gradient that stay in registers
constexpr int kSampledRows = 1;     // connections of a sampled product at a time
constexpr int kDenseTiles = 2;      // of 16 rows, for a single sample

typedef float Float4 __attribute__((vector_size(16)));
typedef uint32_t Word4 __attribute__((vector_size(16)));
typedef int32_t Int4 __attribute__((vector_size(16)));
typedef uint64_t Long2 __attribute__((vector_size(16)));

struct Lanes {
  Float4 q[4];
};
struct Words {
  Word4 q[4];
};

#define SETNET_EACH SETNET_UNROLL for (int i = 0; i < 4; ++i)

SETNET_INLINE Lanes load(const float* p) {
  Lanes r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
SETNET_INLINE void store(float* p, Lanes a) { __builtin_memcpy(p, &a, sizeof a); }
// The first `count` lanes; the others are 0.
SETNET_INLINE Lanes loadPart(const float* p, int64_t count) {
  float part[16] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = p[i];
  return load(part);
}
SETNET_INLINE void storePart(float* p, Lanes a, int64_t count) {
  float part[16];
  store(part, a);
  for (int64_t i = 0; i < count; ++i) p[i] = part[i];
}
// 16 integers as f32; the compiler vectorizes it.
template <class T>
SETNET_INLINE Lanes loadIntegers(const T* p) {
  float numbers[16];
  for (int i = 0; i < 16; ++i) numbers[i] = static_cast<float>(p[i]);
  return load(numbers);
}
SETNET_INLINE Lanes splat(float x) {
  const Float4 four = {x, x, x, x};
  return {{four, four, four, four}};
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
  SETNET_EACH a.q[i] += b.q[i];
  return a;
}
SETNET_INLINE Lanes operator-(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] -= b.q[i];
  return a;
}
SETNET_INLINE Lanes operator*(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] *= b.q[i];
  return a;
}
SETNET_INLINE Lanes operator/(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] /= b.q[i];
  return a;
}
SETNET_INLINE Lanes madd(Lanes a, Lanes b, Lanes c) {
  SETNET_EACH c.q[i] = a.q[i] * b.q[i] + c.q[i];
  return c;
}
SETNET_INLINE Float4 choose(Int4 mask, Float4 yes, Float4 no) {
  return reinterpret_cast<Float4>((mask & reinterpret_cast<Int4>(yes)) | (~mask & reinterpret_cast<Int4>(no)));
}
SETNET_INLINE Lanes squareRoot(Lanes a) {
  SETNET_EACH {
    for (int j = 0; j < 4; ++j) a.q[i][j] = std::sqrt(a.q[i][j]);
  }
  return a;
}
SETNET_INLINE Int4 isPositive(Float4 x) { return x > Float4{}; }
SETNET_INLINE Lanes larger(Lanes a, Lanes b) {
  SETNET_EACH a.q[i] = choose(a.q[i] > b.q[i], a.q[i], b.q[i]);
  return a;
}
SETNET_INLINE Lanes wherePositive(Lanes x, Lanes yes, Lanes no) {
  SETNET_EACH x.q[i] = choose(isPositive(x.q[i]), yes.q[i], no.q[i]);
  return x;
}
// For |x| < 2^22: the sum leaves no room for a fraction.
SETNET_INLINE Lanes nearestInteger(Lanes x) {
  const Float4 big = {12582912.0f, 12582912.0f, 12582912.0f, 12582912.0f};
  SETNET_EACH x.q[i] = (x.q[i] + big) - big;
  return x;
}
SETNET_INLINE Lanes powerOfTwo(Lanes n) {
  SETNET_EACH {
    Int4 exponent = {};
    SETNET_UNROLL
    for (int k = 0; k < 4; ++k) exponent[k] = static_cast<int32_t>(n.q[i][k]);
    n.q[i] = reinterpret_cast<Float4>((exponent + 127) << 23);
  }
  return n;
}

// One bit per lane.
SETNET_INLINE Int4 bitsOfLanes(int quad) {
  const Int4 first = {1, 2, 4, 8};
  return first << (4 * quad);
}
// Also where x is not a number.
SETNET_INLINE uint16_t nonzeroBits(Lanes x) {
  Int4 bits = {};
  SETNET_EACH bits |= (x.q[i] != Float4{}) & bitsOfLanes(i);
  return static_cast<uint16_t>(bits[0] | bits[1] | bits[2] | bits[3]);
}
SETNET_INLINE Lanes whereBits(uint16_t bits, Lanes yes, Lanes no) {
  const Int4 all = {bits, bits, bits, bits};
  SETNET_EACH yes.q[i] = choose((all & bitsOfLanes(i)) != 0, yes.q[i], no.q[i]);
  return yes;
}

SETNET_INLINE Words splatWords(uint32_t x) {
  const Word4 four = {x, x, x, x};
  return {{four, four, four, four}};
}
SETNET_INLINE Words loadWords(const uint32_t* p) {
  Words r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
SETNET_INLINE void storeWords(uint32_t* p, Words a) { __builtin_memcpy(p, &a, sizeof a); }
SETNET_INLINE Words operator+(Words a, Words b) {
  SETNET_EACH a.q[i] += b.q[i];
  return a;
}
SETNET_INLINE Words operator^(Words a, Words b) {
  SETNET_EACH a.q[i] ^= b.q[i];
  return a;
}
SETNET_INLINE Words lowHalf(Words a) {
  SETNET_EACH a.q[i] &= 0xFFFFu;
  return a;
}
SETNET_INLINE Words highHalf(Words a) {
  SETNET_EACH a.q[i] >>= 16;
  return a;
}

// 16 words that are to be multiplied: even and odd ones apart, in the lower halves of 64-bit lanes. What the upper
// halves hold does not matter, so that a product is its own lower word.
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the lanes of a vector are numbered as on little-endian machines"
#endif
struct Factors {
  Long2 even[4], odd[4];
};
SETNET_INLINE Factors apart(Words a) {
  Factors r;
  SETNET_EACH {
    r.even[i] = reinterpret_cast<Long2>(a.q[i]);
    r.odd[i] = r.even[i] >> 32;
  }
  return r;
}
SETNET_INLINE Words together(Factors a) {
  const Long2 mask = {0xFFFFFFFFu, 0xFFFFFFFFu};
  Words r;
  SETNET_EACH r.q[i] = reinterpret_cast<Word4>((a.even[i] & mask) | a.odd[i] << 32);
  return r;
}
SETNET_INLINE Factors splatFactors(uint32_t x) {
  const Long2 two = {x, x};
  return {{two, two, two, two}, {two, two, two, two}};
}
SETNET_INLINE Factors operator^(Factors a, Factors b) {
  SETNET_EACH {
    a.even[i] ^= b.even[i];
    a.odd[i] ^= b.odd[i];
  }
  return a;
}
// The words of the 64-bit products.
SETNET_INLINE void multiplyWide(Factors a, uint32_t factor, Factors* high, Factors* low) {
  const Long2 m = {factor, factor};
  const Long2 mask = {0xFFFFFFFFu, 0xFFFFFFFFu};
  SETNET_EACH {
    low->even[i] = (a.even[i] & mask) * m;
    low->odd[i] = (a.odd[i] & mask) * m;
    high->even[i] = low->even[i] >> 32;
    high->odd[i] = low->odd[i] >> 32;
  }
}

// x where a >= b, else 0, and one bit per lane that says where. For words below 2^31.
SETNET_INLINE Lanes keepAtLeast(Words a, Words b, Lanes x, uint16_t* bits) {
  Int4 found = {};
  SETNET_EACH {
    const Int4 mask = reinterpret_cast<Int4>(a.q[i]) >= reinterpret_cast<Int4>(b.q[i]);
    found |= mask & bitsOfLanes(i);
    x.q[i] = reinterpret_cast<Float4>(reinterpret_cast<Int4>(x.q[i]) & mask);
  }
  *bits = static_cast<uint16_t>(found[0] | found[1] | found[2] | found[3]);
  return x;
}
SETNET_INLINE Lanes whereEqual(Words a, Words b, Lanes yes, Lanes no) {
  SETNET_EACH yes.q[i] = choose(a.q[i] == b.q[i], yes.q[i], no.q[i]);
  return yes;
}
SETNET_INLINE Words wherePositive(Lanes x, Words yes, Words no) {
  SETNET_EACH {
    const Word4 mask = reinterpret_cast<Word4>(isPositive(x.q[i]));
    yes.q[i] = (mask & yes.q[i]) | (~mask & no.q[i]);
  }
  return yes;
}

// Lane i of the result is the sum of the lanes of sums[i], in the order of the tree 8, 4, 2, 1 (docs/how-it-works.md).
SETNET_INLINE Lanes treeSums(const Lanes* sums) {
  Lanes result;
  SETNET_EACH {
    SETNET_UNROLL
    for (int k = 0; k < 4; ++k) {
      const Lanes& s = sums[4 * i + k];
      const Float4 quad = (s.q[0] + s.q[2]) + (s.q[1] + s.q[3]);
      result.q[i][k] = (quad[0] + quad[2]) + (quad[1] + quad[3]);
    }
  }
  return result;
}

// rows[i] lane j <-> rows[j] lane i
SETNET_INLINE void transpose16(Lanes* rows) {
  float from[16][16], to[16][16];
  __builtin_memcpy(from, rows, sizeof from);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) to[j][i] = from[i][j];
  __builtin_memcpy(rows, to, sizeof to);
}

#undef SETNET_EACH

// woven[h] lane 4 k + r is rows[r] lane 4 h + k.
SETNET_INLINE void weave(const Lanes (&rows)[4], Lanes (&woven)[4]) {
  for (int h = 0; h < 4; ++h)
    for (int k = 0; k < 4; ++k)
      woven[h].q[k] = Float4{rows[0].q[h][k], rows[1].q[h][k], rows[2].q[h][k], rows[3].q[h][k]};
}

// Four lanes: the rows of a packed group, for a single sample.
struct Quad {
  Float4 v;
};
SETNET_INLINE Quad makeQuad(float a, float b, float c, float d) { return {Float4{a, b, c, d}}; }
SETNET_INLINE Quad loadQuad(const float* p) {
  Quad r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
SETNET_INLINE void storeQuad(float* p, Quad a) { __builtin_memcpy(p, &a, sizeof a); }
SETNET_INLINE Quad operator+(Quad a, Quad b) { return {a.v + b.v}; }
SETNET_INLINE Quad madd(Quad a, Quad b, Quad c) { return {a.v * b.v + c.v}; }
SETNET_INLINE float maddOne(float a, float b, float c) { return a * b + c; }
// Upper halves of f32.
SETNET_INLINE Quad loadQuad(const uint16_t* p) {
  const Word4 words = {uint32_t{p[0]} << 16, uint32_t{p[1]} << 16, uint32_t{p[2]} << 16, uint32_t{p[3]} << 16};
  Quad r;
  __builtin_memcpy(&r, &words, sizeof r);
  return r;
}
#include "kernels/lanes/quads.h"
SETNET_INLINE Quad gatherQuad(const float* x, const uint16_t* columns) {
  return {Float4{x[columns[0]], x[columns[1]], x[columns[2]], x[columns[3]]}};
}

}  // namespace setnet::kernels::baseline

namespace setnet {

template <>
struct Splat<kernels::baseline::Lanes> {
  SETNET_MEMBER_INLINE static kernels::baseline::Lanes of(double x) {
    return kernels::baseline::splat(static_cast<float>(x));
  }
};

}  // namespace setnet
