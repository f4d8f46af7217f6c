// SuiteSparse:GraphBLAS on the network of the GraphChallenge for sparse networks, the usual way: the active values as a
// sparse matrix, images by neurons, and for each layer a product, the bias added to what is there, values of at most 0
// dropped, the others clipped.
//
//   graphchallenge --file F [--images N] [--threads N,N...] [--repeats R]
//
// --images: only the first N. The file (lib/graphchallenge_file.mjs writes it), little-endian: 8 bytes "SNGRAPH1";
// uint32 images, neurons, layers; float32 bias, float32 limit; the input's bits, neurons / 8 bytes an image, bit k of a
// row is neuron k; for each layer uint32 connections, uint32 rowPointers[neurons + 1], uint32 columns[connections],
// float32 values[connections]: rows are the neurons of the layer, columns those of the layer before it.
#include <memory>

#include "graphblas.h"

namespace bench {
namespace {

class File {
 public:
  explicit File(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), &std::fclose) {
    if (!file_) Options::fail(path + " cannot be opened");
  }
  template <class T>
  T read() {
    T value;
    readTo(&value, 1);
    return value;
  }
  template <class T>
  std::vector<T> read(size_t count) {
    std::vector<T> values(count);
    readTo(values.data(), count);
    return values;
  }

 private:
  template <class T>
  void readTo(T* values, size_t count) {
    if (std::fread(values, sizeof(T), count, file_.get()) != count) Options::fail(path_ + " is too short");
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

struct Challenge {
  int64_t images, neurons;
  float bias, limit;
  GrB_Matrix input;
  std::vector<GrB_Matrix> layers;
  int64_t edges = 0;
};

Challenge readChallenge(const std::string& path, int64_t wantedImages) {
  File file(path);
  const std::vector<char> magic = file.read<char>(8);
  if (std::memcmp(magic.data(), "SNGRAPH1", 8) != 0) Options::fail(path + " is no file of a challenge");
  const uint32_t images = file.read<uint32_t>(), neurons = file.read<uint32_t>(), layers = file.read<uint32_t>();
  Challenge c;
  c.images = std::min<int64_t>(images, wantedImages);
  c.neurons = neurons;
  c.bias = file.read<float>();
  c.limit = file.read<float>();
  if (neurons == 0 || neurons % 8 != 0) Options::fail(path + ": neurons are no multiple of 8");

  const std::vector<uint8_t> bits = file.read<uint8_t>(static_cast<size_t>(images) * (neurons / 8));
  std::vector<GrB_Index> i, j;
  for (int64_t image = 0; image < c.images; ++image) {
    for (uint32_t k = 0; k < neurons; ++k) {
      if (!(bits[static_cast<size_t>(image) * (neurons / 8) + k / 8] >> k % 8 & 1)) continue;
      i.push_back(static_cast<GrB_Index>(image));
      j.push_back(k);
    }
  }
  const std::vector<float> ones(i.size(), 1.0f);
  c.input = emptyMatrix(c.images, c.neurons, true);
  BENCH_GRB(GrB_Matrix_build_FP32(c.input, i.data(), j.data(), ones.data(), ones.size(), GrB_PLUS_FP32));
  BENCH_GRB(GrB_Matrix_wait(c.input, GrB_MATERIALIZE));

  for (uint32_t layer = 0; layer < layers; ++layer) {
    const uint32_t count = file.read<uint32_t>();
    const std::vector<uint32_t> pointers = file.read<uint32_t>(neurons + 1), columns = file.read<uint32_t>(count);
    const std::vector<float> values = file.read<float>(count);
    if (pointers[0] != 0 || pointers[neurons] != count) Options::fail(path + ": row pointers do not fit");
    // Rows of the matrix are what comes in, so that an image's row of values stands left of it.
    std::vector<GrB_Index> from(columns.begin(), columns.end()), to(count);
    for (uint32_t row = 0; row < neurons; ++row) {
      if (pointers[row + 1] < pointers[row] || pointers[row + 1] > count) Options::fail(path + ": row pointers sink");
      for (uint32_t k = pointers[row]; k < pointers[row + 1]; ++k) to[k] = row;
    }
    GrB_Matrix matrix = emptyMatrix(c.neurons, c.neurons, true);
    BENCH_GRB(GrB_Matrix_build_FP32(matrix, from.data(), to.data(), values.data(), count, GrB_PLUS_FP32));
    BENCH_GRB(GrB_Matrix_wait(matrix, GrB_MATERIALIZE));
    c.layers.push_back(matrix);
    c.edges += count;
  }
  return c;
}

// The values after the last layer.
GrB_Matrix infer(const Challenge& c) {
  GrB_Matrix y = nullptr;
  BENCH_GRB(GrB_Matrix_dup(&y, c.input));
  for (GrB_Matrix w : c.layers) {
    BENCH_GRB(GrB_mxm(y, nullptr, nullptr, GrB_PLUS_TIMES_SEMIRING_FP32, y, w, nullptr));
    BENCH_GRB(GrB_Matrix_apply_BinaryOp2nd_FP32(y, nullptr, nullptr, GrB_PLUS_FP32, y, c.bias, nullptr));
    BENCH_GRB(GrB_Matrix_select_FP32(y, nullptr, nullptr, GrB_VALUEGT_FP32, y, 0.0f, nullptr));
    BENCH_GRB(GrB_Matrix_apply_BinaryOp2nd_FP32(y, nullptr, nullptr, GrB_MIN_FP32, y, c.limit, nullptr));
  }
  BENCH_GRB(GrB_Matrix_wait(y, GrB_MATERIALIZE));
  return y;
}

// The one-based numbers of the images with any value left, with commas.
std::string categoriesOf(GrB_Matrix y, int64_t images, int64_t* alive) {
  GrB_Index count = 0;
  BENCH_GRB(GrB_Matrix_nvals(&count, y));
  std::vector<GrB_Index> i(count), j(count);
  std::vector<float> values(count);
  BENCH_GRB(GrB_Matrix_extractTuples_FP32(i.data(), j.data(), values.data(), &count, y));
  std::vector<bool> isAlive(static_cast<size_t>(images));
  for (size_t k = 0; k < count; ++k) isAlive[i[k]] = true;
  std::string text;
  *alive = 0;
  for (int64_t image = 0; image < images; ++image) {
    if (!isAlive[static_cast<size_t>(image)]) continue;
    text += (text.empty() ? "" : ",") + std::to_string(image + 1);
    ++*alive;
  }
  return text;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const Options options(argc, argv, {"file", "images", "threads", "repeats"});
  const std::string path = options.text("file", "");
  if (path.empty()) Options::fail("--file is missing");
  const int repeats = static_cast<int>(options.integer("repeats", 1, 1, 1000));
  BENCH_GRB(GrB_init(GrB_NONBLOCKING));
  const Challenge challenge = readChallenge(path, options.integer("images", 1LL << 32, 1, 1LL << 32));
  for (const int64_t threads : options.integers("threads", {1}, 1, 1024)) {
    setGraphBlasThreads(static_cast<int>(threads));
    std::vector<double> seconds;
    std::string categories;
    int64_t alive = 0;
    for (int r = 0; r < repeats; ++r) {
      const double start = now();
      GrB_Matrix y = infer(challenge);
      seconds.push_back(now() - start);
      categories = categoriesOf(y, challenge.images, &alive);
      BENCH_GRB(GrB_Matrix_free(&y));
    }
    const double time = median(seconds);
    const double work = static_cast<double>(challenge.images) * static_cast<double>(challenge.edges);
    Figure("SuiteSparse:GraphBLAS, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"), work / time,
           "edges/s")
        .add("library", "SuiteSparse:GraphBLAS")
        .add("version", graphBlasVersion())
        .add("threads", threads)
        .add("repeats", repeats)
        .add("seconds", time)
        .add("images", challenge.images)
        .add("layers", static_cast<int64_t>(challenge.layers.size()))
        .add("alive", alive)
        .add("categories", categories)
        .print();
  }
  BENCH_GRB(GrB_finalize());
  return 0;
}
