// pi: a seeded bijection of [0, size) that costs O(1) memory. Distinct cells of a matrix, newcomers of an evolution
// and the order of samples are the first values of such a bijection.
#pragma once

#include <cstdint>

#include "base/philox.h"

namespace setnet {

class Bijection {
 public:
  // Keyed with blocks 0, 1, 2 of the stream. size >= 1.
  Bijection(const RandomStream& stream, uint64_t size);

  uint64_t size() const { return size_; }
  // pi(i), i < size.
  uint64_t operator()(uint64_t i) const;
  // out[k] = pi(first + k). The same values as one by one, faster.
  void fill(uint64_t first, uint64_t count, uint64_t* out) const;

 private:
  uint64_t once(uint64_t x) const;  // the Feistel network over the whole power-of-two domain

  uint64_t size_;
  int leftBits_;
  int rightBits_;
  uint32_t key_[12];
};

}  // namespace setnet
