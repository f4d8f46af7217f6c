#include "train/scaling.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "train/matrix_rows.h"

namespace setnet::train {
namespace {

using core::Scaling;

struct Statistics {
  std::vector<double> sum;
  std::vector<double> squares;  // of the differences to the mean, in the second pass
  std::vector<double> count;
  std::vector<float> lowest, highest;

  explicit Statistics(size_t n)
      : sum(n),
        squares(n),
        count(n),
        lowest(n, std::numeric_limits<float>::infinity()),
        highest(n, -std::numeric_limits<float>::infinity()) {}
};

// The same test as the panels': a value is missing when it equals the marker as f32 (NaN: any NaN).
struct MissingTest {
  bool has, isNan;
  float value;

  explicit MissingTest(const Scaling& scaling)
      : has(scaling.hasMissing), isNan(std::isnan(scaling.missing)), value(static_cast<float>(scaling.missing)) {}
  bool operator()(float x) const { return has && (isNan ? std::isnan(x) : x == value); }
};

template <class T>
Status firstPass(const T* data, uint64_t rows, uint64_t columns, const MissingTest& missing, Statistics* s) {
  const bool global = s->sum.size() == 1;
  for (uint64_t r = 0; r < rows; ++r) {
    const T* row = data + r * columns;
    for (uint64_t c = 0; c < columns; ++c) {
      const float x = static_cast<float>(row[c]);
      if (missing(x)) continue;
      if (!std::isfinite(x))
        return Status(Code::Nonfinite, "the feature in row " + std::to_string(r) + ", column " + std::to_string(c) +
                                           " is not a finite 32-bit float; mark unknown values with `missing`");
      const size_t k = global ? 0 : c;
      s->sum[k] += x;
      s->count[k] += 1;
      if (x < s->lowest[k]) s->lowest[k] = x;
      if (x > s->highest[k]) s->highest[k] = x;
    }
  }
  return Status();
}

template <class T>
void secondPass(const T* data, uint64_t rows, uint64_t columns, const MissingTest& missing, Statistics* s) {
  const bool global = s->sum.size() == 1;
  for (uint64_t r = 0; r < rows; ++r) {
    const T* row = data + r * columns;
    for (uint64_t c = 0; c < columns; ++c) {
      const float x = static_cast<float>(row[c]);
      if (missing(x)) continue;
      const size_t k = global ? 0 : c;
      const double difference = x - s->sum[k];
      s->squares[k] += difference * difference;
    }
  }
}

float reciprocalRoot(double meanSquare) {
  const float scale = static_cast<float>(1 / std::sqrt(meanSquare));
  return std::isfinite(scale) ? scale : 0;
}

// A sparse matrix is only scaled, by 1 / root mean square; cells that are not there count, as the zeros they are.
void learnSparseScaling(const backend::MatrixView& x, Scaling* scaling) {
  const bool global = scaling->kind == Scaling::Kind::Global;
  const size_t n = global ? 1 : x.columns;
  const MissingTest missing(*scaling);
  const bool countsZeros = !missing(0);
  std::vector<double> squares(n), counts(n);  // counts: of values that are there (not missing), or that are missing
  for (uint64_t r = 0; r < x.rows; ++r) {
    const backend::SparseRow row = x.sparseRow(r);
    for (uint64_t i = 0; i < row.count; ++i) {
      const size_t k = global ? 0 : row.columns[i];
      const bool isMissing = missing(row.values[i]);
      if (isMissing == countsZeros) counts[k] += 1;
      if (!isMissing) squares[k] += static_cast<double>(row.values[i]) * row.values[i];
    }
  }
  const double cells = static_cast<double>(x.rows) * static_cast<double>(global ? x.columns : 1);
  scaling->mean.assign(n, 0.0f);
  scaling->scale.resize(n);
  for (size_t k = 0; k < n; ++k) {
    const double count = countsZeros ? cells - counts[k] : counts[k];
    scaling->scale[k] = squares[k] > 0 ? reciprocalRoot(squares[k] / count) : 0;
  }
  scaling->known = true;
}

}  // namespace

Status learnScaling(const backend::MatrixView& x, Scaling* scaling) {
  if (scaling->known || (scaling->kind != Scaling::Kind::PerFeature && scaling->kind != Scaling::Kind::Global))
    return Status();
  if (x.isSparse()) {
    learnSparseScaling(x, scaling);
    return Status();
  }
  const size_t n = scaling->kind == Scaling::Kind::Global ? 1 : x.columns;
  const MissingTest missing(*scaling);
  Statistics s(n);
  SETNET_TRY(visitElements(x, [&](const auto* data) { return firstPass(data, x.rows, x.columns, missing, &s); }));
  for (size_t k = 0; k < n; ++k) s.sum[k] = s.count[k] > 0 ? s.sum[k] / s.count[k] : 0;  // from here on: the mean
  visitElements(x, [&](const auto* data) { secondPass(data, x.rows, x.columns, missing, &s); });

  scaling->mean.resize(n);
  scaling->scale.resize(n);
  for (size_t k = 0; k < n; ++k) {
    scaling->mean[k] = static_cast<float>(s.sum[k]);
    // A constant feature (or one that is always missing) tells nothing: scale 0. So does one whose spread is so small
    // that the reciprocal is no f32.
    scaling->scale[k] = s.lowest[k] < s.highest[k] ? reciprocalRoot(s.squares[k] / s.count[k]) : 0;
  }
  scaling->known = true;
  return Status();
}

}  // namespace setnet::train
