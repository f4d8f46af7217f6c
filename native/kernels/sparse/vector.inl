// y = start + W x for a packed sparse W and a single sample. Lanes are the four rows of a group: each is a chain of its
// own, as the order of sums wants it. The elements of x are gathered by scalar loads and inserts, which is faster than
// the gather instruction on every processor tried; some groups side by side hide the latency of the multiply-adds.
// Loads bind, so that four steps' weights come with as few of them as the instruction set can.

constexpr int kVectorGroups = 4;

// Where a walk over a packed matrix stands.
struct VectorWalk {
  const uint32_t* rows;
  const uint32_t* steps;
  int64_t slot;
};

SETNET_INLINE Quad beginVector(const SparseVectorArgs& a, const uint32_t* rows, bool first) {
  const float* from = first ? a.start : a.y;
  if (!from) return makeQuad(0, 0, 0, 0);
  return makeQuad(from[rows[0]], from[rows[1]], from[rows[2]], from[rows[3]]);
}

// From the last row on, so that a row that is repeated is written last by its first place.
SETNET_INLINE void endVector(const SparseVectorArgs& a, const uint32_t* rows, Quad sum, bool last) {
  alignas(16) float to[kGroupRows];
  storeQuad(to, last ? sum + makeQuad(0, 0, 0, 0) : sum);
  SETNET_UNROLL
  for (int i = kGroupRows - 1; i >= 0; --i) a.y[rows[i]] = to[i];
}

// The next G groups; where the walk stands after them. Far: the matrix does not lie in a near cache.
template <int G, bool Far, class Weight>
SETNET_INLINE VectorWalk vectorGroups(const SparseVectorArgs& a, const uint16_t* columns, const Weight* values,
                                      const float* x, bool first, bool last, VectorWalk walk) {
  Quad sum[G];
  const uint16_t* column[G];
  const Weight* value[G];
  int64_t count[G];
  int64_t common = walk.steps[0];
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    count[g] = walk.steps[g];
    common = count[g] < common ? count[g] : common;
    column[g] = columns + walk.slot;
    value[g] = values + walk.slot;
    walk.slot += kGroupRows * count[g];
    sum[g] = beginVector(a, walk.rows + g * kGroupRows, first);
  }
  const int64_t ahead = walk.slot - (value[0] - values);  // what the next groups need at this step
  int64_t k = 0;
  for (; k + 4 * kGroupRows <= kGroupRows * common; k += 4 * kGroupRows) {
    SETNET_UNROLL
    for (int g = 0; g < G; ++g) {
      if constexpr (Far) {
        __builtin_prefetch(value[g] + k + ahead);
        __builtin_prefetch(column[g] + k + ahead);
      }
      Quad weights[4];
      loadQuads(value[g] + k, weights);
      SETNET_UNROLL
      for (int i = 0; i < 4; ++i) sum[g] = madd(weights[i], gatherQuad(x, column[g] + k + i * kGroupRows), sum[g]);
    }
  }
  for (; k < kGroupRows * common; k += kGroupRows) {
    SETNET_UNROLL
    for (int g = 0; g < G; ++g) sum[g] = madd(loadQuad(value[g] + k), gatherQuad(x, column[g] + k), sum[g]);
  }
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    for (int64_t rest = kGroupRows * common; rest < kGroupRows * count[g]; rest += kGroupRows)
      sum[g] = madd(loadQuad(value[g] + rest), gatherQuad(x, column[g] + rest), sum[g]);
    endVector(a, walk.rows + g * kGroupRows, sum[g], last);
  }
  return {walk.rows + G * kGroupRows, walk.steps + G, walk.slot};
}

template <bool Far, class Weight>
static void sparseVectorWith(const SparseVectorArgs& a, const Weight* values) {
  const PackedRows w = a.w;
  VectorWalk walk = {w.rows, w.steps, 0};
  for (int64_t block = 0; block < w.blocks; ++block) {
    const float* x = a.x + block * w.blockWidth;
    const bool first = block == 0, last = block + 1 == w.blocks;
    int64_t group = 0;
    for (; group + kVectorGroups <= w.groups; group += kVectorGroups)
      walk = vectorGroups<kVectorGroups, Far>(a, w.columns, values, x, first, last, walk);
    for (; group < w.groups; ++group) walk = vectorGroups<1, Far>(a, w.columns, values, x, first, last, walk);
  }
}

// The processor's own prefetching starts anew with every few groups, which pauses the streams of a matrix that comes
// from far away; fetching what lies near costs loads that bind.
template <class Weight>
static void sparseVectorFrom(const SparseVectorArgs& a, const Weight* values) {
  constexpr uint64_t kNear = uint64_t{4} << 20;
  if (static_cast<uint64_t>(a.w.slots) * (sizeof(Weight) + sizeof(uint16_t)) > kNear)
    sparseVectorWith<true>(a, values);
  else
    sparseVectorWith<false>(a, values);
}

static void sparseVector(const SparseVectorArgs& a) {
  if (a.w.values)
    sparseVectorFrom(a, a.w.values);
  else
    sparseVectorFrom(a, a.w.shorts);
}
