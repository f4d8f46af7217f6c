// Four steps of a packed group, a load each: of a Lanes that has no wider load. Included inside its namespace, behind
// Quad.

template <class Weight>
SETNET_INLINE void loadQuads(const Weight* p, Quad (&q)[4]) {
  SETNET_UNROLL
  for (int i = 0; i < 4; ++i) q[i] = loadQuad(p + 4 * i);
}
