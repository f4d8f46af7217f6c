// Inverted dropout. One Philox block decides for eight units of one sample; lanes are samples, so that the eight 16-bit
// halves of 16 blocks are the decisions of eight vectors.

struct WordBlock {
  Words word[4];
};

// base/philox.h on 16 counters at once; word 2 of the counters differs (the position in the batch).
SETNET_INLINE WordBlock philoxBlocks(uint32_t word0, uint32_t word1, Words word2, uint32_t word3, uint64_t seed) {
  WordBlock c = {{splatWords(word0), splatWords(word1), word2, splatWords(word3)}};
  uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    Words high0, low0, high1, low1;
    multiplyWide(c.word[0], 0xD2511F53u, &high0, &low0);
    multiplyWide(c.word[2], 0xCD9E8D57u, &high1, &low1);
    c = {{high1 ^ c.word[1] ^ splatWords(key0), low1, high0 ^ c.word[3] ^ splatWords(key1), low0}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

static void dropout(const DropoutArgs& a) {
  const Lanes scale = splat(a.keptScale);
  const Lanes zero = splat(0.0f);
  // Kept: half >= threshold, which for whole numbers is half > threshold - 1/2.
  const Lanes limit = splat(static_cast<float>(a.threshold) - 0.5f);
  alignas(64) uint32_t lane[16];
  for (uint32_t i = 0; i < 16; ++i) lane[i] = i;
  const Words lanes = loadWords(lane);
  for (int64_t group = a.unitBegin / 8; group * 8 < a.unitEnd; ++group) {
    for (int64_t v = 0; v < a.vectors; ++v) {
      const WordBlock block =
          philoxBlocks(static_cast<uint32_t>(group), a.counter1,
                       lanes + splatWords(a.firstSample + static_cast<uint32_t>(v * kLanes)), a.counter3, a.seed);
      float* y = a.y.vector(v);
      SETNET_UNROLL
      for (int i = 0; i < 8; ++i) {
        const int64_t unit = group * 8 + i;
        const Words word = block.word[i / 2];
        const uint16_t kept = positiveBits(toFloat(i % 2 == 0 ? lowHalf(word) : highHalf(word)) - limit);
        if (unit < a.unitBegin || unit >= a.unitEnd) continue;
        float* at = y + unit * a.y.width;
        store(at, whereBits(kept, load(at) * scale, zero));
        a.kept[unit * a.keptStride + v] = kept;
      }
    }
  }
}
