// libxsmm's sparse kernels on the same layer (sparse_layer.h): spmdm (blocks of W in CSR form), and the two that
// compile code for this very matrix, fsspmdm and CSR-SOA; those exist only for small matrices.
//
//   layer_libxsmm [--rows R] [--columns C] [--density D] [--batches B,B...] [--threads N] [--seconds S] [--repeats N]
#include <fcntl.h>
#include <libxsmm.h>
#include <sys/wait.h>

#include "sparse_layer.h"

namespace bench {
namespace {

// spmdm reads W as a dense matrix when it builds its blocks.
struct Spmdm {
  Spmdm(const SparseMatrix& w, const std::vector<float>& dense, int batch) {
    libxsmm_spmdm_init(static_cast<int>(w.rows), batch, static_cast<int>(w.columns), 1, &handle, &slices);
    const int blocks = libxsmm_spmdm_get_num_createSparseSlice_blocks(&handle);
    for (int b = 0; b < blocks; ++b)
      libxsmm_spmdm_createSparseSlice_fp32_thread(&handle, 'N', dense.data(), slices, b, 0, 1);
  }
  ~Spmdm() { libxsmm_spmdm_destroy(&handle); }
  Spmdm(const Spmdm&) = delete;
  Spmdm& operator=(const Spmdm&) = delete;

  void run(const float* x, float* y) const {
    const float one = 1, zero = 0;
    const int blocks = libxsmm_spmdm_get_num_compute_blocks(&handle);
    for (int b = 0; b < blocks; ++b)
      libxsmm_spmdm_compute_fp32_thread(&handle, 'N', 'N', &one, slices, x, 'N', &zero, y, b, 0, 1);
  }

  libxsmm_spmdm_handle handle = {};
  libxsmm_CSR_sparseslice* slices = nullptr;
};

struct Fsspmdm {
  Fsspmdm(const SparseMatrix& w, const std::vector<float>& dense, int batch)
      : handle(libxsmm_sfsspmdm_create(static_cast<int>(w.rows), batch, static_cast<int>(w.columns),
                                       static_cast<int>(w.columns), batch, batch, 1, 0, 0, dense.data())) {}
  ~Fsspmdm() {
    if (handle) libxsmm_sfsspmdm_destroy(handle);
  }
  Fsspmdm(const Fsspmdm&) = delete;
  Fsspmdm& operator=(const Fsspmdm&) = delete;

  libxsmm_sfsspmdm* handle;
};

// Code for W itself: its generator writes a piece of it for each connection, and its buffer is small, so that W is cut
// into blocks of rows with a kernel each. X and Y are panels [batch / width][feature][width] of Vectors * 16 samples,
// in which libxsmm's order [feature][vector][16] is all that a kernel sees.
class CsrSoa {
 public:
  CsrSoa(const SparseMatrix& w, int vectors) : w_(w), width_(vectors * kPacked) {
    const size_t most = vectors == 1 ? 4000 : 3000;
    for (int64_t begin = 0; begin < w.rows;) {
      int64_t end = begin + 1;
      while (end < w.rows && at(end + 1) - at(begin) <= most) ++end;
      blocks_.push_back(std::make_unique<Block>(w, begin, end, vectors));
      works_ = works_ && blocks_.back()->kernel;
      begin = end;
    }
  }

  bool works() const { return works_; }
  int width() const { return width_; }
  // One panel.
  void run(const float* x, float* y) const {
    for (const auto& block : blocks_) block->kernel(block->values, x, y + block->row * width_);
  }

 private:
  static constexpr int kPacked = 16;

  struct Block {
    Block(const SparseMatrix& w, int64_t begin, int64_t end, int vectors) : row(begin) {
      const int first = w.rowPointers[static_cast<size_t>(begin)], last = w.rowPointers[static_cast<size_t>(end)];
      values = w.values.data() + first;
      for (int64_t r = begin; r <= end; ++r)
        pointers.push_back(static_cast<unsigned>(w.rowPointers[static_cast<size_t>(r)] - first));
      columns.assign(w.columnIndices.begin() + first, w.columnIndices.begin() + last);
      libxsmm_descriptor_blob blob;
      // The leading dimension of A is 0: that says that A is the sparse one.
      const libxsmm_gemm_descriptor* descriptor = libxsmm_gemm_descriptor_dinit(
          &blob, LIBXSMM_GEMM_PRECISION_F32, static_cast<int>(end - begin), vectors, static_cast<int>(w.columns), 0,
          vectors, vectors, 1, 0, LIBXSMM_GEMM_FLAG_NONE, LIBXSMM_GEMM_PREFETCH_NONE);
      if (descriptor)
        kernel = libxsmm_create_xcsr_soa(descriptor, pointers.data(), columns.data(), values, kPacked).smm;
    }
    ~Block() {
      if (kernel) libxsmm_release_kernel(reinterpret_cast<const void*>(kernel));
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    int64_t row;
    const float* values;
    std::vector<unsigned> pointers, columns;
    libxsmm_smmfunction kernel = nullptr;
  };

