#include "cpu/sparse_features.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace setnet::cpu {

using backend::RowSet;
using backend::SparseRow;

SparseScaling::SparseScaling(const core::Scaling& scaling)
    : scale_(scaling.kind == core::Scaling::Kind::None ? nullptr : scaling.scale.data()),
      perFeature_(scaling.scale.size() > 1),
      hasMissing_(scaling.hasMissing),
      missesNan_(std::isnan(scaling.missing)),
      missing_(static_cast<float>(scaling.missing)) {}

float SparseScaling::operator()(float value, uint32_t column, bool* finite) const {
  // There is no NaN in a matrix.
  if (hasMissing_ && !missesNan_ && value == missing_) return 0;
  if (!scale_) return value;
  const float scaled = value * scale_[perFeature_ ? column : 0];
  *finite = *finite && std::isfinite(scaled);
  return scaled;
}

Status sparseNonfinite(uint64_t row, uint32_t column, float value) {
  return Status(Code::Nonfinite, "the feature in row " + std::to_string(row) + ", column " + std::to_string(column) +
                                     " is " + std::to_string(value) + " and leaves the finite f32 numbers when scaled");
}

Status SparseCursors::write(const SparseScaling& scaling, int64_t begin, int64_t end, float* panel, int64_t width) {
  for (int64_t lane = 0; lane < count_; ++lane) {
    const uint64_t number = rows_.row(first_ + static_cast<uint64_t>(lane));
    const SparseRow row = rows_.matrix.sparseRow(number);
    uint64_t k = began_[lane] = next_[lane];
    for (; k < row.count && row.columns[k] < end; ++k) {
      bool finite = true;
      panel[(row.columns[k] - begin) * width + lane] = scaling(row.values[k], row.columns[k], &finite);
      if (!finite) return sparseNonfinite(number, row.columns[k], row.values[k]);
    }
    next_[lane] = k;
  }
  return Status();
}

void SparseCursors::takeBack(int64_t begin, float* panel, int64_t width) {
  for (int64_t lane = 0; lane < count_; ++lane) {
    const SparseRow row = rows_.matrix.sparseRow(rows_.row(first_ + static_cast<uint64_t>(lane)));
    for (uint64_t k = began_[lane]; k < next_[lane]; ++k) panel[(row.columns[k] - begin) * width + lane] = 0;
  }
}

Status LiveInputs::begin(const RowSet& rows, const PackedMatrix& packed) {
  blocks_ = packed.blocks();
  blockWidth_ = std::max<int64_t>(1, packed.columnsOf(0).end);
  SETNET_TRY(numbers_.reserve(packed.columns()));
  for (uint32_t column : seen_) numbers_[column] = 0;
  seen_.clear();
  counts_.assign(static_cast<size_t>(blocks_), 0);
  for (uint64_t k = 0; k < rows.count; ++k) {
    const SparseRow row = rows.matrix.sparseRow(rows.row(k));
    for (uint64_t i = 0; i < row.count; ++i) {
      uint16_t& number = numbers_[row.columns[i]];
      if (number != 0) continue;
      seen_.push_back(row.columns[i]);
      number = static_cast<uint16_t>(++counts_[static_cast<size_t>(row.columns[i] / blockWidth_)]);
    }
  }
  width_ = 1 + *std::max_element(counts_.begin(), counts_.end());
  return columns_.reserve(packed.columnSlots());
}

void LiveInputs::renumber(const PackedMatrix& packed, int part) {
  uint64_t slot = packed.firstSlotOf(part);
  for (int64_t block = 0; block < blocks_; ++block) {
    const kernels::PackedRows rows = packed.view(part, block);
    const uint16_t* numbers = numbers_.data() + block * blockWidth_;
    uint16_t* to = columns_.data() + slot;
    for (int64_t k = 0; k < rows.slots; ++k) to[k] = numbers[rows.columns[k]];
    slot += static_cast<uint64_t>(rows.slots);
  }
  std::memset(columns_.data() + slot, 0, kPackedSlack * sizeof(uint16_t));
}

Status LiveInputs::pack(const core::Scaling& scaling, const RowSet& rows, uint64_t first, uint64_t count,
                        const kernels::Panels& out) const {
  const SparseScaling scaled(scaling);
  for (uint64_t begin = 0; begin < count; begin += static_cast<uint64_t>(out.width)) {
    float* panel = out.data + static_cast<int64_t>(begin) / out.width * out.stride;
    std::memset(panel, 0, static_cast<size_t>(features() * out.width) * sizeof(float));
    const uint64_t there = std::min(count - begin, static_cast<uint64_t>(out.width));
    for (uint64_t lane = 0; lane < there; ++lane) {
      const uint64_t number = rows.row(first + begin + lane);
      const SparseRow row = rows.matrix.sparseRow(number);
      for (uint64_t k = 0; k < row.count; ++k) {
        bool finite = true;
        panel[place(row.columns[k]) * out.width + static_cast<int64_t>(lane)] =
            scaled(row.values[k], row.columns[k], &finite);
        if (!finite) return sparseNonfinite(number, row.columns[k], row.values[k]);
      }
    }
  }
  return Status();
}

kernels::PackedRows LiveInputs::view(const PackedMatrix& packed, int part) const {
  kernels::PackedRows rows = packed.view(part);
  rows.columns = columns_.data() + packed.firstSlotOf(part);
  rows.blockWidth = width_;
  return rows;
}

}  // namespace setnet::cpu
