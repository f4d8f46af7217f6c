// Times OpenBLAS's sgemm on the products of one training step of a dense network, on one thread.
//
//   sgemm [--batch B] [--units U,U...] [--seconds S]
//
// --units: of each level of the network. Its figures are the seconds of one call, the mean over a stretch of --seconds.
#include "openblas.h"
#include "support.h"

namespace bench {
namespace {

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

class Call {
 public:
  Call(const OpenBlas& blas, const Product& product)
      : blas_(blas),
        p_(product),
        a_(static_cast<size_t>(p_.m) * p_.k),
        b_(static_cast<size_t>(p_.k) * p_.n),
        c_(static_cast<size_t>(p_.m) * p_.n) {
    a_.fillRandom(1);
    b_.fillRandom(2);
  }

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
    blas_.sgemm(kRowMajor, p_.transposeA ? kTranspose : kNoTranspose, p_.transposeB ? kTranspose : kNoTranspose, p_.m,
                p_.n, p_.k, 1, a_.data(), p_.transposeA ? p_.m : p_.k, b_.data(), p_.transposeB ? p_.k : p_.n, 0,
                c_.data(), p_.n);
  }

  const OpenBlas& blas_;
  Product p_;
  Buffer<float> a_, b_, c_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const Options options(argc, argv, {"batch", "units", "seconds"});
  const int batch = static_cast<int>(options.integer("batch", 100, 1, 1 << 20));
  const double budget = options.number("seconds", 0.2, 1e-6, 60);
  std::vector<int> units;
  for (const int64_t size : options.integers("units", {784, 1000, 1000, 1000, 10}, 1, 1 << 20))
    units.push_back(static_cast<int>(size));
  if (units.size() < 2) Options::fail("--units wants the sizes of two levels at least");
  const OpenBlas blas = OpenBlas::load(1);
  if (!blas.absent.empty()) {
    Figure::absent("OpenBLAS sgemm", "s", blas.absent).print();
    return 0;
  }
  for (const Product& product : productsOf(batch, units)) {
    Call call(blas, product);
    if (!call.isRight()) {
      std::fprintf(stderr, "%s: the product is wrong\n", product.name.c_str());
      return 1;
    }
    Figure(product.name, call.measure(budget), "s")
        .add("m", product.m)
        .add("n", product.n)
        .add("k", product.k)
        .add("flops", 2.0 * product.m * product.n * product.k)
        .add("core", blas.core)
        .add("version", blas.version)
        .print();
  }
  return 0;
}
