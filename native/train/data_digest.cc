#include "train/data_digest.h"

#include "base/hash.h"

namespace setnet::train {
namespace {

uint64_t bytesOf(backend::DataType type) {
  switch (type) {
    case backend::DataType::Float64:
      return 8;
    case backend::DataType::Float32:
      return 4;
    case backend::DataType::Uint16:
    case backend::DataType::Int16:
      return 2;
    case backend::DataType::Uint8:
    case backend::DataType::Int8:
      return 1;
  }
  return 0;
}

template <class T>
void add(Hash64* hash, Span<const T> values) {
  const uint64_t size = values.size();
  hash->update(&size, sizeof size);
  hash->update(values.data(), size * sizeof(T));
}

void add(Hash64* hash, const Dataset& data) {
  const backend::MatrixView& x = data.x;
  const uint64_t shape[] = {static_cast<uint64_t>(x.type), x.rows, x.columns, x.isSparse() ? 1u : 0u};
  hash->update(shape, sizeof shape);
  if (x.isSparse()) {
    const uint64_t count = x.rowPointers[x.rows];
    hash->update(x.rowPointers, (x.rows + 1) * sizeof(uint64_t));
    hash->update(x.columnIndices, count * sizeof(uint32_t));
    hash->update(x.data, count * sizeof(float));
  } else {
    hash->update(x.data, x.rows * x.columns * bytesOf(x.type));
  }
  add(hash, data.classes);
  add(hash, data.numbers);
  add(hash, data.weights);
}

}  // namespace

uint64_t digestOf(const Dataset& training, const Dataset* validation) {
  Hash64 hash;
  add(&hash, training);
  if (validation) add(&hash, *validation);
  return hash.digest();
}

}  // namespace setnet::train
