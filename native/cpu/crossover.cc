#include "cpu/crossover.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

namespace setnet::cpu {
namespace {

template <class Run>
double quickest(const Run& run) {
  double best = std::numeric_limits<double>::infinity();
  for (int turn = 0; turn < 6; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

constexpr double kNever = 2;

double measure(const kernels::KernelTable& kernels) {
  constexpr double kLeast = 0.3;
  constexpr uint64_t kRows = 240, kColumns = 512;
  core::CsrMatrix matrix;
  matrix.rows = kRows;
  matrix.columns = kColumns;
  matrix.rowPointers.push_back(0);
  uint32_t random = 1;
  for (uint64_t r = 0; r < kRows; ++r) {
    for (uint32_t c = 0; c < kColumns; ++c) {
      random = random * 1664525u + 1013904223u;
      if (random >> 31 == 0) continue;  // every second cell
      matrix.columnIndices.push_back(c);
      matrix.values.push_back(1e-3f);
    }
    matrix.rowPointers.push_back(matrix.columnIndices.size());
  }
  PackedMatrix packed;
  DenseForm dense;
  Buffer<float> x, y;
  Status status = packed.pack(matrix, PackOptions());
  if (status.ok()) status = dense.allocate(kRows, kColumns, 0, false);
  if (status.ok()) status = x.reserve(kColumns * 32);
  if (status.ok()) status = y.reserve(kRows * 32);
  if (!status.ok()) return kNever;
  dense.scatter(matrix, {});
  for (uint64_t i = 0; i < x.size(); ++i) x[i] = 0.5f;
  const double sparseSeconds = quickest([&] {
    kernels::SparseProductArgs args = {};
    args.w = packed.view(0);
    args.x = {x.data(), 0, 32};
    args.y = {y.data(), 0, 32};
    args.vectors = 2;
    args.activation = -1;
    kernels.sparseProduct(args);
  });
  const double denseSeconds = quickest([&] {
    kernels.denseForward({0,
                          static_cast<int64_t>(kRows),
                          static_cast<int64_t>(kColumns),
                          dense.weights.data(),
                          dense.stride,
                          nullptr,
                          {x.data(), 0, 32},
                          {y.data(), 0, 32},
                          2});
  });
  const double density = static_cast<double>(matrix.count()) / static_cast<double>(kRows * kColumns);
  return std::max(kLeast, density * denseSeconds / sparseSeconds);
}

}  // namespace

double crossoverDensity(const kernels::KernelTable& kernels) {
  static const double density = [&] {
    try {
      return measure(kernels);
    } catch (const std::bad_alloc&) {
      return kNever;
    }
  }();
  return density;
}

Status compareSingles(const kernels::KernelTable& kernels, const PackedMatrix& packed, const DenseForm& dense,
                      bool* isDenseQuicker) {
  Buffer<float> x, y;
  SETNET_TRY(x.reserve(static_cast<uint64_t>(dense.stride)));
  SETNET_TRY(y.reserve(static_cast<uint64_t>(dense.rows())));
  for (uint64_t i = 0; i < packed.columns(); ++i) x[i] = 0.5f;
  const double sparseSeconds = quickest([&] {
    for (int part = 0; part < packed.parts(); ++part)
      kernels.sparseVector({packed.view(part), nullptr, x.data(), y.data()});
  });
  const double denseSeconds = quickest([&] {
    kernels.denseVector(
        {0, dense.units, dense.inputs, dense.weights.data(), dense.stride, nullptr, x.data(), y.data()});
  });
  *isDenseQuicker = denseSeconds < sparseSeconds;
  return Status();
}

}  // namespace setnet::cpu
