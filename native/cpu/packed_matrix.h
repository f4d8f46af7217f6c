// Packed matrices: the form in which sparse weights are computed (kernel_args.h says how they lie), made from the
// canonical one and turned back into it. The order of connections within a row stays ascending, so that results do not
// depend on how a matrix was packed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/array.h"
#include "base/span.h"
#include "base/status.h"
#include "core/csr.h"
#include "cpu/buffer.h"
#include "cpu/partition.h"
#include "kernels/kernel_args.h"

namespace setnet::cpu {

using core::CsrView;

// Numbers that lie beside the values: optimizer state.
constexpr int kMaxCompanions = rules::kMaxOptimizerState;

// Memory that packing needs while it runs; kept by who packs often. Packing throws std::bad_alloc where it cannot be
// had.
struct PackMemory {
  Array<uint32_t> lengths;  // [block][row]
  Array<uint64_t> cursors;
  Array<uint32_t> starts;
  Array<uint16_t> columns;  // of all connections, block after block
  Array<float> values, companions[kMaxCompanions];

  uint64_t bytes() const;
};

// Kernels read the columns of up to 15 steps behind a group's end.
constexpr uint64_t kPackedSlack = 64;

struct PackOptions {
  int parts = 1;  // of about equally many connections, each a range of rows that a thread computes by itself
  int companionCount = 0;
  const float* const* companions = nullptr;  // each as long as the matrix has connections; null: zeros
  bool updatable = false;                    // kernels that update need the rows' lengths, and so does unpack
  bool bfloat16 = false;                     // values are rounded (base/float_bits.h); for products only
  bool singles = false;                      // blocks as wide as products of single samples want them
};

class PackedMatrix {
 public:
  // Memory of an earlier packing is used again. Code::Memory.
  Status pack(const CsrView& matrix, const PackOptions& options, PackMemory* memory);
  Status pack(const CsrView& matrix, const PackOptions& options) {
    PackMemory memory;
    return pack(matrix, options, &memory);
  }

  // Packs the transpose of `forward`, which was packed from `matrix`: same connections, rows and columns exchanged.
  // Values are not there before refresh.
  Status packTransposed(const CsrView& matrix, const PackedMatrix& forward, int parts, PackMemory* memory);
  // Where the values of part `part` are found among those of `forward`: a gather (kernel_args.h) does the rest.
  kernels::GatherArgs refresh(const PackedMatrix& forward, int part);

  // The canonical form: columnIndices and values, and companions[i], have room for count() numbers; rowPointers for
  // rows() + 1. Null: not wanted. Code::Memory.
  Status unpack(uint64_t* rowPointers, uint32_t* columnIndices, float* values, float* const* companions,
                PackMemory* memory) const;

  uint64_t rows() const { return rows_; }
  uint64_t columns() const { return columns_; }
  uint64_t count() const { return count_; }
  uint64_t bytes() const;
  int parts() const { return static_cast<int>(parts_.size()); }
  // The rows of a part.
  Range rowsOf(int part) const { return {parts_[part].rowBegin, parts_[part].rowEnd}; }
  kernels::PackedRows view(int part) const;
  // One block of columns of a part.
  kernels::PackedRows view(int part, int64_t block) const;
  int64_t blocks() const { return blocks_; }
  Range columnsOf(int64_t block) const {
    return {block * blockWidth_, std::min(static_cast<int64_t>(columns_), (block + 1) * blockWidth_)};
  }
  // Where a part's columns and values begin among all of them, and how many numbers there are, slack included.
  uint64_t firstSlotOf(int part) const { return parts_[part].firstSlot; }
  uint64_t columnSlots() const { return slots_ + kPackedSlack; }
  float* companion(int part, int i) { return companions_[i].data() + parts_[part].firstSlot; }
  // All values and companions, padding (zeros) included.
  Span<const float> slots() const { return {values_.data(), slots_}; }
  Span<const float> companionSlots(int i) const { return {companions_[i].data(), slots_}; }
  void clearCompanion(int i) { std::fill_n(companions_[i].data(), slots_, 0.0f); }
  int companionCount() const { return companionCount_; }

 private:
  struct Part {
    int64_t rowBegin, rowEnd;
    int64_t groups;       // of each block
    uint64_t firstGroup;  // in rowOf_ (times 4), lengths_ (times 4) and steps_
    uint64_t firstSlot;   // in columns_, values_ and companions_
    uint64_t slots;
    std::vector<uint64_t> slotOfBlock;
  };

  Status layOut(uint64_t rows, uint64_t columns, uint64_t count, int64_t blockWidth, const std::vector<int64_t>& cuts);
  // Groups the rows of one block of a part by the lengths given; starts[r - rowBegin] becomes the row's first slot.
  void placeRows(const Part& part, int64_t block, const uint32_t* lengths, uint64_t* slot, uint64_t* starts);
  // One block of a part: what lies row by row, as `lengths` says, to slots from `to` on. Gives the slot behind them.
  uint64_t fillBlock(const Part& part, int64_t block, const uint64_t* firstOfRow, const uint32_t* wideColumns,
                     const uint16_t* columns, const float* values, const float* const* companions, uint64_t to);
  Status reserveSlots(uint64_t slots, int companionCount, bool isTraining);

  uint64_t rows_ = 0, columns_ = 0, count_ = 0, slots_ = 0;
  int64_t blocks_ = 0, blockWidth_ = 0;
  int companionCount_ = 0;
  std::vector<Part> parts_;
  Buffer<uint32_t> rowOf_, steps_;
  Buffer<uint16_t> lengths_;
  Buffer<uint16_t> columnOf_;
  Buffer<float> values_;
  Buffer<uint16_t> shorts_;  // instead of values_
  Buffer<float> companions_[kMaxCompanions];
  Buffer<uint32_t> positions_;  // transposed: slots of the other form
};

}  // namespace setnet::cpu
