// Memory for many numbers that is kept and used again: large fresh allocations are dear (every page is fetched from the
// system and set to zero), and so is setting to zero what is overwritten anyway.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/memory.h"

namespace setnet {

// A growable array whose new elements have no defined value. It never gives memory back before it is destroyed. Throws
// std::bad_alloc.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable<T>::value && std::is_trivially_destructible<T>::value,
                "elements are moved as bytes and never destroyed");

 public:
  Array() = default;
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() { ::free(data_); }

  // The first min(old size, size) elements stay.
  void resize(uint64_t size) {
    if (size > capacity_) reallocate(size, size_);
    size_ = size;
  }
  // No element stays. Returns data().
  T* renew(uint64_t size) {
    if (size > capacity_) reallocate(size, 0);
    size_ = size;
    return data_;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](uint64_t i) { return data_[i]; }
  const T& operator[](uint64_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  void reallocate(uint64_t size, uint64_t kept) {
    // Sizes of one use vary a little from time to time: an eighth of slack saves most later allocations.
    constexpr uint64_t kHugePage = uint64_t{1} << 21;
    const uint64_t capacity = saturatedSum(size, size / 8);
    const uint64_t bytes = saturatedProduct(capacity, sizeof(T));
    void* memory = nullptr;
    if (bytes > memoryLimit() || posix_memalign(&memory, bytes >= kHugePage ? kHugePage : 64, bytes) != 0)
      throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    // Beyond a few pages the translation of addresses costs more than alignment wastes.
    if (bytes >= kHugePage) (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    if (kept > 0) std::memcpy(memory, data_, kept * sizeof(T));
    ::free(data_);
    data_ = static_cast<T*>(memory);
    capacity_ = capacity;
  }
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t capacity_ = 0;
};

}  // namespace setnet
