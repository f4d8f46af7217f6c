// Aligned memory that is reused: kernels want rows on cache lines, and large fresh allocations are dear.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/memory.h"
#include "base/status.h"

namespace setnet::cpu {

template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { free(data_); }

  // At least `size` elements, all zero where memory had to be fetched; what is large enough stays as it is.
  Status reserve(uint64_t size) {
    if (size <= size_) return Status();
    // Beyond a few pages translation costs more than alignment wastes: large buffers ask for huge pages.
    constexpr uint64_t kHugePage = uint64_t{1} << 21;
    const uint64_t bytes = saturatedSum(saturatedProduct(size, sizeof(T)), 63) / 64 * 64;
    void* memory = nullptr;
    if (bytes > memoryLimit() || posix_memalign(&memory, bytes >= kHugePage ? kHugePage : 64, bytes) != 0)
      return Status(Code::Memory, "a buffer of " + std::to_string(size) + " elements needs " + formatBytes(bytes) +
                                      ", which is not to be had");
#if defined(MADV_HUGEPAGE)
    if (bytes >= kHugePage) (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    std::memset(memory, 0, bytes);
    free(data_);
    data_ = static_cast<T*>(memory);
    size_ = size;
    return Status();
  }
  void clear() {
    if (size_ > 0) std::memset(data_, 0, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  uint64_t size() const { return size_; }
  uint64_t bytes() const { return size_ * sizeof(T); }
  T& operator[](uint64_t i) { return data_[i]; }
  const T& operator[](uint64_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace setnet::cpu
