// The dense product of the same layer through OpenBLAS (sparse_layer.h): what the zeros cost where nobody skips them.
//
//   layer_openblas [--rows R] [--columns C] [--density D] [--batches B,B...] [--threads N] [--seconds S] [--repeats N]
#include "openblas.h"
#include "sparse_layer.h"

namespace bench {
namespace {

std::vector<Way> waysOf(const OpenBlas& blas, const std::shared_ptr<std::vector<float>>& dense, const LayerData& data) {
  const int rows = static_cast<int>(data.w().rows), columns = static_cast<int>(data.w().columns);
  const int batch = static_cast<int>(data.batch());
  const auto y = std::make_shared<Buffer<float>>(data.ySize());
  const auto result = [y] { return static_cast<const float*>(y->data()); };
  const float* featureMajor = data.x(Order::FeatureMajor).data();
  const float* sampleMajor = data.x(Order::SampleMajor).data();
  std::vector<Way> ways;
  ways.push_back({"sgemm, W X", Order::FeatureMajor,
                  [=, &blas] {
                    blas.sgemm(kRowMajor, kNoTranspose, kNoTranspose, rows, batch, columns, 1, dense->data(), columns,
                               featureMajor, batch, 0, y->data(), batch);
                  },
                  result});
  ways.push_back({"sgemm, X W^T", Order::SampleMajor,
                  [=, &blas] {
                    blas.sgemm(kRowMajor, kNoTranspose, kTranspose, batch, rows, columns, 1, sampleMajor, columns,
                               dense->data(), columns, 0, y->data(), rows);
                  },
                  result});
  if (batch == 1)
    ways.push_back({"sgemv", Order::FeatureMajor,
                    [=, &blas] {
                      blas.sgemv(kRowMajor, kNoTranspose, rows, columns, 1, dense->data(), columns, featureMajor, 1, 0,
                                 y->data(), 1);
                    },
                    result});
  return ways;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const LayerProblem problem(argc, argv);
  const OpenBlas blas = OpenBlas::load(problem.threads);
  Library library;
  library.name = "OpenBLAS dense";
  library.version = blas.version;
  library.dense = true;
  library.absent = blas.absent;
  const double bytes = 4.0 * static_cast<double>(problem.rows) * static_cast<double>(problem.columns);
  if (bytes > 4e9) library.absent = "the dense matrix would take more than 4 GB";
  if (library.absent.empty()) library.notes = {{"core", blas.core}};
  std::shared_ptr<std::vector<float>> dense;  // the same matrix for every batch size
  library.ways = [&](const LayerData& data) {
    if (!dense) dense = std::make_shared<std::vector<float>>(denseOf(data.w()));
    return waysOf(blas, dense, data);
  };
  return runLayers(problem, library);
}
