// y = start + W x for a packed sparse W: the forward product, and with the transposed form the input gradient.
//
// Per connection and vector of samples one load and one multiply-add; that load is what binds. A step's four columns
// come with one load, its four weights with another; the rows of a group have about the same length, so that the end of
// the inner loop is predicted; their chains hide each other's latency.

// What becomes of a finished sum.
template <class Rule>
struct Activated {
  Lanes parameters[rules::kMaxParameters];

  SETNET_MEMBER_INLINE explicit Activated(const double* p) {
    for (int i = 0; i < Rule::parameterCount; ++i) parameters[i] = splat(static_cast<float>(p[i]));
  }
  SETNET_MEMBER_INLINE Lanes operator()(Lanes sum, int64_t) const { return Rule::forward(sum, parameters); }
};

template <class Rule>
struct TimesSlope {
  Lanes parameters[rules::kMaxParameters];
  const float* below;

  SETNET_MEMBER_INLINE TimesSlope(const double* p, const float* panel) : below(panel) {
    for (int i = 0; i < Rule::parameterCount; ++i) parameters[i] = splat(static_cast<float>(p[i]));
  }
  SETNET_MEMBER_INLINE Lanes operator()(Lanes sum, int64_t at) const {
    const Lanes known = load(below + at);
    return Rule::backward(sum, known, known, parameters);
  }
};

// The column of lane r among those that were loaded together.
template <int R>
SETNET_INLINE uint64_t loadColumns(const uint16_t* p) {
  if constexpr (R == 4) {
    uint64_t columns;
    __builtin_memcpy(&columns, p, 8);
    return columns;
  } else if constexpr (R == 2) {
    uint32_t columns;
    __builtin_memcpy(&columns, p, 4);
    return columns;
  } else {
    return *p;
  }
}

// R rows of one group and N vectors of one panel, from begin over their connections to end.
template <int R, int N, int Width>
struct ProductTile {
  Lanes sum[R][N];

  SETNET_MEMBER_INLINE void begin(const uint32_t* rows, const float* start, bool first, const float* y) {
    SETNET_UNROLL
    for (int r = 0; r < R; ++r) {
      const int64_t row = rows[r];
      SETNET_UNROLL
      for (int v = 0; v < N; ++v)
        sum[r][v] = first ? splat(start ? start[row] : 0.0f) : load(y + row * Width + v * kLanes);
    }
  }
  template <class Weight>
  SETNET_MEMBER_INLINE void step(const uint16_t* columns, const Weight* values, const float* x) {
    const uint64_t packed = loadColumns<R>(columns);
    Lanes weight[R];
    splatEach(values, weight);
    SETNET_UNROLL
    for (int r = 0; r < R; ++r) {
      const float* source = x + (packed >> 16 * r & 0xFFFF) * Width;
      SETNET_UNROLL
      for (int v = 0; v < N; ++v) sum[r][v] = madd(weight[r], load(source + v * kLanes), sum[r][v]);
    }
  }
  // From the last row on, so that a row that is repeated is written last by its first place.
  template <class Finish>
  SETNET_MEMBER_INLINE void end(const uint32_t* rows, bool last, float* y, const Finish& finish) {
    const Lanes zero = splat(0.0f);
    SETNET_UNROLL
    for (int r = R - 1; r >= 0; --r) {
      const int64_t at = static_cast<int64_t>(rows[r]) * Width;
      SETNET_UNROLL
      for (int v = 0; v < N; ++v)
        store(y + at + v * kLanes, last ? finish(sum[r][v] + zero, at + v * kLanes) : sum[r][v]);
    }
  }
};

