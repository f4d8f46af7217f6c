#pragma once

#include <algorithm>
#include <cstdint>

#include "base/array.h"
#include "base/phases.h"
#include "base/philox.h"

namespace setnet::rules {

// Which cells of a layer are taken: those of its connections, in canonical order, less those that were removed.
// cell = row * columns + column.
struct OccupiedCells {
  uint64_t rows = 0;
  uint64_t columns = 0;
  uint64_t count = 0;                       // how many are taken
  const uint64_t* rowPointers = nullptr;    // null: none is taken
  const uint32_t* columnIndices = nullptr;  // ascending within a row
  const uint8_t* removed = nullptr;         // 1: the cell of this connection is free; null: none was removed

  uint64_t cells() const { return rows * columns; }
  bool takes(uint64_t connection) const { return removed == nullptr || removed[connection] == 0; }
  // Whether this cell is taken, by a search in its row.
  bool contains(uint64_t cell) const {
    if (count == 0) return false;
    const uint64_t row = cell / columns;
    const uint32_t column = static_cast<uint32_t>(cell - row * columns);
    const uint32_t* end = columnIndices + rowPointers[row + 1];
    const uint32_t* at = std::lower_bound(columnIndices + rowPointers[row], end, column);
    return at != end && *at == column && takes(static_cast<uint64_t>(at - columnIndices));
  }
};

// What a grow rule chooses from.
struct GrowInput {
  OccupiedCells occupied;
  uint64_t count;                  // how many are wanted
  RandomStream stream;             // purpose Topology, this layer, this evolution (0: the first topology)
  Stopwatch* stopwatch = nullptr;  // null: nobody asks how long it takes

  void lap(const char* phase) const {
    if (stopwatch) stopwatch->lap(phase);
  }
};

// Cell numbers. Memory that a rule may use is kept from one evolution to the next, with whatever is in it.
using CellList = Array<uint64_t>;
struct GrowMemory {
  CellList cells;
  Array<uint8_t> marks;
};

}  // namespace setnet::rules
