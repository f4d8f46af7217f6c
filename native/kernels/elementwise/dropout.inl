// Inverted dropout. One Philox block decides for eight units of one sample; lanes are samples, so that the eight 16-bit
// halves of 16 blocks are the decisions of eight vectors.

struct WordBlock {
  Words word[4];
};

// The keys of the ten rounds.
struct RoundKeys {
  uint32_t key[10][2];

  SETNET_MEMBER_INLINE explicit RoundKeys(uint64_t seed) {
    for (uint32_t round = 0; round < 10; ++round) {
      key[round][0] = static_cast<uint32_t>(seed) + round * 0x9E3779B9u;
      key[round][1] = static_cast<uint32_t>(seed >> 32) + round * 0xBB67AE85u;
    }
  }
};

// base/philox.h on 16 counters at once; word 2 of the counters differs (the position in the batch).
SETNET_INLINE WordBlock philoxBlocks(uint32_t word0, uint32_t word1, Words word2, uint32_t word3,
                                     const RoundKeys& keys) {
  Factors c0 = splatFactors(word0), c1 = splatFactors(word1), c2 = apart(word2), c3 = splatFactors(word3);
  SETNET_UNROLL
  for (int round = 0; round < 10; ++round) {
    Factors high0, low0, high1, low1;
    multiplyWide(c0, 0xD2511F53u, &high0, &low0);
    multiplyWide(c2, 0xCD9E8D57u, &high1, &low1);
    c0 = high1 ^ c1 ^ splatFactors(keys.key[round][0]);
    c1 = low1;
    c2 = high0 ^ c3 ^ splatFactors(keys.key[round][1]);
    c3 = low0;
  }
  return {{together(c0), together(c1), together(c2), together(c3)}};
}

// Units [first, last) of the eight of one group.
template <bool Whole>
static void dropGroup(const DropoutArgs& a, const RoundKeys& keys, Words lanes, int64_t group, int first, int last) {
  const Lanes scale = splat(a.keptScale);
  const Words threshold = splatWords(a.threshold);
  for (int64_t v = 0; v < a.vectors; ++v) {
    const WordBlock block =
        philoxBlocks(static_cast<uint32_t>(group), a.counter1,
                     lanes + splatWords(a.firstSample + static_cast<uint32_t>(v * kLanes)), a.counter3, keys);
    float* y = a.y.vector(v) + group * 8 * a.y.width;
    uint16_t* kept = a.kept + group * 8 * a.keptStride + v;
    SETNET_UNROLL
    for (int i = 0; i < 8; ++i) {
      if (!Whole && (i < first || i >= last)) continue;
      const Words word = block.word[i / 2];
      float* at = y + i * a.y.width;
      store(at, keepAtLeast(i % 2 == 0 ? lowHalf(word) : highHalf(word), threshold, load(at) * scale,
                            kept + i * a.keptStride));
    }
  }
}

static void dropout(const DropoutArgs& a) {
  const RoundKeys keys(a.seed);
  alignas(64) uint32_t lane[16];
  for (uint32_t i = 0; i < 16; ++i) lane[i] = i;
  const Words lanes = loadWords(lane);
  for (int64_t group = a.unitBegin / 8; group * 8 < a.unitEnd; ++group) {
    const int first = group * 8 < a.unitBegin ? static_cast<int>(a.unitBegin - group * 8) : 0;
    const int last = a.unitEnd < group * 8 + 8 ? static_cast<int>(a.unitEnd - group * 8) : 8;
    if (first == 0 && last == 8)
      dropGroup<true>(a, keys, lanes, group, first, last);
    else
      dropGroup<false>(a, keys, lanes, group, first, last);
  }
}
