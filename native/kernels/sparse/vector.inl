// y = start + W x for a packed sparse W and a single sample. Lanes are the four rows of a group: each is a chain of its
// own, as the order of sums wants it. The elements of x are gathered by scalar loads and inserts, which is faster than
// the gather instruction on every processor tried; some groups side by side hide the latency of the multiply-adds.

constexpr int kVectorGroups = 4;

// Where a walk over a packed matrix stands.
struct VectorWalk {
  const uint32_t* rows;
  const uint32_t* steps;
  int64_t slot;
};

SETNET_INLINE Quad beginVector(const SparseVectorArgs& a, const uint32_t* rows, bool first) {
  alignas(16) float from[kGroupRows];
  SETNET_UNROLL
  for (int i = 0; i < kGroupRows; ++i) from[i] = first ? (a.start ? a.start[rows[i]] : 0.0f) : a.y[rows[i]];
  return loadQuad(from);
}

// From the last row on, so that a row that is repeated is written last by its first place.
SETNET_INLINE void endVector(const SparseVectorArgs& a, const uint32_t* rows, Quad sum, bool last) {
  alignas(16) float to[kGroupRows];
  storeQuad(to, sum);
  SETNET_UNROLL
  for (int i = kGroupRows - 1; i >= 0; --i) a.y[rows[i]] = last ? to[i] + 0.0f : to[i];
}

// The next G groups.
template <int G, class Weight>
SETNET_INLINE void vectorGroups(const SparseVectorArgs& a, const Weight* values, const float* x, bool first, bool last,
                                VectorWalk* walk) {
  const uint16_t* columns = a.w.columns;
  Quad sum[G];
  int64_t slot[G];
  int64_t common = walk->steps[0];
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    sum[g] = beginVector(a, walk->rows + g * kGroupRows, first);
    slot[g] = walk->slot;
    walk->slot += kGroupRows * int64_t{walk->steps[g]};
    common = walk->steps[g] < common ? walk->steps[g] : common;
  }
  for (int64_t k = 0; k < common; ++k) {
    SETNET_UNROLL
    for (int g = 0; g < G; ++g) {
      sum[g] = madd(loadQuad(values + slot[g]), gatherQuad(x, columns + slot[g]), sum[g]);
      slot[g] += kGroupRows;
    }
  }
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    for (int64_t k = common; k < walk->steps[g]; ++k, slot[g] += kGroupRows)
      sum[g] = madd(loadQuad(values + slot[g]), gatherQuad(x, columns + slot[g]), sum[g]);
    endVector(a, walk->rows + g * kGroupRows, sum[g], last);
  }
  walk->rows += G * kGroupRows;
  walk->steps += G;
}

template <class Weight>
static void sparseVectorWith(const SparseVectorArgs& a, const Weight* values) {
  VectorWalk walk = {a.w.rows, a.w.steps, 0};
  for (int64_t block = 0; block < a.w.blocks; ++block) {
    const float* x = a.x + block * a.w.blockWidth;
    const bool first = block == 0, last = block + 1 == a.w.blocks;
    int64_t group = 0;
    for (; group + kVectorGroups <= a.w.groups; group += kVectorGroups)
      vectorGroups<kVectorGroups>(a, values, x, first, last, &walk);
    for (; group < a.w.groups; ++group) vectorGroups<1>(a, values, x, first, last, &walk);
  }
}

static void sparseVector(const SparseVectorArgs& a) {
  if (a.w.values)
    sparseVectorWith(a, a.w.values);
  else
    sparseVectorWith(a, a.w.shorts);
}
