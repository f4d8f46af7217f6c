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

// X and Y as [feature][batch / 16][16], which is feature-major. Sixteen samples are one of its vectors.
struct CsrSoa {
  CsrSoa(const SparseMatrix& w, int batch)
      : pointers(w.rowPointers.begin(), w.rowPointers.end()), columns(w.columnIndices.begin(), w.columnIndices.end()) {
    constexpr int kPacked = 16;
    libxsmm_descriptor_blob blob;
    const int n = batch / kPacked;
    // A is sparse: the leading dimension of A is 0.
    const libxsmm_gemm_descriptor* descriptor = libxsmm_gemm_descriptor_dinit(
        &blob, LIBXSMM_GEMM_PRECISION_F32, static_cast<int>(w.rows), n, static_cast<int>(w.columns), 0, n, n, 1, 0,
        LIBXSMM_GEMM_FLAG_NONE, LIBXSMM_GEMM_PREFETCH_NONE);
    if (descriptor)
      kernel = libxsmm_create_xcsr_soa(descriptor, pointers.data(), columns.data(), w.values.data(), kPacked).smm;
  }
  ~CsrSoa() {
    if (kernel) libxsmm_release_kernel(reinterpret_cast<const void*>(kernel));
  }
  CsrSoa(const CsrSoa&) = delete;
  CsrSoa& operator=(const CsrSoa&) = delete;

  std::vector<unsigned> pointers, columns;
  libxsmm_smmfunction kernel = nullptr;
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
  // The generators write a piece of code for each connection and crash, or end the process, where their buffer ends.
  const auto tryFsspmdm = [&] {
    const Fsspmdm kernel(w, dense, batch);
    if (kernel.handle) libxsmm_sfsspmdm_execute(kernel.handle, x, y->data());
    return kernel.handle != nullptr;
  };
  const auto tryCsrSoa = [&] {
    const CsrSoa kernel(w, batch);
    if (kernel.kernel) kernel.kernel(w.values.data(), x, y->data());
    return kernel.kernel != nullptr;
  };
  if (works(tryFsspmdm)) {
    const auto kernel = std::make_shared<Fsspmdm>(w, dense, batch);
    ways.push_back(
        {"fsspmdm", Order::FeatureMajor, [=] { libxsmm_sfsspmdm_execute(kernel->handle, x, y->data()); }, result});
  }
  if (works(tryCsrSoa)) {
    const auto kernel = std::make_shared<CsrSoa>(w, batch);
    const float* values = w.values.data();
    ways.push_back({"CSR-SOA", Order::FeatureMajor, [=] { kernel->kernel(values, x, y->data()); }, result});
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
