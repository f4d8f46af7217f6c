// y = start + W x for a packed sparse W and a single sample. Lanes are the four rows of a group: each is a chain of its
// own, as the order of sums wants it. The elements of x are gathered by scalar loads and inserts, which is faster than
// the gather instruction on every processor tried; some groups side by side hide the latency of the multiply-adds.

constexpr int kVectorGroups = 4;

template <class Weight>
struct VectorGroup {
  const uint32_t* rows;
  const uint16_t* columns;
  const Weight* values;
  uint32_t steps;
  Quad sum;

  SETNET_MEMBER_INLINE void begin(const SparseVectorArgs& a, bool first) {
    alignas(16) float from[kGroupRows];
    for (int i = 0; i < kGroupRows; ++i) from[i] = first ? (a.start ? a.start[rows[i]] : 0.0f) : a.y[rows[i]];
    sum = loadQuad(from);
  }
  SETNET_MEMBER_INLINE void add(const float* x, uint32_t k) {
    sum = madd(loadQuad(values + kGroupRows * k), gatherQuad(x, columns + kGroupRows * k), sum);
  }
  // From the last row on, so that a row that is repeated is written last by its first place.
  SETNET_MEMBER_INLINE void end(const SparseVectorArgs& a, bool last) const {
    alignas(16) float to[kGroupRows];
    storeQuad(to, sum);
    for (int i = kGroupRows - 1; i >= 0; --i) a.y[rows[i]] = last ? to[i] + 0.0f : to[i];
  }
};

template <int G, class Weight>
SETNET_INLINE void vectorGroups(const SparseVectorArgs& a, const uint32_t*& rows, const uint16_t*& columns,
                                const Weight*& values, const uint32_t*& steps, const float* x, bool first, bool last) {
  VectorGroup<Weight> group[G];
  uint32_t common = ~uint32_t{0};
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    group[g].rows = rows;
    group[g].columns = columns;
    group[g].values = values;
    group[g].steps = *steps++;
    group[g].begin(a, first);
    rows += kGroupRows;
    columns += kGroupRows * group[g].steps;
    values += kGroupRows * group[g].steps;
    common = group[g].steps < common ? group[g].steps : common;
  }
  for (uint32_t k = 0; k < common; ++k) {
    SETNET_UNROLL
    for (int g = 0; g < G; ++g) group[g].add(x, k);
  }
  SETNET_UNROLL
  for (int g = 0; g < G; ++g) {
    for (uint32_t k = common; k < group[g].steps; ++k) group[g].add(x, k);
    group[g].end(a, last);
  }
}

template <class Weight>
static void sparseVectorWith(const SparseVectorArgs& a, const Weight* values) {
  const uint16_t* columns = a.w.columns;
  const uint32_t* rows = a.w.rows;
  const uint32_t* steps = a.w.steps;
  for (int64_t block = 0; block < a.w.blocks; ++block) {
    const float* x = a.x + block * a.w.blockWidth;
    const bool first = block == 0, last = block + 1 == a.w.blocks;
    int64_t group = 0;
    for (; group + kVectorGroups <= a.w.groups; group += kVectorGroups)
      vectorGroups<kVectorGroups>(a, rows, columns, values, steps, x, first, last);
    for (; group < a.w.groups; ++group) vectorGroups<1>(a, rows, columns, values, steps, x, first, last);
  }
}

static void sparseVector(const SparseVectorArgs& a) {
  if (a.w.values)
    sparseVectorWith(a, a.w.values);
  else
    sparseVectorWith(a, a.w.shorts);
}
