// How work is cut for threads: fixed pieces of about equal cost. Results do not depend on the cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace setnet::cpu {

// Below this many multiply-adds a second thread costs more than it brings: 40 microseconds of vectors of samples, ...
constexpr uint64_t kSerialWork = 1600000;
// ... or of a single sample.
constexpr uint64_t kSerialSingle = 200000;

// Into how many parts a job of `work` multiply-adds is cut.
inline int partsFor(uint64_t work, int threads) { return work < kSerialWork ? 1 : threads; }

struct Range {
  int64_t begin, end;
};

// Bounds of `parts` pieces of [0, size), each a multiple of `grain` (but for the end).
inline Range evenRange(int64_t size, int64_t grain, int parts, int part) {
  const int64_t grains = (size + grain - 1) / grain;
  return {std::min(size, grains * part / parts * grain), std::min(size, grains * (part + 1) / parts * grain)};
}

// Bounds of `parts` pieces of the rows of a CSR matrix with about equally many connections; a row counts a little even
// where it is empty. parts + 1 numbers.
inline std::vector<int64_t> cutRows(const std::vector<uint64_t>& rowPointers, int parts) {
  const int64_t rows = static_cast<int64_t>(rowPointers.size()) - 1;
  constexpr uint64_t kRowCost = 4;
  const uint64_t total = rowPointers[rows] + kRowCost * static_cast<uint64_t>(rows);
  std::vector<int64_t> cuts(static_cast<size_t>(parts) + 1, rows);
  cuts[0] = 0;
  int64_t row = 0;
  for (int part = 1; part < parts; ++part) {
    const double wanted = static_cast<double>(total) * part / parts;
    while (row < rows && static_cast<double>(rowPointers[row] + kRowCost * static_cast<uint64_t>(row)) < wanted) ++row;
    cuts[part] = row;
  }
  return cuts;
}

// Into how many parts the rows of a packed matrix are cut.
inline int partsWanted(uint64_t rows, int parts) {
  constexpr uint64_t kFewestRows = 16;
  return static_cast<int>(std::max<uint64_t>(1, std::min<uint64_t>(static_cast<uint64_t>(parts), rows / kFewestRows)));
}

// The bounds of these parts, as cutRows gives them. Inner cuts at multiples of 16 rows: threads then write to cache
// lines of their own.
inline std::vector<int64_t> cutParts(const std::vector<uint64_t>& rowPointers, int parts) {
  std::vector<int64_t> cuts = cutRows(rowPointers, partsWanted(rowPointers.size() - 1, parts));
  for (size_t i = 1; i + 1 < cuts.size(); ++i) cuts[i] = std::min((cuts[i] + 8) / 16 * 16, cuts.back());
  return cuts;
}

}  // namespace setnet::cpu
