// Rows of a sparse matrix on their way into panels: what is not there is never touched, however many columns there are.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "core/model.h"
#include "cpu/buffer.h"
#include "cpu/packed_matrix.h"
#include "kernels/kernel_args.h"

namespace setnet::cpu {

// One number of a sparse row as an input: scaled (the scaling has no mean: core::checkSparseScaling), 0 where it means
// missing. *finite becomes false where it is not finite.
class SparseScaling {
 public:
  explicit SparseScaling(const core::Scaling& scaling);
  float operator()(float value, uint32_t column, bool* finite) const;

 private:
  const float* scale_;  // null: none
  bool perFeature_, hasMissing_, missesNan_;
  float missing_;
};

// Code::Nonfinite for the number in this row and column, which is not finite any more when it is scaled.
Status sparseNonfinite(uint64_t row, uint32_t column, float value);

// Positions [first, first + count) of sparse rows, walked by blocks of ascending columns: each number is read once.
// Every number of a block is written into panels [column of the block][width] that hold zeros, and taken back when the
// block has been used.
class SparseCursors {
 public:
  SparseCursors(const backend::RowSet& rows, uint64_t first, int64_t count)
      : rows_(rows), first_(first), count_(count) {}
  // The numbers up to column `end`; columns below `begin` have been walked. Code::Nonfinite.
  Status write(const SparseScaling& scaling, int64_t begin, int64_t end, float* panel, int64_t width);
  // Zeros where the last write wrote.
  void takeBack(int64_t begin, float* panel, int64_t width);

 private:
  static constexpr int kMostRows = 2 * kernels::kLanes;
  const backend::RowSet& rows_;
  const uint64_t first_;
  const int64_t count_;
  uint64_t began_[kMostRows] = {}, next_[kMostRows] = {};  // numbers of each row before and after the last write
};

// The numbers that are not 0 of a batch of dense rows, where there are few of them.
class DenseNonzeros {
 public:
  // The same batch as rows of a sparse matrix, which lives as long as this and until the next call. `rows` itself where
  // more than `most` numbers are not 0, or one of them is not finite (which is then for others to say).
  backend::RowSet gather(const backend::RowSet& rows, uint64_t most);

 private:
  std::vector<uint64_t> rowPointers_;
  std::vector<uint32_t> columns_;
  std::vector<float> values_;
};

// A batch's inputs without those that are 0 in all of its samples, for a packed layer: for each block of columns a row
// of zeros, and then the inputs that are not 0 in all samples, in any order. The layer's columns are numbered anew,
// those of all other inputs 0. The order of connections stays, and so does every sum.
class LiveInputs {
 public:
  // Numbers the inputs of these rows of a sparse matrix; `packed` as it is now. Code::Memory.
  Status begin(const backend::RowSet& rows, const PackedMatrix& packed);
  // The new columns of one part of `packed`. Any thread, each part once.
  void renumber(const PackedMatrix& packed, int part);
  // Positions [first, first + count) of the rows into the panels, which are as begin says. Code::Nonfinite.
  Status pack(const core::Scaling& scaling, const backend::RowSet& rows, uint64_t first, uint64_t count,
              const kernels::Panels& out) const;

  // Rows of a panel.
  int64_t features() const { return features_; }
  // What the kernels walk instead of packed.view(part).
  kernels::PackedRows view(const PackedMatrix& packed, int part) const;

 private:
  int64_t place(uint32_t column) const { return firstRows_[column / blockWidth_] + numbers_[column]; }

  uint32_t blockWidth_ = 1;
  int64_t features_ = 0;
  Buffer<uint16_t> numbers_;        // [input] its row among those of its block; 0: none
  Buffer<uint16_t> columns_;        // [slot]
  std::vector<uint32_t> seen_;      // inputs that have a number
  std::vector<int64_t> firstRows_;  // [block] of a panel
};

}  // namespace setnet::cpu
