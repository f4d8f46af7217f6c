// The sizes of the caches of the first core, and of sets of data that lie in one of them.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "support.h"

namespace bench {

struct Caches {
  size_t l1 = size_t{32} << 10;
  size_t l2 = size_t{512} << 10;
  size_t l3 = 0;  // 0: there is none, or nobody says

  // Half of a cache, so that code, stack and the lists that are read beside a set fit too.
  size_t l1Set() const { return l1 / 2; }
  size_t l2Set() const { return l2 / 2; }
  // Rows that are read in random order lie in L2 with the lists that name them.
  size_t l2Rows() const { return l2 / 4; }
  // Virtual machines report the sum over all slices of a processor, of which a core reaches one. Eight times L2 is
  // beyond L2 and fits into a slice of every processor that has this much at all.
  size_t l3Set() const { return l3 < 4 * l2 ? 0 : std::min(8 * l2, l3 / 2); }
  size_t memorySet() const { return std::min(std::max(4 * l3, size_t{256} << 20), size_t{512} << 20); }
};

inline size_t readCacheSize(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return 0;
  const size_t size = std::strtoull(text.c_str(), nullptr, 10);
  switch (text.back()) {
    case 'K':
      return size << 10;
    case 'M':
      return size << 20;
    default:
      return size;
  }
}

// From sysfs; where the system lists none there (some virtual machines), from the C library.
inline Caches findCaches() {
  size_t sizes[4] = {};
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream levelFile(folder + "level"), typeFile(folder + "type");
    int level = 0;
    std::string type;
    if (!(levelFile >> level) || !(typeFile >> type)) break;
    if (level >= 1 && level <= 3 && type != "Instruction") sizes[level] = readCacheSize(folder + "size");
  }
#ifdef _SC_LEVEL1_DCACHE_SIZE
  const int names[4] = {0, _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  for (int level = 1; level <= 3; ++level) {
    const long size = sizes[level] == 0 ? ::sysconf(names[level]) : 0;
    if (size > 0) sizes[level] = static_cast<size_t>(size);
  }
#endif
  Caches caches;
  if (sizes[1] > 0) caches.l1 = sizes[1];
  if (sizes[2] > 0) caches.l2 = sizes[2];
  caches.l3 = sizes[3];
  return caches;
}

}  // namespace bench
