// Intel MKL's sparse product on the same layer (sparse_layer.h): mkl_sparse_s_mm on row-major and column-major dense
// matrices, mkl_sparse_s_mv for a batch of one, after its hints and optimization. The library is loaded at run time.
//
//   layer_mkl [--rows R] [--columns C] [--density D] [--batches B,B...] [--threads N] [--seconds S] [--repeats N]
//
// SETNET_MKL names another file than libmkl_rt.so.
#include <dlfcn.h>

#include "sparse_layer.h"

namespace bench {
namespace {

// The values of mkl_spblas.h and mkl_service.h, for 32-bit indices.
constexpr int kZeroBased = 0, kNotTransposed = 10, kGeneral = 20, kRowMajor = 101, kColumnMajor = 102;
constexpr int kSequential = 1, kGnuThreads = 3;
constexpr int kExpectedCalls = 10000;

struct Description {
  int type = kGeneral, mode = 0, diagonal = 0;
};
using Handle = void*;

struct Mkl {
  int (*createCsr)(Handle*, int base, int rows, int columns, int* begin, int* end, int* indices, float* values);
  int (*destroy)(Handle);
  int (*optimize)(Handle);
  int (*hintMv)(Handle, int operation, Description, int calls);
  int (*hintMm)(Handle, int operation, Description, int layout, int columns, int calls);
  int (*mv)(int operation, float alpha, Handle, Description, const float* x, float beta, float* y);
  int (*mm)(int operation, float alpha, Handle, Description, int layout, const float* x, int columns, int ldx,
            float beta, float* y, int ldy);
  void (*versionText)(char* text, int size);
  int (*setThreading)(int);
  void (*setThreads)(int);
  std::string absent;

  explicit Mkl(int threads) {
    // Its threads come from GCC's OpenMP library, which it does not load by itself.
    if (threads > 1 && !::dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL)) {
      absent = ::dlerror();
      return;
    }
    const char* named = ::getenv("SETNET_MKL");
    void* library = ::dlopen(named ? named : "libmkl_rt.so", RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
      absent = ::dlerror();
      return;
    }
    find(library, "mkl_sparse_s_create_csr", &createCsr);
    find(library, "mkl_sparse_destroy", &destroy);
    find(library, "mkl_sparse_optimize", &optimize);
    find(library, "mkl_sparse_set_mv_hint", &hintMv);
    find(library, "mkl_sparse_set_mm_hint", &hintMm);
    find(library, "mkl_sparse_s_mv", &mv);
    find(library, "mkl_sparse_s_mm", &mm);
    find(library, "mkl_get_version_string", &versionText);
    find(library, "MKL_Set_Threading_Layer", &setThreading);
    find(library, "MKL_Set_Num_Threads", &setThreads);
    if (!absent.empty()) return;
    setThreading(threads == 1 ? kSequential : kGnuThreads);
    setThreads(threads);
  }

  std::string version() const {
    char text[200] = {};
    versionText(text, sizeof text - 1);
    std::string version = text;
    version.erase(version.find_last_not_of(' ') + 1);
    return version;
  }

 private:
  template <class Function>
  void find(void* library, const char* name, Function* function) {
    *function = reinterpret_cast<Function>(::dlsym(library, name));
    if (!*function) absent += (absent.empty() ? "the library lacks " : ", ") + std::string(name);
  }
};

void check(int status, const char* what) {
  if (status == 0) return;
  std::fprintf(stderr, "%s failed with status %d\n", what, status);
  std::exit(1);
}

// MKL's own form of W, optimized for one kind of call.
class Matrix {
 public:
  Matrix(const Mkl& mkl, const SparseMatrix& w)
      : mkl_(mkl), pointers_(w.rowPointers), indices_(w.columnIndices), values_(w.values) {
    check(mkl.createCsr(&handle_, kZeroBased, static_cast<int>(w.rows), static_cast<int>(w.columns), pointers_.data(),
                        pointers_.data() + 1, indices_.data(), values_.data()),
          "mkl_sparse_s_create_csr");
  }
  ~Matrix() { mkl_.destroy(handle_); }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  Handle handle() const { return handle_; }

 private:
  const Mkl& mkl_;
  std::vector<int> pointers_, indices_;
  std::vector<float> values_;
  Handle handle_ = nullptr;
};

std::vector<Way> waysOf(const Mkl& mkl, const LayerData& data) {
  const int rows = static_cast<int>(data.w().rows), columns = static_cast<int>(data.w().columns);
  const int batch = static_cast<int>(data.batch());
  std::vector<Way> ways;
  const auto y = std::make_shared<Buffer<float>>(data.ySize());
  const auto result = [y] { return static_cast<const float*>(y->data()); };
  const Description general;
  if (batch == 1) {
    const auto matrix = std::make_shared<Matrix>(mkl, data.w());
    // Not every kind of matrix has an optimization; without one it works all the same.
    mkl.hintMv(matrix->handle(), kNotTransposed, general, kExpectedCalls);
    check(mkl.optimize(matrix->handle()), "mkl_sparse_optimize");
    const float* x = data.x(Order::FeatureMajor).data();
    ways.push_back(
        {"mkl_sparse_s_mv", Order::FeatureMajor,
         [=, &mkl] { check(mkl.mv(kNotTransposed, 1, matrix->handle(), general, x, 0, y->data()), "mkl_sparse_s_mv"); },
         result});
    return ways;
  }
  for (const bool isRowMajor : {true, false}) {
    const auto matrix = std::make_shared<Matrix>(mkl, data.w());
    const int layout = isRowMajor ? kRowMajor : kColumnMajor;
    mkl.hintMm(matrix->handle(), kNotTransposed, general, layout, batch, kExpectedCalls);
    check(mkl.optimize(matrix->handle()), "mkl_sparse_optimize");
    const Order order = isRowMajor ? Order::FeatureMajor : Order::SampleMajor;
    const float* x = data.x(order).data();
    const int ldx = isRowMajor ? batch : columns, ldy = isRowMajor ? batch : rows;
    ways.push_back(
        {std::string("mkl_sparse_s_mm, ") + (isRowMajor ? "row-major" : "column-major"), order,
         [=, &mkl] {
           check(mkl.mm(kNotTransposed, 1, matrix->handle(), general, layout, x, batch, ldx, 0, y->data(), ldy),
                 "mkl_sparse_s_mm");
         },
         result});
  }
  return ways;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const LayerProblem problem(argc, argv);
  const Mkl mkl(problem.threads);
  Library library;
  library.name = "MKL";
  library.absent = mkl.absent;
  if (mkl.absent.empty()) library.version = mkl.version();
  library.ways = [&](const LayerData& data) { return waysOf(mkl, data); };
  return runLayers(problem, library);
}
