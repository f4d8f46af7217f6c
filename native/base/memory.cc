#include "base/memory.h"

#include <unistd.h>

#include <cstdio>

namespace setnet {
namespace {

// The number in a one-line file; 2^64 - 1 where there is no such file or it says "max".
uint64_t limitIn(const char* path) {
  uint64_t limit = ~uint64_t{0};
  if (std::FILE* file = std::fopen(path, "re")) {
    unsigned long long number = 0;
    if (std::fscanf(file, "%llu", &number) == 1 && number > 0) limit = number;
    std::fclose(file);
  }
  return limit;
}

uint64_t findLimit() {
  uint64_t limit = ~uint64_t{0};
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long pageSize = sysconf(_SC_PAGESIZE);
  if (pages > 0 && pageSize > 0)
    limit = saturatedProduct(static_cast<uint64_t>(pages), static_cast<uint64_t>(pageSize));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const uint64_t ofGroup = limitIn(path);
    if (ofGroup < limit) limit = ofGroup;
  }
  return limit;
}

}  // namespace

uint64_t memoryLimit() {
  static const uint64_t limit = findLimit();
  return limit;
}

std::string formatBytes(uint64_t bytes) {
  static const char* const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  double amount = static_cast<double>(bytes);
  int unit = 0;
  while (amount >= 1000 && unit < 6) {
    amount /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
  return text;
}

}  // namespace setnet