  size_t at(int64_t row) const { return static_cast<size_t>(w_.rowPointers[static_cast<size_t>(row)]); }

  const SparseMatrix& w_;
  int width_;
  std::vector<std::unique_ptr<Block>> blocks_;
  bool works_ = true;
};

// A layer's X and Y as panels for it.
struct CsrSoaLayer {
  CsrSoaLayer(const LayerData& data, int vectors)
      : kernels(data.w(), vectors),
        columns(data.w().columns),
        rows(data.w().rows),
        batch(data.batch()),
        x(static_cast<size_t>(columns * batch)),
        y(data.ySize()),
        featureMajor(data.ySize()) {
    const float* from = data.x(Order::FeatureMajor).data();
    const int64_t width = kernels.width();
    for (int64_t f = 0; f < columns; ++f)
      for (int64_t b = 0; b < batch; ++b)
        x[static_cast<size_t>((b / width * columns + f) * width + b % width)] = from[f * batch + b];
  }
  void run() {
    const int64_t width = kernels.width();
    for (int64_t b = 0; b < batch; b += width) kernels.run(x.data() + b * columns, y.data() + b * rows);
  }
  const float* result() {
    const int64_t width = kernels.width();
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t b = 0; b < batch; ++b)
        featureMajor[static_cast<size_t>(r * batch + b)] =
            y[static_cast<size_t>((b / width * rows + r) * width + b % width)];
    return featureMajor.data();
  }

  CsrSoa kernels;
  int64_t columns, rows, batch;
  Buffer<float> x, y;
  std::vector<float> featureMajor;
};

// Whether `attempt` returns true, tried in a process of its own.
template <class Attempt>
bool works(Attempt&& attempt) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    // Complaints of a generator are no complaints of this program.
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (nowhere >= 0) ::dup2(nowhere, 2);
    if (nowhere >= 0) ::dup2(nowhere, 1);
    ::_exit(attempt() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<Way> waysOf(const std::vector<float>& dense, const LayerData& data) {
  const SparseMatrix& w = data.w();
  const int batch = static_cast<int>(data.batch());
  const float* x = data.x(Order::FeatureMajor).data();
  const auto y = std::make_shared<Buffer<float>>(data.ySize());
  const auto result = [y] { return static_cast<const float*>(y->data()); };
  std::vector<Way> ways;
  const auto spmdm = std::make_shared<Spmdm>(w, dense, batch);
  ways.push_back({"spmdm", Order::FeatureMajor, [=] { spmdm->run(x, y->data()); }, result});
  if (batch % 16 != 0) return ways;
  // The generators crash, or end the process, where their buffer ends.
  const auto tryFsspmdm = [&] {
    const Fsspmdm kernel(w, dense, batch);
    if (kernel.handle) libxsmm_sfsspmdm_execute(kernel.handle, x, y->data());
    return kernel.handle != nullptr;
  };
  // It compares each value with all others, and takes minutes beyond this; its registers hold a few dozen values.
  constexpr int64_t kMostFixed = 4096;
  if (w.connections() <= kMostFixed && works(tryFsspmdm)) {
    const auto kernel = std::make_shared<Fsspmdm>(w, dense, batch);
    ways.push_back(
        {"fsspmdm", Order::FeatureMajor, [=] { libxsmm_sfsspmdm_execute(kernel->handle, x, y->data()); }, result});
  }
  // Code of gigabytes would measure the memory, and its generation would take minutes.
  constexpr int64_t kMostConnections = 2000000;
  for (const int vectors : {1, 2}) {
    if (batch % (16 * vectors) != 0 || w.connections() > kMostConnections) continue;
    const auto tryCsrSoa = [&] {
      CsrSoaLayer layer(data, vectors);
      if (layer.kernels.works()) layer.run();
      return layer.kernels.works();
    };
    if (!works(tryCsrSoa)) continue;
    const auto layer = std::make_shared<CsrSoaLayer>(data, vectors);
    ways.push_back({"CSR-SOA, panels of " + std::to_string(16 * vectors), Order::FeatureMajor, [=] { layer->run(); },
                    [=] { return layer->result(); }});
  }
  return ways;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const LayerProblem problem(argc, argv);
  libxsmm_init();
  Library library;
  library.name = "libxsmm";
  library.version = LIBXSMM_VERSION;
  library.notes = {{"target", libxsmm_get_target_arch()}};
  const double bytes = 4.0 * static_cast<double>(problem.rows) * static_cast<double>(problem.columns);
  if (problem.threads != 1) library.absent = "measured on one thread only: its sparse kernels start no threads";
  if (bytes > 4e9) library.absent = "it wants W as a dense matrix, which would take more than 4 GB";
  std::vector<float> dense;
  library.ways = [&](const LayerData& data) {
    if (dense.empty()) dense = denseOf(data.w());
    return waysOf(dense, data);
  };
  const int code = runLayers(problem, library);
  libxsmm_finalize();
  return code;
}
