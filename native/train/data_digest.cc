#include "train/data_digest.h"

#include <cstdint>

namespace setnet::train {
namespace {

template <class T>
void add(Hash64* hash, Span<const T> values) {
  const uint64_t size = values.size();
  hash->update(&size, sizeof size);
  hash->update(values.data(), size * sizeof(T));
}

}  // namespace

void addToDigest(const Dataset& data, Hash64* digest) {
  const backend::MatrixView& x = data.x;
  const uint64_t shape[] = {static_cast<uint64_t>(x.type), x.rows, x.columns, x.isSparse() ? 1u : 0u};
  digest->update(shape, sizeof shape);
  if (x.isSparse()) {
    const uint64_t count = x.rowPointers[x.rows];
    digest->update(x.rowPointers, (x.rows + 1) * sizeof(uint64_t));
    digest->update(x.columnIndices, count * sizeof(uint32_t));
    digest->update(x.data, count * sizeof(float));
  } else {
    digest->update(x.data, x.rows * x.columns * backend::elementSize(x.type));
  }
  add(digest, data.classes);
  add(digest, data.numbers);
  add(digest, data.weights);
}

}  // namespace setnet::train
