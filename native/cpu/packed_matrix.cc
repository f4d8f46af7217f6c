#include "cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/float_bits.h"
#include "cpu/block_width.h"

namespace setnet::cpu {
namespace {

using kernels::kGroupRows;

// The four rows of a group: where each begins in an array of rows, how long it is.
struct GroupRows {
  const uint32_t* rows;
  uint64_t first[kGroupRows];
  uint32_t lengths[kGroupRows];
  uint32_t common;  // steps that all of them have
};

// to[4 k + i] = from[first[i] + k] for k below the row's length, else 0.
void interleave(const float* from, const GroupRows& group, uint32_t steps, float* to) {
  if (!from) {
    std::memset(to, 0, steps * kGroupRows * sizeof(float));
    return;
  }
  const float* row[kGroupRows];
  for (int i = 0; i < kGroupRows; ++i) row[i] = from + group.first[i];
  for (uint32_t k = 0; k < group.common; ++k)
    for (int i = 0; i < kGroupRows; ++i) to[kGroupRows * k + i] = row[i][k];
  for (uint32_t k = group.common; k < steps; ++k)
    for (int i = 0; i < kGroupRows; ++i) to[kGroupRows * k + i] = k < group.lengths[i] ? row[i][k] : 0.0f;
}

// The same for columns, which are made relative to `base`; padding is at the row's last column, or at 0.
template <class Column>
void interleaveColumns(const Column* from, Column base, const GroupRows& group, uint32_t steps, uint16_t* to) {
  const Column* row[kGroupRows];
  for (int i = 0; i < kGroupRows; ++i) row[i] = from + group.first[i];
  for (uint32_t k = 0; k < group.common; ++k)
    for (int i = 0; i < kGroupRows; ++i) to[kGroupRows * k + i] = static_cast<uint16_t>(row[i][k] - base);
  for (uint32_t k = group.common; k < steps; ++k)
    for (int i = 0; i < kGroupRows; ++i)
      to[kGroupRows * k + i] = k < group.lengths[i] ? static_cast<uint16_t>(row[i][k] - base)
                               : k > 0              ? to[kGroupRows * (k - 1) + i]
                                                    : uint16_t{0};
}

// first[r] becomes the place of row r's connections among those of a block that begins at `begin`.
void placesOfRows(const uint32_t* lengths, uint64_t rows, uint64_t begin, uint64_t* first) {
  for (uint64_t r = 0; r < rows; ++r) {
    first[r] = begin;
    begin += lengths[r];
  }
}

// Copies `count` numbers, or where there is room for it some more: the end of a short loop that nobody can predict
// costs more than they do. fromRoom, toRoom: numbers that may be read, and written because what lies there comes later.
template <class From, class To, class Convert>
void copyShort(const From* from, uint64_t fromRoom, uint32_t count, To* to, uint64_t toRoom, const Convert& convert) {
  constexpr uint32_t kAtOnce = 32;
  if (count <= kAtOnce && fromRoom >= kAtOnce && toRoom >= kAtOnce) {
    for (uint32_t k = 0; k < kAtOnce; ++k) to[k] = convert(from[k]);
  } else {
    for (uint32_t k = 0; k < count; ++k) to[k] = convert(from[k]);
  }
}
void copyShort(const float* from, uint64_t fromRoom, uint32_t count, float* to, uint64_t toRoom) {
  copyShort(from, fromRoom, count, to, toRoom, [](float x) { return x; });
}

// The inverse of interleave.
template <class T, class To>
void separate(const T* from, const GroupRows& group, To* to) {
  To* row[kGroupRows];
  for (int i = 0; i < kGroupRows; ++i) row[i] = to + group.first[i];
  for (uint32_t k = 0; k < group.common; ++k)
    for (int i = 0; i < kGroupRows; ++i) row[i][k] = static_cast<To>(from[kGroupRows * k + i]);
  for (int i = 0; i < kGroupRows; ++i)
    for (uint32_t k = group.common; k < group.lengths[i]; ++k) row[i][k] = static_cast<To>(from[kGroupRows * k + i]);
}

}  // namespace

Status PackedMatrix::layOut(uint64_t rows, uint64_t columns, uint64_t count, int64_t blockWidth,
                            const std::vector<int64_t>& cuts) {
  rows_ = rows;
  columns_ = columns;
  count_ = count;
  blockWidth_ = blockWidth;
  blocks_ = columns == 0 ? 1 : (static_cast<int64_t>(columns) + blockWidth_ - 1) / blockWidth_;
  parts_.clear();
  uint64_t groups = 0;
  for (size_t part = 0; part + 1 < cuts.size(); ++part) {
    const int64_t there = (cuts[part + 1] - cuts[part] + kGroupRows - 1) / kGroupRows;
    parts_.push_back({cuts[part], cuts[part + 1], there, groups, 0, 0, {}});
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

Status PackedMatrix::reserveSlots(uint64_t slots, int companionCount, bool isTraining) {
  slots_ = slots;
  companionCount_ = companionCount;
  // In training a little more than now, so that the next evolution finds room.
  const uint64_t room = slots + (isTraining ? slots / 64 : 0) + kPackedSlack;
  SETNET_TRY(columnOf_.reserve(room));
  SETNET_TRY(values_.reserve(room));
  for (int i = 0; i < companionCount; ++i) SETNET_TRY(companions_[i].reserve(room));
  return Status();
}

uint64_t PackedMatrix::fillBlock(const Part& part, int64_t block, const uint64_t* firstOfRow,
                                 const uint32_t* wideColumns, const uint16_t* columns, const float* values,
                                 const float* const* companions, uint64_t to) {
  uint64_t at = part.firstGroup + static_cast<uint64_t>(block * part.groups);
  for (int64_t g = 0; g < part.groups; ++g, ++at) {
    const uint32_t steps = steps_[at];
    GroupRows group;
    group.rows = rowOf_.data() + at * kGroupRows;
    group.common = steps;
    for (int i = 0; i < kGroupRows; ++i) {
      group.first[i] = firstOfRow[group.rows[i]];
      group.lengths[i] = lengths_[at * kGroupRows + i];
      group.common = std::min(group.common, group.lengths[i]);
    }
    if (wideColumns)
      interleaveColumns(wideColumns, uint32_t{0}, group, steps, columnOf_.data() + to);
    else
      interleaveColumns(columns, uint16_t{0}, group, steps, columnOf_.data() + to);
    interleave(values, group, steps, values_.data() + to);
    for (int i = 0; i < companionCount_; ++i)
      interleave(companions ? companions[i] : nullptr, group, steps, companions_[i].data() + to);
    to += steps * static_cast<uint64_t>(kGroupRows);
  }
  return to;
}

Status PackedMatrix::pack(const CsrView& matrix, const PackOptions& options, PackMemory* memory) {
  const std::vector<uint64_t> pointers(matrix.rowPointers.begin(), matrix.rowPointers.end());
  const auto chooseWidth = options.singles ? chooseSingleBlockWidth : chooseBlockWidth;
  SETNET_TRY(layOut(matrix.rows, matrix.columns, matrix.count(),
                    chooseWidth(matrix.rows, matrix.columns, matrix.count()), cutParts(pointers, options.parts)));

  const uint64_t rows = matrix.rows, count = matrix.count();
  memory->lengths.renew(static_cast<uint64_t>(blocks_) * rows);
  memory->cursors.renew(std::max<uint64_t>(rows, static_cast<uint64_t>(blocks_) + 1));
  uint32_t* lengths = memory->lengths.data();
  for (uint64_t r = 0; r < rows; ++r) {
    uint64_t k = pointers[r];
    const uint64_t end = pointers[r + 1];
    for (int64_t block = 0; block < blocks_; ++block) {
      const uint64_t limit = static_cast<uint64_t>(block + 1) * static_cast<uint64_t>(blockWidth_);
      const uint64_t begin = k;
      while (k < end && matrix.columnIndices[k] < limit) ++k;
      lengths[static_cast<uint64_t>(block) * rows + r] = static_cast<uint32_t>(k - begin);
    }
  }
  uint64_t slot = 0;
  for (Part& part : parts_) {
    part.firstSlot = slot;
    for (int64_t block = 0; block < blocks_; ++block) {
      part.slotOfBlock.push_back(slot);
      placeRows(part, block, lengths + static_cast<uint64_t>(block) * rows + part.rowBegin, &slot,
                memory->cursors.data());
    }
    part.slots = slot - part.firstSlot;
    slot += kPackedSlack;
  }
  SETNET_TRY(reserveSlots(slot, options.companionCount, options.updatable));

  std::vector<uint64_t> to;
  for (const Part& part : parts_) to.push_back(part.firstSlot);
  if (blocks_ == 1) {
    for (size_t p = 0; p < parts_.size(); ++p)
      to[p] = fillBlock(parts_[p], 0, matrix.rowPointers.data(), matrix.columnIndices.data(), nullptr,
                        matrix.values.data(), options.companions, to[p]);
  } else {
    // Rows of a block in the order of their lengths lie all over the matrix. So first the matrix is laid out block
    // after block, which reads and writes in streams; the rows of one block then are near each other.
    const float* companions[kMaxCompanions] = {};
    memory->columns.renew(count);
    memory->values.renew(count);
    for (int i = 0; i < options.companionCount && options.companions; ++i) {
      memory->companions[i].renew(count);
      companions[i] = memory->companions[i].data();
    }
    uint64_t* next = memory->cursors.data();
    std::vector<uint64_t> ends(static_cast<size_t>(blocks_));
    uint64_t begin = 0;
    for (int64_t block = 0; block < blocks_; ++block) {
      next[block] = begin;
      for (uint64_t r = 0; r < rows; ++r) begin += lengths[static_cast<uint64_t>(block) * rows + r];
      ends[static_cast<size_t>(block)] = begin;
    }
    for (uint64_t r = 0; r < rows; ++r) {
      uint64_t k = pointers[r];
      for (int64_t block = 0; block < blocks_; ++block) {
        const uint32_t length = lengths[static_cast<uint64_t>(block) * rows + r];
        const uint32_t base = static_cast<uint32_t>(block * blockWidth_);
        const uint64_t at = next[block];
        next[block] += length;
        const uint64_t fromRoom = count - k, toRoom = ends[block] - at;
        copyShort(matrix.columnIndices.data() + k, fromRoom, length, memory->columns.data() + at, toRoom,
                  [&](uint32_t column) { return static_cast<uint16_t>(column - base); });
        copyShort(matrix.values.data() + k, fromRoom, length, memory->values.data() + at, toRoom);
        for (int i = 0; i < options.companionCount && options.companions; ++i)
          copyShort(options.companions[i] + k, fromRoom, length, memory->companions[i].data() + at, toRoom);
        k += length;
      }
    }
    begin = 0;
    for (int64_t block = 0; block < blocks_; ++block) {
      const uint32_t* ofBlock = lengths + static_cast<uint64_t>(block) * rows;
      uint64_t* first = memory->cursors.data();
      placesOfRows(ofBlock, rows, begin, first);
      if (rows > 0) begin = first[rows - 1] + ofBlock[rows - 1];
      for (size_t p = 0; p < parts_.size(); ++p)
        to[p] = fillBlock(parts_[p], block, first, nullptr, memory->columns.data(), memory->values.data(),
                          options.companions ? companions : nullptr, to[p]);
    }
  }
  for (size_t p = 0; p < parts_.size(); ++p) {
    std::memset(columnOf_.data() + to[p], 0, kPackedSlack * sizeof(uint16_t));
    std::memset(values_.data() + to[p], 0, kPackedSlack * sizeof(float));
    for (int i = 0; i < companionCount_; ++i)
      std::memset(companions_[i].data() + to[p], 0, kPackedSlack * sizeof(float));
  }
  if (!options.updatable) lengths_ = Buffer<uint16_t>();
  if (options.bfloat16) {
    SETNET_TRY(shorts_.reserve(slot));
    for (uint64_t k = 0; k < slot; ++k) shorts_[k] = toBfloat16(values_[k]);
    values_ = Buffer<float>();
  }
  return Status();
}

Status PackedMatrix::packTransposed(const CsrView& matrix, const PackedMatrix& forward, int parts, PackMemory* memory) {
  constexpr uint64_t kMostSlots = 0xFFFFFFFFull;
  if (forward.slots_ > kMostSlots)
    return Status(Code::Memory, "a layer of " + std::to_string(matrix.count()) +
                                    " connections is too large to be trained; positions have 32 bits");
  // Rows of the transpose are the columns here.
  const uint64_t rows = matrix.columns;
  std::vector<uint64_t> pointers(rows + 1, 0);
  for (uint64_t k = 0; k < matrix.count(); ++k) ++pointers[matrix.columnIndices[k] + 1];
  for (uint64_t c = 0; c < rows; ++c) pointers[c + 1] += pointers[c];
  SETNET_TRY(layOut(rows, matrix.rows, matrix.count(), chooseBlockWidth(rows, matrix.rows, matrix.count()),
                    cutParts(pointers, parts)));

  // Of the forward form: the first slot of every row in every block.
  memory->starts.renew(static_cast<uint64_t>(forward.blocks_) * matrix.rows);
  uint32_t* starts = memory->starts.data();
  for (const Part& part : forward.parts_) {
    uint64_t slot = part.firstSlot, group = part.firstGroup;
    for (int64_t block = 0; block < forward.blocks_; ++block) {
      uint32_t* ofBlock = starts + static_cast<size_t>(block) * matrix.rows;
      for (int64_t g = 0; g < part.groups; ++g, ++group) {
        // From the last one on: a row that is repeated keeps its first place.
        for (int i = kGroupRows - 1; i >= 0; --i)
          ofBlock[forward.rowOf_[group * kGroupRows + i]] = static_cast<uint32_t>(slot + static_cast<uint64_t>(i));
        slot += forward.steps_[group] * static_cast<uint64_t>(kGroupRows);
      }
    }
  }

  // Lengths: connections of every column among the rows of a block (of the transpose).
  const uint64_t lengthCount = static_cast<uint64_t>(blocks_) * rows;
  memory->lengths.renew(lengthCount);
  memory->cursors.renew(lengthCount);
  uint32_t* lengths = memory->lengths.data();
  std::fill_n(lengths, lengthCount, 0u);
  for (int64_t block = 0; block < blocks_; ++block) {
    uint32_t* ofBlock = lengths + static_cast<size_t>(block) * rows;
    const uint64_t end = std::min(matrix.rows, static_cast<uint64_t>((block + 1) * blockWidth_));
    for (uint64_t k = matrix.rowPointers[block * blockWidth_]; k < matrix.rowPointers[end]; ++k)
      ++ofBlock[matrix.columnIndices[k]];
  }
  uint64_t* next = memory->cursors.data();
  uint64_t slot = 0;
  for (Part& part : parts_) {
    part.firstSlot = slot;
    for (int64_t block = 0; block < blocks_; ++block) {
      const size_t at = static_cast<size_t>(block) * rows + static_cast<size_t>(part.rowBegin);
      placeRows(part, block, lengths + at, &slot, next + at);
    }
    part.slots = slot - part.firstSlot;
    slot += kPackedSlack;
  }
  SETNET_TRY(reserveSlots(slot, 0, true));
  SETNET_TRY(positions_.reserve(values_.size()));
  // Padding reads a slot that holds 0 for ever: the slack of the other form's last part.
  const uint32_t nothing = static_cast<uint32_t>(forward.slots_ - 1);
  for (uint64_t i = 0; i < slot; ++i) {
    positions_[i] = nothing;
    columnOf_[i] = 0;
  }
  for (int64_t block = 0; block < blocks_; ++block) {
    uint64_t* to = next + static_cast<size_t>(block) * rows;
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

Status PackedMatrix::unpack(uint64_t* rowPointers, uint32_t* columnIndices, float* values, float* const* companions,
                            PackMemory* memory) const {
  // Lengths by block and row, which the groups hold in the order of the lengths.
  const uint64_t lengthCount = static_cast<uint64_t>(blocks_) * rows_;
  memory->lengths.renew(lengthCount);
  memory->cursors.renew(rows_ + 1);
  uint32_t* lengths = memory->lengths.data();
  uint64_t* cursor = memory->cursors.data();
  std::fill_n(lengths, lengthCount, 0u);  // none of an empty matrix
  for (const Part& part : parts_) {
    uint64_t at = part.firstGroup * kGroupRows;
    for (int64_t block = 0; block < blocks_; ++block)
      for (int64_t lane = 0; lane < part.groups * kGroupRows; ++lane, ++at)
        lengths[static_cast<uint64_t>(block) * rows_ + rowOf_[at]] += lengths_[at];
  }
  cursor[0] = 0;
  for (uint64_t r = 0; r < rows_; ++r) {
    uint64_t length = 0;
    for (int64_t block = 0; block < blocks_; ++block) length += lengths[static_cast<uint64_t>(block) * rows_ + r];
    cursor[r + 1] = cursor[r] + length;
  }
  if (rowPointers) std::copy(cursor, cursor + rows_ + 1, rowPointers);

  // As in pack: block after block first, where there are several.
  const bool direct = blocks_ == 1;
  uint32_t* wide = columnIndices;
  uint16_t* columns = nullptr;
  float* numbers[1 + kMaxCompanions] = {values};
  for (int i = 0; i < companionCount_; ++i) numbers[1 + i] = companions ? companions[i] : nullptr;
  float* final[1 + kMaxCompanions];
  std::copy(numbers, numbers + 1 + kMaxCompanions, final);
  if (!direct) {
    if (columnIndices) {
      memory->columns.renew(count_);
      columns = memory->columns.data();
    }
    for (int i = 0; i < 1 + companionCount_; ++i) {
      if (!numbers[i]) continue;
      numbers[i] = (i == 0 ? memory->values : memory->companions[i - 1]).renew(count_);
    }
  }
  const float* slots[1 + kMaxCompanions] = {values_.data()};
  for (int i = 0; i < companionCount_; ++i) slots[1 + i] = companions_[i].data();
  std::vector<uint64_t> from;
  for (const Part& part : parts_) from.push_back(part.firstSlot);
  uint64_t begin = 0;
  for (int64_t block = 0; block < blocks_; ++block) {
    const uint32_t* ofBlock = lengths + static_cast<uint64_t>(block) * rows_;
    if (!direct) {
      placesOfRows(ofBlock, rows_, begin, cursor);
      if (rows_ > 0) begin = cursor[rows_ - 1] + ofBlock[rows_ - 1];
    }
    for (size_t p = 0; p < parts_.size(); ++p) {
      uint64_t at = parts_[p].firstGroup + static_cast<uint64_t>(block * parts_[p].groups);
      for (int64_t g = 0; g < parts_[p].groups; ++g, ++at) {
        GroupRows group;
        group.common = steps_[at];
        for (int i = 0; i < kGroupRows; ++i) {
          group.first[i] = cursor[rowOf_[at * kGroupRows + i]];
          group.lengths[i] = lengths_[at * kGroupRows + i];
          group.common = std::min(group.common, group.lengths[i]);
        }
        if (direct && wide)
          separate(columnOf_.data() + from[p], group, wide);
        else if (columns)
          separate(columnOf_.data() + from[p], group, columns);
        for (int n = 0; n < 1 + companionCount_; ++n)
          if (numbers[n]) separate(slots[n] + from[p], group, numbers[n]);
        from[p] += steps_[at] * static_cast<uint64_t>(kGroupRows);
      }
    }
  }
  if (direct) return Status();
  std::vector<uint64_t> next(static_cast<size_t>(blocks_));
  begin = 0;
  for (int64_t block = 0; block < blocks_; ++block) {
    next[static_cast<size_t>(block)] = begin;
    for (uint64_t r = 0; r < rows_; ++r) begin += lengths[static_cast<uint64_t>(block) * rows_ + r];
  }
  uint64_t to = 0;
  for (uint64_t r = 0; r < rows_; ++r) {
    for (int64_t block = 0; block < blocks_; ++block) {
      const uint32_t length = lengths[static_cast<uint64_t>(block) * rows_ + r];
      const uint32_t base = static_cast<uint32_t>(block * blockWidth_);
      const uint64_t at = next[static_cast<size_t>(block)];
      next[static_cast<size_t>(block)] += length;
      const uint64_t fromRoom = count_ - at, toRoom = count_ - to;
      if (columnIndices)
        copyShort(columns + at, fromRoom, length, columnIndices + to, toRoom,
                  [&](uint16_t column) { return base + column; });
      for (int n = 0; n < 1 + companionCount_; ++n)
        if (numbers[n]) copyShort(numbers[n] + at, fromRoom, length, final[n] + to, toRoom);
      to += length;
    }
  }
  return Status();
}

uint64_t PackMemory::bytes() const {
  uint64_t bytes = lengths.size() * sizeof(uint32_t) + cursors.size() * sizeof(uint64_t) +
                   starts.size() * sizeof(uint32_t) + columns.size() * sizeof(uint16_t) + values.size() * sizeof(float);
  for (const Array<float>& companion : companions) bytes += companion.size() * sizeof(float);
  return bytes;
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
          shorts_.data() ? shorts_.data() + p.firstSlot : nullptr,
          static_cast<int64_t>(p.slots),
          nullptr};
}

kernels::PackedRows PackedMatrix::view(int part, int64_t block) const {
  kernels::PackedRows rows = view(part);
  const Part& p = parts_[part];
  const uint64_t slots = p.slotOfBlock[static_cast<size_t>(block)] - p.firstSlot;
  rows.blocks = 1;
  rows.rows += block * p.groups * kGroupRows;
  rows.steps += block * p.groups;
  if (rows.lengths) rows.lengths += block * p.groups * kGroupRows;
  rows.columns += slots;
  if (rows.values) rows.values += slots;
  if (rows.shorts) rows.shorts += slots;
  const uint64_t end = block + 1 < blocks_ ? p.slotOfBlock[static_cast<size_t>(block + 1)] - p.firstSlot : p.slots;
  rows.slots = static_cast<int64_t>(end - slots);
  return rows;
}

}  // namespace setnet::cpu
