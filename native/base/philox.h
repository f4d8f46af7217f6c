// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). A number depends on what it is for (seed,
// purpose, layer, time, index) and on nothing else, so that any thread, device and order of work draws the same.
#pragma once

#include <cstdint>

namespace setnet {

// What a random number is for. Part of every file's meaning: never renumber.
enum class Purpose : uint32_t {
  Topology = 1,
  InitialWeight = 2,
  NewWeight = 3,
  Dropout = 4,
  SampleOrder = 5,
  RandomPrune = 6,
  Trigger = 7,
  ActivationParameters = 8,
};

struct PhiloxBlock {
  uint32_t word[4];
};

inline PhiloxBlock philox4x32(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter.word[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter.word[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// All random numbers of one purpose: `time` is the evolution number, the step or the epoch (0 where there is none).
struct RandomStream {
  uint64_t seed = 0;
  Purpose purpose = Purpose::Topology;
  uint32_t layer = 0;
  uint64_t time = 0;

  PhiloxBlock block(uint64_t index) const {
    return philox4x32({{static_cast<uint32_t>(index), static_cast<uint32_t>(purpose) | layer << 8,
                        static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(time)}},
                      static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
  }
};

}  // namespace setnet
