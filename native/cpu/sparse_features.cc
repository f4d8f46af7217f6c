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

namespace {

// Calls found(column, value) for the numbers of a row that are not 0. Most are: they are passed over by words.
template <class T, class Found>
void eachNonzero(const T* row, uint64_t columns, const Found& found) {
  constexpr uint64_t kWord = sizeof(uint64_t) / sizeof(T);
  uint64_t c = 0;
  for (; c + kWord <= columns; c += kWord) {
    uint64_t word;
    std::memcpy(&word, row + c, sizeof word);
    if (word == 0) continue;
    for (uint64_t i = c; i < c + kWord; ++i)
      if (row[i] != 0) found(i, static_cast<float>(row[i]));
  }
  for (; c < columns; ++c)
    if (row[c] != 0) found(c, static_cast<float>(row[c]));
}

template <class Found>
void eachNonzero(const backend::MatrixView& matrix, uint64_t row, const Found& found) {
  const uint64_t at = row * matrix.columns;
  switch (matrix.type) {
    case backend::DataType::Float32:
      return eachNonzero(static_cast<const float*>(matrix.data) + at, matrix.columns, found);
    case backend::DataType::Float64:
      return eachNonzero(static_cast<const double*>(matrix.data) + at, matrix.columns, found);
    case backend::DataType::Uint8:
      return eachNonzero(static_cast<const uint8_t*>(matrix.data) + at, matrix.columns, found);
    case backend::DataType::Int8:
      return eachNonzero(static_cast<const int8_t*>(matrix.data) + at, matrix.columns, found);
    case backend::DataType::Uint16:
      return eachNonzero(static_cast<const uint16_t*>(matrix.data) + at, matrix.columns, found);
    case backend::DataType::Int16:
      return eachNonzero(static_cast<const int16_t*>(matrix.data) + at, matrix.columns, found);
  }
}

}  // namespace

RowSet DenseNonzeros::gather(const RowSet& rows, uint64_t most) {
  rowPointers_.assign(1, 0);
  columns_.clear();
  values_.clear();
  bool finite = true;
  for (uint64_t k = 0; k < rows.count; ++k) {
    eachNonzero(rows.matrix, rows.row(k), [&](uint64_t column, float value) {
      finite = finite && std::isfinite(value);
      columns_.push_back(static_cast<uint32_t>(column));
      values_.push_back(value);
    });
    if (!finite || columns_.size() > most) return rows;
    rowPointers_.push_back(columns_.size());
  }
  RowSet sparse;
  sparse.matrix = {values_.data(),      backend::DataType::Float32, rows.count,
                   rows.matrix.columns, rowPointers_.data(),        columns_.data()};
  sparse.count = rows.count;
  return sparse;
}

Status LiveInputs::begin(const RowSet& rows, const PackedMatrix& packed) {
  const size_t blocks = static_cast<size_t>(packed.blocks());
  blockWidth_ = static_cast<uint32_t>(std::max<int64_t>(1, packed.columnsOf(0).end));
  SETNET_TRY(numbers_.reserve(packed.columns()));
  for (uint32_t column : seen_) numbers_[column] = 0;
  seen_.clear();
  std::vector<int64_t>& counts = firstRows_;
  counts.assign(blocks, 0);
  for (uint64_t k = 0; k < rows.count; ++k) {
    const SparseRow row = rows.matrix.sparseRow(rows.row(k));
    for (uint64_t i = 0; i < row.count; ++i) {
      uint16_t& number = numbers_[row.columns[i]];
      if (number != 0) continue;
      seen_.push_back(row.columns[i]);
      number = static_cast<uint16_t>(++counts[row.columns[i] / blockWidth_]);
    }
  }
  features_ = 0;
  for (int64_t& first : firstRows_) {
    const int64_t count = first + 1;
    first = features_;
    features_ += count;
  }
  return columns_.reserve(packed.columnSlots());
}

void LiveInputs::renumber(const PackedMatrix& packed, int part) {
  uint64_t slot = packed.firstSlotOf(part);
  for (int64_t block = 0; block < packed.blocks(); ++block) {
    const kernels::PackedRows rows = packed.view(part, block);
    const uint16_t* numbers = numbers_.data() + packed.columnsOf(block).begin;
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
  rows.xRows = firstRows_.data();
  return rows;
}

}  // namespace setnet::cpu