template <int N, int Width, class Weight, class Finish>
static void productPanel(const SparseProductArgs& a, const Weight* values, const float* x, float* y,
                         const Finish& finish) {
  const PackedRows& w = a.w;
  const float* start = a.start;
  constexpr int R = kSparseRows * 2 / N < 4 ? kSparseRows * 2 / N : 4;
  // With one vector a group alone may have too few chains to hide their latency: then two groups go side by side.
  constexpr bool kPairs = N == 1 && R == 4 && kSparseGroups == 2;
  const uint16_t* columns = w.columns;
  const uint32_t* rows = w.rows;
  const uint32_t* steps = w.steps;
  for (int64_t block = 0; block < w.blocks; ++block) {
    const float* blockX = x + firstRowOfX(w, block) * Width;
    const bool first = block == 0 && !a.continues, last = block + 1 == w.blocks && !a.unfinished;
    int64_t group = 0;
    if constexpr (kPairs) {
      for (; group + 2 <= w.groups; group += 2) {
        const int64_t firstCount = steps[0], secondCount = steps[1];
        const int64_t common = firstCount < secondCount ? firstCount : secondCount;
        const uint16_t* otherColumns = columns + kGroupRows * firstCount;
        const Weight* otherValues = values + kGroupRows * firstCount;
        ProductTile<R, N, Width> tile, other;
        tile.begin(rows, start, first, y);
        other.begin(rows + kGroupRows, start, first, y);
        for (int64_t k = 0; k < kGroupRows * common; k += kGroupRows) {
          tile.step(columns + k, values + k, blockX);
          other.step(otherColumns + k, otherValues + k, blockX);
        }
        for (int64_t k = kGroupRows * common; k < kGroupRows * firstCount; k += kGroupRows)
          tile.step(columns + k, values + k, blockX);
        for (int64_t k = kGroupRows * common; k < kGroupRows * secondCount; k += kGroupRows)
          other.step(otherColumns + k, otherValues + k, blockX);
        tile.end(rows, last, y, finish);
        other.end(rows + kGroupRows, last, y, finish);
        steps += 2;
        rows += 2 * kGroupRows;
        columns = otherColumns + kGroupRows * secondCount;
        values = otherValues + kGroupRows * secondCount;
      }
    }
    for (; group < w.groups; ++group) {
      const int64_t count = *steps++;
      SETNET_UNROLL
      for (int r = 0; r < kGroupRows; r += R) {
        // Rows that are repeated, and only they, have been finished already.
        if (r > 0 && rows[r] == rows[r - 1]) continue;
        ProductTile<R, N, Width> tile;
        tile.begin(rows + r, start, first, y);
        for (int64_t k = 0; k < kGroupRows * count; k += kGroupRows) tile.step(columns + r + k, values + r + k, blockX);
        tile.end(rows + r, last, y, finish);
      }
      rows += kGroupRows;
      columns += kGroupRows * count;
      values += kGroupRows * count;
    }
  }
}

template <class Weight, class MakeFinish>
SETNET_INLINE void productPanels(const SparseProductArgs& a, const Weight* values, const MakeFinish& makeFinish) {
  for (int64_t v = 0; v < a.vectors;) {
    const int64_t offset = a.x.width == kLanes ? v * a.y.stride : v / 2 * a.y.stride;
    const auto finish = makeFinish(a.below + offset);
    if (a.x.width == kLanes) {
      productPanel<1, 16>(a, values, a.x.vector(v), a.y.vector(v), finish);
      ++v;
    } else if (v + 1 < a.vectors) {
      productPanel<2, 32>(a, values, a.x.vector(v), a.y.vector(v), finish);
      v += 2;
    } else {
      productPanel<1, 32>(a, values, a.x.vector(v), a.y.vector(v), finish);
      ++v;
    }
  }
}

// Rules that do the same to a sum share its code: All-ReLU's is LeakyReLU's with a slope of either sign, and `below` is
// what it has to be compared with.
template <class Rule>
struct ProductRule {
  using Type = Rule;
};
template <>
struct ProductRule<rules::AllRelu> {
  using Type = rules::LeakyRelu;
};

template <class Rule>
static void productWith(const SparseProductArgs& a) {
  if constexpr (Rule::isCheap) {
    if (a.below)
      productPanels(a, a.w.values, [&](const float* outputs) { return TimesSlope<Rule>(a.parameters, outputs); });
    else if (a.w.values)
      productPanels(a, a.w.values, [&](const float*) { return Activated<Rule>(a.parameters); });
    else
      productPanels(a, a.w.shorts, [&](const float*) { return Activated<Rule>(a.parameters); });
  }
}

static void sparseProduct(const SparseProductArgs& a) {
  switch (
      static_cast<rules::Activation>(a.activation < 0 ? static_cast<int>(rules::Activation::Linear) : a.activation)) {
#define SETNET_ENTRY(Rule)                          \
  case rules::Activation::Rule:                     \
    productWith<ProductRule<rules::Rule>::Type>(a); \
    break;
    SETNET_ACTIVATIONS(SETNET_ENTRY)
#undef SETNET_ENTRY
  }
}
