// How much memory there is at all: a request beyond it is refused with a status instead of being left to the operating
// system, which grants it and then kills the process.
#pragma once

#include <cstdint>
#include <string>

namespace setnet {

// Bytes this process may come to hold: the machine's memory, or the limit of its control group where that is lower.
// Asked once.
uint64_t memoryLimit();

// a * b, or 2^64 - 1 where it does not fit.
inline uint64_t saturatedProduct(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? ~uint64_t{0} : product;
}
// a + b, or 2^64 - 1 where it does not fit.
inline uint64_t saturatedSum(uint64_t a, uint64_t b) {
  uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? ~uint64_t{0} : sum;
}

// "12.3 GB", decimal units.
std::string formatBytes(uint64_t bytes);

}  // namespace setnet
