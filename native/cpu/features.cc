#include "cpu/features.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "cpu/partition.h"
#include "cpu/pool/pool.h"
#include "cpu/sparse_features.h"

namespace setnet::cpu {

using backend::DataType;
using backend::MatrixView;
using backend::RowSet;
using kernels::Element;

namespace {

Element elementOf(DataType type) {
  switch (type) {
    case DataType::Float32:
      return Element::Float32;
    case DataType::Float64:
      return Element::Float64;
    case DataType::Uint8:
      return Element::Uint8;
    case DataType::Int8:
      return Element::Int8;
    case DataType::Uint16:
      return Element::Uint16;
    case DataType::Int16:
      return Element::Int16;
  }
  return Element::Float32;
}

// Every data type fits into a double without loss.
double elementAt(const MatrixView& matrix, uint64_t index) {
  switch (matrix.type) {
    case DataType::Float32:
      return static_cast<const float*>(matrix.data)[index];
    case DataType::Float64:
      return static_cast<const double*>(matrix.data)[index];
    case DataType::Uint8:
      return static_cast<const uint8_t*>(matrix.data)[index];
    case DataType::Int8:
      return static_cast<const int8_t*>(matrix.data)[index];
    case DataType::Uint16:
      return static_cast<const uint16_t*>(matrix.data)[index];
    case DataType::Int16:
      return static_cast<const int16_t*>(matrix.data)[index];
  }
  return 0;
}

// The kernel only knows that something is not finite; here it is found and named.
Status nameNonfinite(const core::Scaling& scaling, const RowSet& rows, uint64_t first, uint64_t count) {
  const bool scaled = scaling.kind != core::Scaling::Kind::None;
  const float missing = static_cast<float>(scaling.missing);
  for (uint64_t k = first; k < first + count; ++k) {
    const uint64_t row = rows.row(k);
    for (uint64_t column = 0; column < rows.matrix.columns; ++column) {
      const double raw = elementAt(rows.matrix, row * rows.matrix.columns + column);
      const float value = static_cast<float>(raw);
      if (scaling.hasMissing && (std::isnan(missing) ? std::isnan(value) : value == missing)) continue;
      float result = value;
      if (scaled) {
        const float centred = value - scaling.mean[scaling.mean.size() == 1 ? 0 : column];
        result = centred * scaling.scale[scaling.scale.size() == 1 ? 0 : column];
      }
      if (std::isfinite(result)) continue;
      return Status(
          Code::Nonfinite,
          "the feature in row " + std::to_string(row) + ", column " + std::to_string(column) + " is " +
              std::to_string(raw) +
              (std::isfinite(value) ? " and leaves the finite f32 numbers when scaled"
                                    : "; features must be finite f32 numbers (mark unknown values with `missing`)"));
    }
  }
  return Status(Code::Internal,
                "a feature is not finite, but only until it was looked for: the data is being written to");
}

}  // namespace

Status checkScaling(const core::Scaling& scaling) {
  if (scaling.kind != core::Scaling::Kind::None && !scaling.known)
    return Status(Code::State, "the scaling of the inputs is not known yet: fit learns it");
  return Status();
}

Status checkRows(const RowSet& rows, uint64_t inputs) {
  if (rows.matrix.columns != inputs)
    return Status(Code::Shape, "the rows have " + std::to_string(rows.matrix.columns) + " columns; the network has " +
                                   std::to_string(inputs) + " inputs");
  if (!rows.indices) {
    if (rows.count > rows.matrix.rows || rows.first > rows.matrix.rows - rows.count)
      return Status(Code::Shape,
                    "rows " + std::to_string(rows.first) + " to " + std::to_string(rows.first + rows.count) +
                        " (exclusive) are asked for; the matrix has " + std::to_string(rows.matrix.rows) + " rows");
    return Status();
  }
  for (uint64_t k = 0; k < rows.count; ++k)
    if (rows.indices[k] >= rows.matrix.rows)
      return Status(Code::Shape, "position " + std::to_string(k) + " of the batch asks for row " +
                                     std::to_string(rows.indices[k]) + "; the matrix has " +
                                     std::to_string(rows.matrix.rows) + " rows");
  return Status();
}

namespace {

kernels::PackRowsArgs packArguments(const core::Scaling& scaling, const RowSet& rows, uint64_t first, uint64_t count,
                                    const kernels::Panels& out) {
  const bool scaled = scaling.kind != core::Scaling::Kind::None;
  kernels::PackRowsArgs args = {};
  args.type = elementOf(rows.matrix.type);
  args.data = rows.matrix.data;
  args.columns = static_cast<int64_t>(rows.matrix.columns);
  args.indices = rows.indices ? rows.indices + first : nullptr;
  args.first = rows.first + first;
  args.samples = static_cast<int64_t>(count);
  args.mean = scaled ? scaling.mean.data() : nullptr;
  args.scale = scaled ? scaling.scale.data() : nullptr;
  args.perFeature = scaling.mean.size() > 1;
  args.hasMissing = scaling.hasMissing;
  args.missing = static_cast<float>(scaling.missing);
  args.out = out;
  return args;
}

// Zeros, and among them what there is.
Status packSparse(const core::Scaling& scaling, const RowSet& rows, uint64_t first, uint64_t count,
                  const kernels::Panels& out) {
  const SparseScaling scaled(scaling);
  const uint64_t width = static_cast<uint64_t>(out.width);
  const uint64_t columns = rows.matrix.columns;
  // A vector is filled up to a multiple of 16.
  const uint64_t cleared = width == 1 ? (columns + kernels::kLanes - 1) / kernels::kLanes * kernels::kLanes : columns;
  for (uint64_t begin = 0; begin < count; begin += width) {
    float* panel = out.data + static_cast<int64_t>(begin / width) * out.stride;
    std::memset(panel, 0, cleared * width * sizeof(float));
    SparseCursors cursors(rows, first + begin, static_cast<int64_t>(std::min(count - begin, width)));
    SETNET_TRY(cursors.write(scaled, 0, static_cast<int64_t>(columns), panel, out.width));
  }
  return Status();
}

}  // namespace

Status packFeatures(const kernels::KernelTable& kernels, const core::Scaling& scaling, const RowSet& rows,
                    uint64_t first, uint64_t count, const kernels::Panels& out, int threads) {
  if (rows.matrix.isSparse()) return packSparse(scaling, rows, first, count, out);
  const kernels::PackRowsArgs args = packArguments(scaling, rows, first, count, out);
  constexpr int kMostParts = 64;
  const int parts = std::min(kMostParts, partsFor(static_cast<uint64_t>(args.columns) * count, threads));
  uint8_t found[kMostParts] = {};
  pool::parallel(parts, [&](int part) {
    kernels::PackRowsArgs own = args;
    const Range columns = evenRange(args.columns, kernels::kLanes, parts, part);
    own.columnBegin = columns.begin;
    own.columnEnd = columns.end;
    own.nonfinite = &found[part];
    kernels.packRows(own);
  });
  const bool nonfinite = std::any_of(found, found + parts, [](uint8_t one) { return one != 0; });
  return nonfinite ? nameNonfinite(scaling, rows, first, count) : Status();
}

Status packColumns(const kernels::KernelTable& kernels, const core::Scaling& scaling, const RowSet& rows,
                   uint64_t first, uint64_t count, int64_t begin, int64_t end, const kernels::Panels& out) {
  kernels::PackRowsArgs args = packArguments(scaling, rows, first, count, out);
  uint8_t nonfinite = 0;
  args.columnBegin = args.outBegin = begin;
  args.columnEnd = end;
  args.nonfinite = &nonfinite;
  kernels.packRows(args);
  return nonfinite ? nameNonfinite(scaling, rows, first, count) : Status();
}

}  // namespace setnet::cpu
