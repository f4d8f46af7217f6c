// Eigen's product of a row-major sparse matrix with a dense one (sparse_layer.h).
//
//   layer_eigen [--rows R] [--columns C] [--density D] [--batches B,B...] [--threads N] [--seconds S] [--repeats N]
#include <Eigen/Core>
#include <Eigen/SparseCore>

#include "sparse_layer.h"

namespace bench {
namespace {

using Sparse = Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor, int>>;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ColumnMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

template <class Dense>
Way denseWay(const std::string& name, const Sparse& w, const LayerData& data, Order order) {
  const auto y = std::make_shared<Dense>(Dense::Zero(w.rows(), data.batch()));
  const float* x = data.x(order).data();
  const auto run = [w, x, y, batch = data.batch()] { y->noalias() = w * Eigen::Map<const Dense>(x, w.cols(), batch); };
  return {name, order, run, [y] { return y->data(); }};
}

std::vector<Way> waysOf(const LayerData& data) {
  const SparseMatrix& w = data.w();
  const Sparse sparse(w.rows, w.columns, w.connections(), w.rowPointers.data(), w.columnIndices.data(),
                      w.values.data());
  if (data.batch() == 1) {
    const auto y = std::make_shared<Eigen::VectorXf>(Eigen::VectorXf::Zero(w.rows));
    const float* x = data.x(Order::FeatureMajor).data();
    const auto run = [sparse, x, y] { y->noalias() = sparse * Eigen::Map<const Eigen::VectorXf>(x, sparse.cols()); };
    return {{"row-major sparse times vector", Order::FeatureMajor, run, [y] { return y->data(); }}};
  }
  return {denseWay<RowMajor>("row-major sparse times row-major dense", sparse, data, Order::FeatureMajor),
          denseWay<ColumnMajor>("row-major sparse times column-major dense", sparse, data, Order::SampleMajor)};
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bench::LayerProblem problem(argc, argv);
  Eigen::setNbThreads(problem.threads);
  bench::Library library;
  library.name = "Eigen";
  library.version = std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                    std::to_string(EIGEN_MINOR_VERSION);
  library.notes = {{"simd", Eigen::SimdInstructionSetsInUse()}};
  library.ways = &bench::waysOf;
  return bench::runLayers(problem, library);
}
