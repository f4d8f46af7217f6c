// Times OpenBLAS's sgemm on the products of one training step of a dense network, on one thread.
//
//   sgemm LIBRARY SECONDS BATCH UNITS UNITS...
//
// The library is loaded at run time. SECONDS are spent on each product. Prints one JSON object; exit code 3 where the
// library is not there.
#include <dlfcn.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace {

// The values of cblas.h.
constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

using Sgemm = void (*)(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, const float* a,
                       int lda, const float* b, int ldb, float beta, float* c, int ldc);

double now() {
  using std::chrono::duration;
  using std::chrono::steady_clock;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// C (m x n) = op(A) (m x k) * op(B) (k x n), all row-major.
struct Product {
  std::string name;
  int m, n, k;
  bool transposeA, transposeB;
};

std::vector<Product> productsOf(int batch, const std::vector<int>& units) {
  std::vector<Product> products;
  for (size_t layer = 0; layer + 1 < units.size(); ++layer) {
    const int in = units[layer], out = units[layer + 1];
    const std::string suffix = " of layer " + std::to_string(layer);
    products.push_back({"forward" + suffix, batch, out, in, false, true});             // X * W^T
    if (layer > 0) products.push_back({"dX" + suffix, batch, in, out, false, false});  // dY * W
    products.push_back({"dW" + suffix, out, in, batch, true, false});                  // dY^T * X
  }
  return products;
}

std::vector<float> randomMatrix(size_t size, unsigned seed) {
  std::vector<float> values(size);
  unsigned state = seed * 2654435761u + 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(state >> 9) - (1 << 22)) / (1 << 22);
  }
  return values;
}

class Timing {
 public:
  Timing(Sgemm sgemm, const Product& product)
      : sgemm_(sgemm),
        p_(product),
        a_(randomMatrix(static_cast<size_t>(p_.m) * p_.k, 1)),
        b_(randomMatrix(static_cast<size_t>(p_.k) * p_.n, 2)),
        c_(static_cast<size_t>(p_.m) * p_.n) {}

  // That the library was called as it wants to be, in a few places against double.
  bool isRight() {
    call();
    for (int at = 0; at < 7; ++at) {
      const size_t i = static_cast<size_t>(at) * (p_.m - 1) / 6, j = static_cast<size_t>(at) * (p_.n - 1) / 6;
      double sum = 0;
      for (size_t l = 0; l < static_cast<size_t>(p_.k); ++l) {
        const double a = p_.transposeA ? a_[l * p_.m + i] : a_[i * p_.k + l];
        sum += a * (p_.transposeB ? b_[j * p_.k + l] : b_[l * p_.n + j]);
      }
      if (!(std::fabs(sum - c_[i * p_.n + j]) < 1e-2)) return false;
    }
    return true;
  }

  // Seconds of one call: the mean over a stretch of calls, so that whatever disturbs this machine counts here as it
  // does in the seconds of an epoch.
  double measure(double budget) {
    int calls = 0;
    const double begin = now();
    double end = begin;
    while (calls < 5 || end < begin + budget) {
      call();
      ++calls;
      end = now();
    }
    return (end - begin) / calls;
  }

 private:
  void call() {
    sgemm_(kRowMajor, p_.transposeA ? kTranspose : kNoTranspose, p_.transposeB ? kTranspose : kNoTranspose, p_.m, p_.n,
           p_.k, 1, a_.data(), p_.transposeA ? p_.m : p_.k, b_.data(), p_.transposeB ? p_.k : p_.n, 0, c_.data(), p_.n);
  }

  Sgemm sgemm_;
  Product p_;
  std::vector<float> a_, b_, c_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: sgemm LIBRARY SECONDS BATCH UNITS UNITS...\n");
    return 2;
  }
  // Read when the library is loaded: both can make it choose slower kernels than the processor has.
  ::unsetenv("OPENBLAS_CORETYPE");
  ::unsetenv("OPENBLAS_L2_SIZE");
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  void* library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return 3;
  }
  const auto sgemm = reinterpret_cast<Sgemm>(::dlsym(library, "cblas_sgemm"));
  const auto coreName = reinterpret_cast<const char* (*)()>(::dlsym(library, "openblas_get_corename"));
  const auto config = reinterpret_cast<const char* (*)()>(::dlsym(library, "openblas_get_config"));
  const auto setThreads = reinterpret_cast<void (*)(int)>(::dlsym(library, "openblas_set_num_threads"));
  if (!sgemm || !coreName || !config || !setThreads) {
    std::fprintf(stderr, "%s is not OpenBLAS: cblas_sgemm or openblas_* is missing\n", argv[1]);
    return 3;
  }
  setThreads(1);

  const double budget = std::atof(argv[2]);
  const int batch = std::atoi(argv[3]);
  std::vector<int> units;
  for (int i = 4; i < argc; ++i) units.push_back(std::atoi(argv[i]));
  if (batch < 1 || *std::min_element(units.begin(), units.end()) < 1) {
    std::fprintf(stderr, "BATCH and UNITS must be at least 1\n");
    return 2;
  }
  // The first two words of the configuration are name and version.
  const std::string text = config();
  const size_t space = text.find(' ');
  const std::string version = text.substr(0, space == std::string::npos ? space : text.find(' ', space + 1));
  std::printf("{\"core\":\"%s\",\"version\":\"%s\",\"products\":[", coreName(), version.c_str());
  bool first = true;
  for (const Product& product : productsOf(batch, units)) {
    Timing timing(sgemm, product);
    if (!timing.isRight()) {
      std::fprintf(stderr, "%s: the product is wrong\n", product.name.c_str());
      return 1;
    }
    const double seconds = timing.measure(budget);
    std::printf("%s{\"name\":\"%s\",\"m\":%d,\"n\":%d,\"k\":%d,\"flops\":%.0f,\"seconds\":%.9f}", first ? "" : ",",
                product.name.c_str(), product.m, product.n, product.k, 2.0 * product.m * product.n * product.k,
                seconds);
    first = false;
  }
  std::printf("]}\n");
  return 0;
}
