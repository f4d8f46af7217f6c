// Finding the free ones among sorted cells, in time linear in cells and connections.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "rules/grow/input.h"

namespace setnet::rules {

// Takes the cells that are occupied out of cells[0..count), which ascend; returns how many are left. cells[count] must
// be there and is overwritten.
//
// A row's taken columns are marked in a table, then each cell looks itself up: neither has to wait for the other, as
// both sides of a merge would. The table fits into the cache, so that a wider row is worked on window by window; a
// mark is the number of its window, modulo 255, so that the table is seldom cleared.
inline uint64_t keepFree(const OccupiedCells& occupied, uint64_t* cells, uint64_t count, Array<uint8_t>* memory) {
  if (occupied.count == 0) return count;
  uint64_t kept = 0;
  if (count < occupied.count / 32) {  // few: a search for each costs less than a pass over all connections
    for (uint64_t i = 0; i < count; ++i) {
      if (!occupied.contains(cells[i])) cells[kept++] = cells[i];
    }
    return kept;
  }

  // As wide as the first-level cache allows; up to eight times as wide where it would hold too few to be worth a loop.
  constexpr uint64_t kNarrow = uint64_t{1} << 15, kWide = kNarrow * 8, kWorthwhile = 32;
  const double perColumn = static_cast<double>(occupied.count) / static_cast<double>(occupied.cells());
  uint64_t window = kNarrow;
  while (window < kWide && perColumn * static_cast<double>(window) < kWorthwhile) window *= 2;
  const uint64_t tableSize = std::min(window, occupied.columns);
  uint8_t* marks = memory->renew(tableSize + 1);  // and one that nobody reads, for what was removed
  std::memset(marks, 0, tableSize + 1);
  uint8_t mark = 0;
  const uint32_t* columns = occupied.columnIndices;
  cells[count] = ~uint64_t{0};  // ends every window
  uint64_t row = 0, rowStart = 0, connection = occupied.rowPointers[0];
  for (uint64_t i = 0; i < count;) {
    for (; cells[i] - rowStart >= occupied.columns; rowStart += occupied.columns)
      connection = occupied.rowPointers[++row];
    const uint64_t rowEnd = occupied.rowPointers[row + 1];
    const uint64_t first = (cells[i] - rowStart) & ~(window - 1);
    const uint64_t end = std::min(first + window, occupied.columns);
    if (++mark == 0) {
      std::memset(marks, 0, tableSize);
      mark = 1;
    }
    // The connections in the window. Most rows fit into one.
    uint64_t windowLast = rowEnd;
    if (occupied.columns > window) {
      while (connection < rowEnd && columns[connection] < first) ++connection;
      windowLast = connection;
      while (windowLast < rowEnd && columns[windowLast] < end) ++windowLast;
    }
    if (occupied.removed == nullptr) {
      for (; connection < windowLast; ++connection) marks[columns[connection] - first] = mark;
    } else {
      // What was removed goes to the place that nobody reads. No branch: it is chance.
      for (; connection < windowLast; ++connection) {
        const uint64_t at = columns[connection] - first;
        const uint64_t removed = occupied.removed[connection];
        marks[at ^ ((at ^ tableSize) & (0 - removed))] = mark;
      }
    }
    const uint64_t windowStart = rowStart + first, windowEnd = rowStart + end;
    for (; cells[i] < windowEnd; ++i) {
      const uint64_t cell = cells[i];
      cells[kept] = cell;
      kept += marks[cell - windowStart] != mark;
    }
  }
  return kept;
}

}  // namespace setnet::rules
