// A sparse layer in canonical order, in memory that is kept: what evolutions read and write.
#pragma once

#include <cstdint>

#include "base/array.h"
#include "core/csr.h"
#include "core/evolve.h"
#include "cpu/packed_matrix.h"

namespace setnet::cpu {

struct CanonicalLayer {
  uint64_t rows = 0, columns = 0;
  int stateCount = 0;
  Array<uint64_t> rowPointers;
  Array<uint32_t> columnIndices;
  Array<float> values;
  Array<float> state[rules::kMaxOptimizerState];

  // Throws std::bad_alloc.
  void resize(uint64_t rowCount, uint64_t columnCount, uint64_t connections, int states) {
    rows = rowCount;
    columns = columnCount;
    stateCount = states;
    rowPointers.renew(rowCount + 1);
    columnIndices.renew(connections);
    values.renew(connections);
    for (int i = 0; i < states; ++i) state[i].renew(connections);
  }
  core::CsrView view(uint64_t connections) const {
    core::CsrView view;
    view.rows = rows;
    view.columns = columns;
    view.rowPointers = {rowPointers.data(), rows + 1};
    view.columnIndices = {columnIndices.data(), connections};
    view.values = {values.data(), connections};
    return view;
  }
  core::EvolutionSource source() const {
    core::EvolutionSource source;
    source.matrix = view(values.size());
    source.stateCount = stateCount;
    for (int i = 0; i < stateCount; ++i) source.state[i] = state[i].data();
    return source;
  }
  core::EvolutionTarget target() {
    core::EvolutionTarget target;
    target.rowPointers = rowPointers.data();
    target.columnIndices = columnIndices.data();
    target.values = values.data();
    for (int i = 0; i < stateCount; ++i) target.state[i] = state[i].data();
    return target;
  }
  uint64_t bytes() const {
    uint64_t bytes = rowPointers.size() * 8 + columnIndices.size() * 4 + values.size() * 4;
    for (int i = 0; i < stateCount; ++i) bytes += state[i].size() * 4;
    return bytes;
  }
};

}  // namespace setnet::cpu
