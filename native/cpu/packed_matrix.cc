#include "cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/float_bits.h"

namespace setnet::cpu {
namespace {

using kernels::kGroupRows;

// Kernels read the columns of up to 15 steps behind a group's end.
constexpr uint64_t kSlack = 64;

// Columns of a block. Near caches want it narrow: 384 columns are 48 KB of a panel. But every row of every block costs
// a load and a store of its sums, so that a row should have about 20 connections in it; and where even that is too wide
// for the second-level cache (4096 columns are 512 KB), 8 must do. Lengths and columns must fit into 16 bits.
int64_t chooseBlockWidth(uint64_t rows, uint64_t columns, uint64_t count) {
  constexpr double kNarrowest = 384, kSecondLevel = 4096, kWidest = 32768;
  if (columns == 0) return 1;
  const double perConnection =
      static_cast<double>(columns) * static_cast<double>(rows) / static_cast<double>(std::max<uint64_t>(count, 1));
  const double few = std::min(std::max(8 * perConnection, kSecondLevel), kWidest);
  const double width = std::min(std::max(20 * perConnection, kNarrowest), few);
  const int64_t blocks =
      static_cast<int64_t>((columns + static_cast<uint64_t>(width) - 1) / static_cast<uint64_t>(width));
  return (static_cast<int64_t>(columns) + blocks - 1) / blocks;
}

int partsWanted(uint64_t rows, int parts) {
  constexpr uint64_t kFewestRows = 16;
  return static_cast<int>(std::max<uint64_t>(1, std::min<uint64_t>(static_cast<uint64_t>(parts), rows / kFewestRows)));
}

// Inner cuts at multiples of 16 rows: threads then write to cache lines of their own.
std::vector<int64_t> cutParts(const std::vector<uint64_t>& rowPointers, int parts) {
  std::vector<int64_t> cuts = cutRows(rowPointers, partsWanted(rowPointers.size() - 1, parts));
  for (size_t i = 1; i + 1 < cuts.size(); ++i) cuts[i] = std::min((cuts[i] + 8) / 16 * 16, cuts.back());
  return cuts;
}

// numbers[k][i] = from[first[i] + k] for k below the row's length, else 0.
void interleave(const float* from, const uint64_t* first, const uint32_t* lengths, uint32_t steps, float* to) {
  const uint32_t common = *std::min_element(lengths, lengths + kGroupRows);
  if (!from) {
    std::memset(to, 0, steps * kGroupRows * sizeof(float));
    return;
  }
  for (uint32_t k = 0; k < common; ++k)
    for (int i = 0; i < kGroupRows; ++i) to[kGroupRows * k + i] = from[first[i] + k];
  for (uint32_t k = common; k < steps; ++k)
    for (int i = 0; i < kGroupRows; ++i) to[kGroupRows * k + i] = k < lengths[i] ? from[first[i] + k] : 0.0f;
}

}  // namespace

Status PackedMatrix::layOut(uint64_t rows, uint64_t columns, uint64_t count, const std::vector<int64_t>& cuts) {
  rows_ = rows;
  columns_ = columns;
  count_ = count;
  blockWidth_ = chooseBlockWidth(rows, columns, count);
  blocks_ = columns == 0 ? 1 : (static_cast<int64_t>(columns) + blockWidth_ - 1) / blockWidth_;
  parts_.clear();
  uint64_t groups = 0;
  for (size_t part = 0; part + 1 < cuts.size(); ++part) {
    const int64_t there = (cuts[part + 1] - cuts[part] + kGroupRows - 1) / kGroupRows;
    parts_.push_back({cuts[part], cuts[part + 1], there, groups, 0, 0});
    groups += static_cast<uint64_t>(there * blocks_);
  }
  SETNET_TRY(rowOf_.reserve(groups * kGroupRows));
  SETNET_TRY(steps_.reserve(groups));
  return lengths_.reserve(groups * kGroupRows);
}

void PackedMatrix::placeRows(const Part& part, int64_t block, const uint32_t* lengths, uint64_t* slot,
                             uint64_t* starts) {
  const int64_t rows = part.rowEnd - part.rowBegin;
  if (rows == 0) return;
  // By length, rows of equal length in their order: a counting sort.
  const uint32_t longest = *std::max_element(lengths, lengths + rows);
  std::vector<uint32_t> next(longest + 2, 0), order(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) ++next[lengths[r] + 1];
  for (uint32_t n = 0; n <= longest; ++n) next[n + 1] += next[n];
  for (int64_t r = 0; r < rows; ++r) order[next[lengths[r]]++] = static_cast<uint32_t>(r);

  uint64_t group = part.firstGroup + static_cast<uint64_t>(block * part.groups);
  for (int64_t first = 0; first < rows; first += kGroupRows, ++group) {
    const int64_t there = std::min<int64_t>(kGroupRows, rows - first);
    const uint32_t steps = lengths[order[first + there - 1]];
    steps_[group] = steps;
    for (int64_t i = 0; i < kGroupRows; ++i) {
      const uint32_t r = order[first + std::min(i, there - 1)];
      rowOf_[group * kGroupRows + i] = static_cast<uint32_t>(part.rowBegin) + r;
      lengths_[group * kGroupRows + i] = i < there ? static_cast<uint16_t>(lengths[r]) : 0;
      if (i < there) starts[r] = *slot + static_cast<uint64_t>(i);
    }
    *slot += steps * static_cast<uint64_t>(kGroupRows);
  }
}

Status PackedMatrix::reserveSlots(uint64_t slots, int companionCount) {
  slots_ = slots;
  companionCount_ = companionCount;
  // A little more than now, so that the next evolution finds room.
  const uint64_t room = slots + slots / 64 + kSlack;
  SETNET_TRY(columnOf_.reserve(room));
  SETNET_TRY(values_.reserve(room));
  for (int i = 0; i < companionCount; ++i) SETNET_TRY(companions_[i].reserve(room));
  return Status();
}

Status PackedMatrix::pack(const CsrView& matrix, const PackOptions& options) {
  const std::vector<uint64_t> pointers(matrix.rowPointers, matrix.rowPointers + matrix.rows + 1);
  SETNET_TRY(layOut(matrix.rows, matrix.columns, matrix.count(), cutParts(pointers, options.parts)));

  // Where every row's connections of a block begin, in the canonical matrix; one row of it more than there are blocks.
  const uint64_t rows = matrix.rows;
  std::vector<uint64_t> cursor(pointers.begin(), pointers.end() - 1);
  std::vector<uint32_t> lengths(static_cast<size_t>(blocks_) * rows, 0);
  for (uint64_t r = 0; r < rows; ++r) {
    uint64_t k = pointers[r];
    const uint64_t end = pointers[r + 1];
    for (int64_t block = 0; k < end; ++block) {
      const uint64_t limit = static_cast<uint64_t>(block + 1) * static_cast<uint64_t>(blockWidth_);
      const uint64_t begin = k;
      while (k < end && matrix.columnIndices[k] < limit) ++k;
      lengths[static_cast<size_t>(block) * rows + r] = static_cast<uint32_t>(k - begin);
    }
  }
  uint64_t slot = 0;
  std::vector<uint64_t> starts(rows);
  for (Part& part : parts_) {
    part.firstSlot = slot;
    for (int64_t block = 0; block < blocks_; ++block)
      placeRows(part, block, lengths.data() + static_cast<size_t>(block) * rows + part.rowBegin, &slot, starts.data());
    part.slots = slot - part.firstSlot;
    slot += kSlack;
  }
  SETNET_TRY(reserveSlots(slot, options.companionCount));

  for (const Part& part : parts_) {
    uint64_t to = part.firstSlot;
    uint64_t group = part.firstGroup;
    for (int64_t block = 0; block < blocks_; ++block) {
      const uint32_t base = static_cast<uint32_t>(block * blockWidth_);
      for (int64_t g = 0; g < part.groups; ++g, ++group) {
        const uint32_t steps = steps_[group];
        uint64_t first[kGroupRows];
        uint32_t there[kGroupRows];
        for (int i = 0; i < kGroupRows; ++i) {
          const uint32_t row = rowOf_[group * kGroupRows + i];
          there[i] = lengths_[group * kGroupRows + i];
          first[i] = cursor[row];
          cursor[row] += there[i];
        }
        uint16_t* columns = columnOf_.data() + to;
        for (uint32_t k = 0; k < steps; ++k) {
          // Padding is at the row's last column, or the block's first.
          for (int i = 0; i < kGroupRows; ++i)
            columns[kGroupRows * k + i] = k < there[i]
                                              ? static_cast<uint16_t>(matrix.columnIndices[first[i] + k] - base)
                                              : (k > 0 ? columns[kGroupRows * (k - 1) + i] : uint16_t{0});
        }
        interleave(matrix.values, first, there, steps, values_.data() + to);
        for (int i = 0; i < options.companionCount; ++i)
          interleave(options.companions ? options.companions[i] : nullptr, first, there, steps,
                     companions_[i].data() + to);
        to += steps * static_cast<uint64_t>(kGroupRows);
      }
    }
    std::memset(columnOf_.data() + to, 0, kSlack * sizeof(uint16_t));
    std::memset(values_.data() + to, 0, kSlack * sizeof(float));
    for (int i = 0; i < options.companionCount; ++i) std::memset(companions_[i].data() + to, 0, kSlack * sizeof(float));
  }
  if (!options.updatable) lengths_ = Buffer<uint16_t>();
  if (options.bfloat16) {
    SETNET_TRY(shorts_.reserve(slot));
    for (uint64_t k = 0; k < slot; ++k) shorts_[k] = toBfloat16(values_[k]);
    values_ = Buffer<float>();
  }
  return Status();
}

Status PackedMatrix::packTransposed(const CsrView& matrix, const PackedMatrix& forward, int parts) {
  constexpr uint64_t kMostSlots = 0xFFFFFFFFull;
  if (forward.slots_ > kMostSlots)
    return Status(Code::Memory, "a layer of " + std::to_string(matrix.count()) +
                                    " connections is too large to be trained; positions have 32 bits");
  // Rows of the transpose are the columns here.
  const uint64_t rows = matrix.columns;
  std::vector<uint64_t> pointers(rows + 1, 0);
  for (uint64_t k = 0; k < matrix.count(); ++k) ++pointers[matrix.columnIndices[k] + 1];
  for (uint64_t c = 0; c < rows; ++c) pointers[c + 1] += pointers[c];
  SETNET_TRY(layOut(rows, matrix.rows, matrix.count(), cutParts(pointers, parts)));

  // Of the forward form: the first slot of every row in every block.
  std::vector<uint32_t> starts(static_cast<size_t>(forward.blocks_) * matrix.rows, 0);
  for (const Part& part : forward.parts_) {
    uint64_t slot = part.firstSlot, group = part.firstGroup;
    for (int64_t block = 0; block < forward.blocks_; ++block) {
      uint32_t* ofBlock = starts.data() + static_cast<size_t>(block) * matrix.rows;
      for (int64_t g = 0; g < part.groups; ++g, ++group) {
        // From the last one on: a row that is repeated keeps its first place.
        for (int i = kGroupRows - 1; i >= 0; --i)
          ofBlock[forward.rowOf_[group * kGroupRows + i]] = static_cast<uint32_t>(slot + static_cast<uint64_t>(i));
        slot += forward.steps_[group] * static_cast<uint64_t>(kGroupRows);
      }
    }
  }

  // Lengths: connections of every column among the rows of a block (of the transpose).
  std::vector<uint32_t> lengths(static_cast<size_t>(blocks_) * rows, 0);
  for (int64_t block = 0; block < blocks_; ++block) {
    uint32_t* ofBlock = lengths.data() + static_cast<size_t>(block) * rows;
    const uint64_t end = std::min(matrix.rows, static_cast<uint64_t>((block + 1) * blockWidth_));
    for (uint64_t k = matrix.rowPointers[block * blockWidth_]; k < matrix.rowPointers[end]; ++k)
      ++ofBlock[matrix.columnIndices[k]];
  }
  std::vector<uint64_t> next(static_cast<size_t>(blocks_) * rows);
  uint64_t slot = 0;
  for (Part& part : parts_) {
    part.firstSlot = slot;
    for (int64_t block = 0; block < blocks_; ++block) {
      const size_t at = static_cast<size_t>(block) * rows + static_cast<size_t>(part.rowBegin);
      placeRows(part, block, lengths.data() + at, &slot, next.data() + at);
    }
    part.slots = slot - part.firstSlot;
    slot += kSlack;
  }
  SETNET_TRY(reserveSlots(slot, 0));
  SETNET_TRY(positions_.reserve(values_.size()));
  // Padding reads a slot that holds 0 for ever: the slack of the other form's last part.
  const uint32_t nothing = static_cast<uint32_t>(forward.slots_ - 1);
  for (uint64_t i = 0; i < slot; ++i) {
    positions_[i] = nothing;
    columnOf_[i] = 0;
  }
  for (int64_t block = 0; block < blocks_; ++block) {
    uint64_t* to = next.data() + static_cast<size_t>(block) * rows;
    const uint64_t begin = static_cast<uint64_t>(block * blockWidth_);
    const uint64_t end = std::min(matrix.rows, begin + static_cast<uint64_t>(blockWidth_));
    for (uint64_t r = begin; r < end; ++r) {
      uint64_t k = matrix.rowPointers[r];
      const uint64_t rowEnd = matrix.rowPointers[r + 1];
      for (int64_t b = 0; k < rowEnd; ++b) {
        const uint64_t limit = static_cast<uint64_t>(b + 1) * static_cast<uint64_t>(forward.blockWidth_);
        uint32_t from = starts[static_cast<size_t>(b) * matrix.rows + r];
        for (; k < rowEnd && matrix.columnIndices[k] < limit; ++k, from += kGroupRows) {
          const uint64_t at = to[matrix.columnIndices[k]];
          to[matrix.columnIndices[k]] = at + kGroupRows;
          columnOf_[at] = static_cast<uint16_t>(r - begin);
          positions_[at] = from;
        }
      }
    }
  }
  lengths_ = Buffer<uint16_t>();
  return Status();
}

kernels::GatherArgs PackedMatrix::refresh(const PackedMatrix& forward, int part) {
  const int64_t begin = static_cast<int64_t>(parts_[part].firstSlot);
  return {begin, begin + static_cast<int64_t>(parts_[part].slots), positions_.data(), forward.values_.data(),
          values_.data()};
}

void PackedMatrix::unpack(uint64_t* rowPointers, uint32_t* columnIndices, float* values,
                          float* const* companions) const {
  std::vector<uint64_t> cursor(rows_ + 1, 0);
  for (const Part& part : parts_) {
    const uint64_t end = part.firstGroup + static_cast<uint64_t>(part.groups * blocks_);
    for (uint64_t at = part.firstGroup * kGroupRows; at < end * kGroupRows; ++at)
      cursor[rowOf_[at] + 1] += lengths_[at];
  }
  for (uint64_t r = 0; r < rows_; ++r) cursor[r + 1] += cursor[r];
  if (rowPointers) std::copy(cursor.begin(), cursor.end(), rowPointers);
  for (const Part& part : parts_) {
    uint64_t slot = part.firstSlot, group = part.firstGroup;
    for (int64_t block = 0; block < blocks_; ++block) {
      const uint32_t base = static_cast<uint32_t>(block * blockWidth_);
      for (int64_t g = 0; g < part.groups; ++g, ++group) {
        for (int i = 0; i < kGroupRows; ++i) {
          const uint32_t length = lengths_[group * kGroupRows + i];
          uint64_t& next = cursor[rowOf_[group * kGroupRows + i]];
          uint64_t from = slot + static_cast<uint64_t>(i);
          for (uint32_t k = 0; k < length; ++k, from += kGroupRows) {
            if (columnIndices) columnIndices[next + k] = base + columnOf_[from];
            if (values) values[next + k] = values_[from];
            for (int c = 0; companions && c < companionCount_; ++c)
              if (companions[c]) companions[c][next + k] = companions_[c][from];
          }
          next += length;
        }
        slot += steps_[group] * static_cast<uint64_t>(kGroupRows);
      }
    }
  }
}

uint64_t PackedMatrix::bytes() const {
  uint64_t bytes = rowOf_.bytes() + steps_.bytes() + lengths_.bytes() + columnOf_.bytes() + values_.bytes() +
                   shorts_.bytes() + positions_.bytes();
  for (const Buffer<float>& companion : companions_) bytes += companion.bytes();
  return bytes;
}

kernels::PackedRows PackedMatrix::view(int part) const {
  const Part& p = parts_[part];
  return {blocks_,
          blockWidth_,
          p.groups,
          rowOf_.data() + p.firstGroup * kGroupRows,
          steps_.data() + p.firstGroup,
          lengths_.data() ? lengths_.data() + p.firstGroup * kGroupRows : nullptr,
          columnOf_.data() + p.firstSlot,
          values_.data() ? const_cast<float*>(values_.data()) + p.firstSlot : nullptr,
          shorts_.data() ? shorts_.data() + p.firstSlot : nullptr};
}

}  // namespace setnet::cpu
