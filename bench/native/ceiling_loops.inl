// The loops behind the ceilings of one instruction set. Included by ceilings.h once per set, inside a namespace that
// has defined Vec, kWidth (floats in a Vec), kFmaChains (accumulators that leave registers for the operands) and the
// functions used below. Each loop does what its ceiling is about and as little else as possible: chains enough to hide
// every latency, loads aligned, nothing stored but one vector at the end.

// `steps` times kFmaChains independent multiply-adds; steps is a multiple of 4. The chains begin at places of their own
// in `sink` (64 floats): from one place the compiler would make one chain of several.
static void fmaLoop(size_t steps, float* sink) {
  Vec chains[kFmaChains];
  BENCH_UNROLL
  for (int i = 0; i < kFmaChains; ++i) chains[i] = splat(sink[i]);
  const Vec a = splat(0.5f), b = splat(1.0f);
  for (size_t s = 0; s < steps; s += 4) {
    BENCH_UNROLL
    for (int turn = 0; turn < 4; ++turn) {
      BENCH_UNROLL
      for (int i = 0; i < kFmaChains; ++i) chains[i] = madd(a, chains[i], b);
    }
  }
  Vec sum = chains[0];
  BENCH_UNROLL
  for (int i = 1; i < kFmaChains; ++i) sum = add(sum, chains[i]);
  store(sink, sum);
}

// Loads all of `data` once; `count` is a multiple of 256 floats.
static void readLoop(const float* data, size_t count) {
  for (const float* end = data + count; data < end; data += 16 * kWidth) {
    BENCH_UNROLL
    for (int i = 0; i < 16; ++i) consume(load(data + i * kWidth));
  }
}

// Reads and writes all of `data` once.
static void updateLoop(float* data, size_t count) {
  const Vec a = splat(0.999f), b = splat(0.001f);
  for (float* end = data + count; data < end; data += 8 * kWidth) {
    BENCH_UNROLL
    for (int i = 0; i < 8; ++i) store(data + i * kWidth, madd(a, load(data + i * kWidth), b));
  }
}

// What an unstructured sparse product does for each connection, and nothing else: a row of Floats floats, picked by a
// 16-bit index, is multiplied by the connection's weight and added to its output row. Rows outputs are summed side by
// side; one 8-byte load brings four indices and one 16-byte load four weights. `count` is a multiple of 8.
template <int Floats, int Rows>
static void rowsLoop(const float* table, const uint16_t* indices, const float* weights, size_t count, float* sink) {
  constexpr int kVecs = Floats / kWidth;
  constexpr int kGroups = Rows > 4 ? Rows / 4 : 1;
  Vec sums[Rows][kVecs];
  BENCH_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BENCH_UNROLL
    for (int v = 0; v < kVecs; ++v) sums[r][v] = splat(0.0f);
  }
  for (size_t k = 0; k < count; k += 4 * kGroups) {
    BENCH_UNROLL
    for (int g = 0; g < kGroups; ++g) {
      uint64_t four;
      __builtin_memcpy(&four, indices + k + 4 * g, sizeof four);
      const Four weight = loadFour(weights + k + 4 * g);
      const float* const row0 = table + (four & 0xFFFF) * Floats;
      const float* const row1 = table + (four >> 16 & 0xFFFF) * Floats;
      const float* const row2 = table + (four >> 32 & 0xFFFF) * Floats;
      const float* const row3 = table + (four >> 48) * Floats;
      BENCH_UNROLL
      for (int v = 0; v < kVecs; ++v)
        sums[(4 * g + 0) % Rows][v] = maddLane<0>(weight, load(row0 + v * kWidth), sums[(4 * g + 0) % Rows][v]);
      BENCH_UNROLL
      for (int v = 0; v < kVecs; ++v)
        sums[(4 * g + 1) % Rows][v] = maddLane<1>(weight, load(row1 + v * kWidth), sums[(4 * g + 1) % Rows][v]);
      BENCH_UNROLL
      for (int v = 0; v < kVecs; ++v)
        sums[(4 * g + 2) % Rows][v] = maddLane<2>(weight, load(row2 + v * kWidth), sums[(4 * g + 2) % Rows][v]);
      BENCH_UNROLL
      for (int v = 0; v < kVecs; ++v)
        sums[(4 * g + 3) % Rows][v] = maddLane<3>(weight, load(row3 + v * kWidth), sums[(4 * g + 3) % Rows][v]);
    }
  }
  Vec sum = sums[0][0];
  BENCH_UNROLL
  for (int r = 0; r < Rows; ++r) {
    BENCH_UNROLL
    for (int v = 0; v < kVecs; ++v) sum = add(sum, sums[r][v]);
  }
  store(sink, sum);
}

// The batch of one: sixteen output rows side by side, one connection of each per step, two such slices. Scalar loads,
// put together; Wide: one 8-byte load for four indices instead of one each, which costs shifts. `count` is a multiple
// of 32.
template <bool Wide>
static void softwareGatherLoop(const float* x, const uint16_t* indices, const float* weights, size_t count,
                               float* sink) {
  constexpr int kVecs = 32 / kWidth;
  Vec sums[kVecs];
  BENCH_UNROLL
  for (int v = 0; v < kVecs; ++v) sums[v] = splat(0.0f);
  for (size_t k = 0; k < count; k += 32) {
    BENCH_UNROLL
    for (int v = 0; v < kVecs; ++v)
      sums[v] = madd(load(weights + k + v * kWidth), pick<Wide>(x, indices + k + v * kWidth), sums[v]);
  }
  Vec sum = sums[0];
  BENCH_UNROLL
  for (int v = 1; v < kVecs; ++v) sum = add(sum, sums[v]);
  store(sink, sum);
}
