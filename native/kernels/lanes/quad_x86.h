// Four lanes: the rows of a packed group, for a single sample. Included inside the namespace of a Lanes with FMA.

struct Quad {
  __m128 v;
};
SETNET_INLINE Quad makeQuad(float a, float b, float c, float d) { return {_mm_setr_ps(a, b, c, d)}; }
SETNET_INLINE Quad operator+(Quad a, Quad b) { return {_mm_add_ps(a.v, b.v)}; }
SETNET_INLINE Quad loadQuad(const float* p) { return {_mm_loadu_ps(p)}; }
SETNET_INLINE void storeQuad(float* p, Quad a) { _mm_storeu_ps(p, a.v); }
SETNET_INLINE Quad madd(Quad a, Quad b, Quad c) { return {_mm_fmadd_ps(a.v, b.v, c.v)}; }
SETNET_INLINE float maddOne(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
// Upper halves of f32.
SETNET_INLINE Quad loadQuad(const uint16_t* p) {
  const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return {_mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(halves), 16))};
}
// One load for the four columns, one each for the elements.
SETNET_INLINE Quad gatherQuad(const float* x, const uint16_t* columns) {
  uint64_t packed;
  __builtin_memcpy(&packed, columns, 8);
  const uint32_t low = static_cast<uint32_t>(packed), high = static_cast<uint32_t>(packed >> 32);
  const __m128 first = _mm_insert_ps(_mm_load_ss(x + (low & 0xFFFF)), _mm_load_ss(x + (low >> 16)), 0x10);
  const __m128 second = _mm_insert_ps(_mm_load_ss(x + (high & 0xFFFF)), _mm_load_ss(x + (high >> 16)), 0x10);
  return {_mm_movelh_ps(first, second)};
}
