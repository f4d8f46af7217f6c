// Packed matrices: what goes in comes out again, whatever the shape and the number of parts, and the transposed form
// holds the same connections.
#include <algorithm>
#include <map>
#include <vector>

#include "cpu/packed_matrix.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {
namespace {

using cpu::PackedMatrix;
using cpu::PackOptions;

core::CsrMatrix randomShape(Random& random) {
  switch (random.below(5)) {
    case 0:
      return randomCsr(random.between(0, 5), random.between(0, 5), random.uniform(0, 1), random);
    case 1:  // several blocks of columns
      return randomCsr(random.between(1, 40), random.between(500, 3000), random.uniform(0.02, 0.3), random);
    case 2:  // several blocks of the transpose's columns
      return randomCsr(random.between(500, 2000), random.between(1, 40), random.uniform(0.02, 0.3), random);
    case 3:
      return randomCsr(random.between(1, 300), random.between(1, 300), random.uniform(0, 0.05), random);
    default:
      return randomCsr(random.between(1, 90), random.between(1, 90), random.uniform(0, 1), random);
  }
}

struct Unpacked {
  std::vector<uint64_t> rowPointers;
  std::vector<uint32_t> columns;
  std::vector<float> values, companions[2];
};

Unpacked unpack(const PackedMatrix& packed) {
  Unpacked out;
  out.rowPointers.resize(packed.rows() + 1);
  out.columns.resize(packed.count());
  out.values.resize(packed.count());
  float* companions[2];
  for (int i = 0; i < 2; ++i) {
    out.companions[i].resize(packed.count());
    companions[i] = out.companions[i].data();
  }
  cpu::PackMemory memory;
  CHECK_OK(packed.unpack(out.rowPointers.data(), out.columns.data(), out.values.data(), companions, &memory));
  return out;
}

TEST("what is packed comes out again with everything that lies beside it, also in memory that is used again") {
  Random random(7);
  PackedMatrix packed;
  cpu::PackMemory memory;
  for (int round = 0; round < 300; ++round) {
    const core::CsrMatrix w = randomShape(random);
    const std::vector<float> first = randomNumbers(w.count(), random), second = randomNumbers(w.count(), random);
    const float* companions[] = {first.data(), second.data()};
    const bool singles = random.chance(0.3);
    CHECK_OK(packed.pack(w, {static_cast<int>(random.between(1, 5)), 2, companions, true, false, singles}, &memory));
    const Unpacked out = unpack(packed);
    CHECK(out.rowPointers == w.rowPointers);
    CHECK(out.columns == w.columnIndices);
    CHECK(out.values == w.values);
    CHECK(out.companions[0] == first && out.companions[1] == second);
    // Parts are ranges of rows that follow each other.
    int64_t row = 0;
    for (int part = 0; part < packed.parts(); ++part) {
      CHECK_EQ(packed.rowsOf(part).begin, row);
      row = packed.rowsOf(part).end;
    }
    CHECK_EQ(row, static_cast<int64_t>(w.rows));
  }
}

// The connections of a packed matrix as (row, column) -> value, read as the kernels read them.
std::map<std::pair<uint32_t, uint32_t>, float> connectionsOf(const PackedMatrix& packed) {
  std::map<std::pair<uint32_t, uint32_t>, float> connections;
  for (int part = 0; part < packed.parts(); ++part) {
    const kernels::PackedRows view = packed.view(part);
    int64_t slot = 0;
    for (int64_t group = 0; group < view.blocks * view.groups; ++group) {
      const uint32_t base = static_cast<uint32_t>(group / view.groups * view.blockWidth);
      std::vector<uint32_t> last(4, 0);
      for (uint32_t k = 0; k < view.steps[group]; ++k) {
        for (int i = 0; i < 4; ++i, ++slot) {
          CHECK(view.columns[slot] < view.blockWidth);
          if (view.values[slot] != 0)
            connections[{view.rows[group * 4 + i], base + view.columns[slot]}] += view.values[slot];
        }
      }
    }
  }
  return connections;
}

TEST("the transposed form holds the same connections, and follows the values") {
  Random random(8);
  PackedMatrix packed, transposed;
  cpu::PackMemory memory;
  for (int round = 0; round < 200; ++round) {
    core::CsrMatrix w = randomShape(random);
    for (float& value : w.values)
      if (value == 0) value = 1;
    CHECK_OK(packed.pack(w, {static_cast<int>(random.between(1, 4)), 0, nullptr, true}));
    CHECK_OK(transposed.packTransposed(w, packed, static_cast<int>(random.between(1, 4)), &memory));
    CHECK_EQ(transposed.rows(), w.columns);
    CHECK_EQ(transposed.columns(), w.rows);
    for (int part = 0; part < transposed.parts(); ++part) {
      const kernels::GatherArgs refresh = transposed.refresh(packed, part);
      for (int64_t k = refresh.begin; k < refresh.end; ++k) refresh.to[k] = refresh.from[refresh.positions[k]];
    }
    std::map<std::pair<uint32_t, uint32_t>, float> expected;
    for (uint64_t r = 0; r < w.rows; ++r)
      for (uint64_t k = w.rowPointers[r]; k < w.rowPointers[r + 1]; ++k)
        expected[{w.columnIndices[k], static_cast<uint32_t>(r)}] = w.values[k];
    CHECK(connectionsOf(transposed) == expected);
  }
}

TEST("blocks for single samples are wider, up to all columns, and hold the same connections") {
  Random random(10);
  for (const uint64_t columns : {1000, 8192, 8193, 20000}) {
    core::CsrMatrix w = randomCsr(40, columns, 0.04, random);
    for (float& value : w.values)
      if (value == 0) value = 1;
    PackedMatrix batches, singles;
    PackOptions options;
    options.parts = 2;
    CHECK_OK(batches.pack(w, options));
    options.singles = true;
    CHECK_OK(singles.pack(w, options));
    CHECK(singles.blocks() < batches.blocks());
    CHECK_EQ(singles.blocks() == 1, columns <= 8192);
    CHECK_EQ(singles.parts(), batches.parts());
    for (int part = 0; part < batches.parts(); ++part) {
      CHECK_EQ(singles.rowsOf(part).end, batches.rowsOf(part).end);
      int64_t slots = 0;
      for (int64_t block = 0; block < singles.blocks(); ++block) slots += singles.view(part, block).slots;
      CHECK_EQ(slots, singles.view(part).slots);
    }
    CHECK(connectionsOf(singles) == connectionsOf(batches));
  }
}

TEST("columns of a row ascend within a block, and padding costs little where rows are alike") {
  Random random(9);
  const core::CsrMatrix w = randomCsr(1000, 1000, 0.04, random);
  PackedMatrix packed;
  cpu::PackMemory memory;
  CHECK_OK(packed.pack(w, {1, 0, nullptr, false}));
  const kernels::PackedRows view = packed.view(0);
  int64_t slots = 0, wrong = 0;
  for (int64_t group = 0; group < view.blocks * view.groups; ++group) {
    for (uint32_t k = 1; k < view.steps[group]; ++k)
      for (int i = 0; i < 4; ++i) wrong += view.columns[slots + 4 * k + i] < view.columns[slots + 4 * (k - 1) + i];
    slots += 4 * view.steps[group];
  }
  CHECK_EQ(wrong, 0);
  CHECK(static_cast<double>(slots) < 1.02 * static_cast<double>(w.count()));
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
