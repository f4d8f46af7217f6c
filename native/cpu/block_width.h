// How many columns of a packed matrix make a block.
#pragma once

#include <algorithm>
#include <cstdint>

namespace setnet::cpu {

// Lengths of rows and columns of a block must fit into 16 bits.
constexpr double kWidestBlock = 32768;

// Cells for each connection: a row of so many columns has one on average.
inline double columnsPerConnection(uint64_t rows, uint64_t columns, uint64_t count) {
  return static_cast<double>(columns) * static_cast<double>(rows) / static_cast<double>(std::max<uint64_t>(count, 1));
}

// For vectors of samples. Near caches want it narrow: 384 columns are 48 KB of a panel. But every row of every block
// costs a load and a store of its sums, so that a row should have about 20 connections in it; and where even that is
// too wide for the second-level cache (4096 columns are 512 KB), 8 must do.
inline int64_t chooseBlockWidth(uint64_t rows, uint64_t columns, uint64_t count) {
  constexpr double kNarrowest = 384, kSecondLevel = 4096;
  if (columns == 0) return 1;
  const double perConnection = columnsPerConnection(rows, columns, count);
  const double few = std::min(std::max(8 * perConnection, kSecondLevel), kWidestBlock);
  const double width = std::min(std::max(20 * perConnection, kNarrowest), few);
  const int64_t blocks =
      static_cast<int64_t>((columns + static_cast<uint64_t>(width) - 1) / static_cast<uint64_t>(width));
  return (static_cast<int64_t>(columns) + blocks - 1) / blocks;
}

// For single samples, whose inputs are a 32nd of a panel: they lie in the nearest cache up to 8,192 of them.
inline int64_t chooseSingleBlockWidth(uint64_t rows, uint64_t columns, uint64_t count) {
  constexpr uint64_t kNear = 8192;
  constexpr double kNarrowest = 4096;
  if (columns <= kNear) return std::max<int64_t>(1, static_cast<int64_t>(columns));
  const double width = std::max(20 * columnsPerConnection(rows, columns, count), kNarrowest);
  return static_cast<int64_t>(std::min(width, kWidestBlock));
}

}  // namespace setnet::cpu
