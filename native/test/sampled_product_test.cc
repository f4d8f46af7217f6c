// The sampled product by itself: against its chains written out, bit for bit, and against the reference in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/backend.h"
#include "cpu/pool/pool.h"
#include "kernels/dispatch.h"
#include "reference/backend.h"
#include "test/check.h"
#include "test/kernel_panels.h"

namespace setnet::test {
namespace {

backend::MatrixView viewOf(const std::vector<float>& data, uint64_t rows, uint64_t columns) {
  return {data.data(), backend::DataType::Float32, rows, columns};
}

// Sample s goes to chain s mod 16; then the tree. `fused`: multiplied and added in one rounding, else in two.
float sumOf(const std::vector<float>& a, const std::vector<float>& b, uint64_t samples, const core::CsrMatrix& m,
            uint64_t row, uint64_t column, bool fused) {
  float chains[16] = {};
  for (uint64_t s = 0; s < samples; ++s) {
    const float x = a[s * m.rows + row], y = b[s * m.columns + column];
    chains[s % 16] = fused ? std::fma(x, y, chains[s % 16]) : chains[s % 16] + x * y;
  }
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) chains[i] += chains[i + half];
  return chains[0] + 0.0f;
}

TEST("the sampled product is its chains, bit for bit, for any shape, batch and number of threads") {
  const kernels::KernelTable* table = nullptr;
  REQUIRE_OK(kernels::active(&table));
  cpu::pool::configure(4);
  Random random(11);
  for (int round = 0; round < 60; ++round) {
    const bool large = round % 10 == 9;  // enough work for several threads
    const core::CsrMatrix m =
        large ? randomCsr(300, 500, 0.1, random)
              : randomCsr(random.between(0, 40), random.between(0, 60), random.uniform(0, 1), random);
    const uint64_t samples = large ? 170 : static_cast<uint64_t>(random.between(0, 70));
    const std::vector<float> a = randomNumbers(samples * m.rows, random),
                             b = randomNumbers(samples * m.columns, random);
    std::vector<float> expected;
    for (uint64_t r = 0; r < m.rows; ++r)
      for (uint64_t k = m.rowPointers[r]; k < m.rowPointers[r + 1]; ++k)
        expected.push_back(sumOf(a, b, samples, m, r, m.columnIndices[k], table->fused));
    const backend::MatrixView x = viewOf(a, samples, m.rows), y = viewOf(b, samples, m.columns);
    for (int threads = 1; threads <= 3; ++threads) {
      std::vector<float> values(m.count(), 7.0f);
      CHECK_OK(cpu::backend().sampledProduct(m, x, y, threads, values));
      CHECK(values == expected);
    }
    std::vector<float> reference(m.count(), 7.0f);
    CHECK_OK(reference::backend().sampledProduct(m, x, y, 1, reference));
    for (size_t k = 0; k < expected.size(); ++k) CHECK(std::fabs(reference[k] - expected[k]) < 1e-4f);
  }
}

TEST("operands that do not fit, or are not finite, are refused by both backends") {
  Random random(3);
  const core::CsrMatrix m = randomCsr(5, 4, 0.5, random);
  std::vector<float> a(2 * 5, 1.0f), b(2 * 4, 1.0f), values(m.count());
  for (const backend::Backend* backend : {&cpu::backend(), &reference::backend()}) {
    const auto codeOf = [&](const backend::MatrixView& x, const backend::MatrixView& y, Span<float> out) {
      return backend->sampledProduct(m, x, y, 1, out).code();
    };
    CHECK(codeOf(viewOf(a, 2, 5), viewOf(b, 2, 4), values) == Code::Ok);
    CHECK(codeOf(viewOf(a, 1, 5), viewOf(b, 2, 4), values) == Code::Shape);
    CHECK(codeOf(viewOf(a, 2, 4), viewOf(b, 2, 4), values) == Code::Shape);
    CHECK(codeOf(viewOf(a, 2, 5), viewOf(b, 2, 3), values) == Code::Shape);
    CHECK(codeOf(viewOf(a, 2, 5), viewOf(b, 2, 4), {values.data(), values.size() - 1}) == Code::Shape);
    a[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK(codeOf(viewOf(a, 2, 5), viewOf(b, 2, 4), values) == Code::Nonfinite);
    a[7] = 1;
  }
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
