// SuiteSparse:GraphBLAS on the same layer (sparse_layer.h): GrB_mxm with a full X, GrB_mxv for a batch of one, in the
// usual orientations, each with and without an accumulator (into a full Y its kernels differ).
//
//   layer_graphblas [--rows R] [--columns C] [--density D] [--batches B,B...] [--threads N] [--seconds S] [--repeats N]
#include "graphblas.h"
#include "sparse_layer.h"

namespace bench {
namespace {

GrB_Matrix fullMatrix(int64_t rows, int64_t columns, bool byRow, const float* values) {
  GrB_Matrix matrix = emptyMatrix(rows, columns, byRow);
  const size_t bytes = static_cast<size_t>(rows * columns) * sizeof(float);
  void* copy = std::malloc(std::max(bytes, sizeof(float)));
  if (!copy) throw std::bad_alloc();
  std::memcpy(copy, values, bytes);
  if (byRow)
    BENCH_GRB(GxB_Matrix_pack_FullR(matrix, &copy, bytes, false, nullptr));
  else
    BENCH_GRB(GxB_Matrix_pack_FullC(matrix, &copy, bytes, false, nullptr));
  return matrix;
}

GrB_Matrix sparseMatrix(const SparseMatrix& w, bool byRow) {
  GrB_Matrix matrix = emptyMatrix(w.rows, w.columns, byRow);
  const size_t count = w.values.size();
  std::vector<GrB_Index> rows(count), columns(w.columnIndices.begin(), w.columnIndices.end());
  for (int64_t r = 0; r < w.rows; ++r)
    for (int k = w.rowPointers[static_cast<size_t>(r)]; k < w.rowPointers[static_cast<size_t>(r + 1)]; ++k)
      rows[static_cast<size_t>(k)] = static_cast<GrB_Index>(r);
  BENCH_GRB(GrB_Matrix_build_FP32(matrix, rows.data(), columns.data(), w.values.data(), count, GrB_PLUS_FP32));
  // A dense W stays in the sparse form too: that is what is asked about.
  BENCH_GRB(GxB_Matrix_Option_set(matrix, GxB_SPARSITY_CONTROL, GxB_SPARSE));
  BENCH_GRB(GrB_Matrix_wait(matrix, GrB_MATERIALIZE));
  return matrix;
}

struct MatrixHolder {
  explicit MatrixHolder(GrB_Matrix m) : matrix(m) {}
  ~MatrixHolder() { GrB_Matrix_free(&matrix); }
  MatrixHolder(const MatrixHolder&) = delete;
  MatrixHolder& operator=(const MatrixHolder&) = delete;
  GrB_Matrix matrix;
  std::vector<float> numbers;  // a copy of its values, for the check
};
using Holder = std::shared_ptr<MatrixHolder>;

// Values of Y, feature-major; entries that do not exist are zeros.
const float* numbersOf(const Holder& y, int64_t rows, int64_t columns) {
  GrB_Index count = 0;
  BENCH_GRB(GrB_Matrix_nvals(&count, y->matrix));
  std::vector<GrB_Index> i(count), j(count);
  std::vector<float> values(count);
  BENCH_GRB(GrB_Matrix_extractTuples_FP32(i.data(), j.data(), values.data(), &count, y->matrix));
  y->numbers.assign(static_cast<size_t>(rows * columns), 0.0f);
  for (size_t k = 0; k < count; ++k) y->numbers[i[k] * static_cast<size_t>(columns) + j[k]] = values[k];
  return y->numbers.data();
}

std::vector<Way> matrixWays(const LayerData& data) {
  const SparseMatrix& w = data.w();
  const int64_t rows = w.rows, columns = w.columns, batch = data.batch();
  const std::vector<float> zeros(data.ySize());
  std::vector<Way> ways;
  // Y = W X with all of them by row, or all by column; and with W by row and X, Y by column, or the other way round.
  for (const bool wByRow : {true, false}) {
    const Holder sparse = std::make_shared<MatrixHolder>(sparseMatrix(w, wByRow));
    for (const bool xByRow : {true, false}) {
      const Order order = xByRow ? Order::FeatureMajor : Order::SampleMajor;
      const Holder x = std::make_shared<MatrixHolder>(fullMatrix(columns, batch, xByRow, data.x(order).data()));
      const std::string name =
          std::string("mxm, W by ") + (wByRow ? "row" : "column") + ", X and Y by " + (xByRow ? "row" : "column");
      const Holder y = std::make_shared<MatrixHolder>(emptyMatrix(rows, batch, xByRow));
      ways.push_back({name, Order::FeatureMajor,
                      [=] {
                        BENCH_GRB(GrB_mxm(y->matrix, nullptr, nullptr, GrB_PLUS_TIMES_SEMIRING_FP32, sparse->matrix,
                                          x->matrix, nullptr));
                        BENCH_GRB(GrB_Matrix_wait(y->matrix, GrB_MATERIALIZE));
                      },
                      [=] { return numbersOf(y, rows, batch); }});
      const Holder full = std::make_shared<MatrixHolder>(fullMatrix(rows, batch, xByRow, zeros.data()));
      ways.push_back({name + ", into zeros", Order::FeatureMajor,
                      [=] {
                        BENCH_GRB(GrB_Matrix_assign_FP32(full->matrix, nullptr, nullptr, 0.0f, GrB_ALL,
                                                         static_cast<GrB_Index>(rows), GrB_ALL,
                                                         static_cast<GrB_Index>(batch), nullptr));
                        BENCH_GRB(GrB_mxm(full->matrix, nullptr, GrB_PLUS_FP32, GrB_PLUS_TIMES_SEMIRING_FP32,
                                          sparse->matrix, x->matrix, nullptr));
                        BENCH_GRB(GrB_Matrix_wait(full->matrix, GrB_MATERIALIZE));
                      },
                      [=] { return numbersOf(full, rows, batch); }});
    }
  }
  return ways;
}

struct VectorHolder {
  VectorHolder(int64_t size, const float* values) {
    BENCH_GRB(GrB_Vector_new(&vector, GrB_FP32, static_cast<GrB_Index>(size)));
    if (!values) return;
    const size_t bytes = static_cast<size_t>(size) * sizeof(float);
    void* copy = std::malloc(bytes);
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, values, bytes);
    BENCH_GRB(GxB_Vector_pack_Full(vector, &copy, bytes, false, nullptr));
  }
  ~VectorHolder() { GrB_Vector_free(&vector); }
  VectorHolder(const VectorHolder&) = delete;
  VectorHolder& operator=(const VectorHolder&) = delete;

  const float* read(int64_t size) {
    GrB_Index count = 0;
    BENCH_GRB(GrB_Vector_nvals(&count, vector));
    std::vector<GrB_Index> i(count);
    std::vector<float> values(count);
    BENCH_GRB(GrB_Vector_extractTuples_FP32(i.data(), values.data(), &count, vector));
    numbers.assign(static_cast<size_t>(size), 0.0f);
    for (size_t k = 0; k < count; ++k) numbers[i[k]] = values[k];
    return numbers.data();
  }

  GrB_Vector vector = nullptr;
  std::vector<float> numbers;
};

std::vector<Way> vectorWays(const LayerData& data) {
  const SparseMatrix& w = data.w();
  const int64_t rows = w.rows;
  const auto x = std::make_shared<VectorHolder>(w.columns, data.x(Order::FeatureMajor).data());
  const std::vector<float> zeros(static_cast<size_t>(rows));
  std::vector<Way> ways;
  for (const bool byRow : {true, false}) {
    const Holder sparse = std::make_shared<MatrixHolder>(sparseMatrix(w, byRow));
    const std::string name = std::string("mxv, W by ") + (byRow ? "row" : "column");
    const auto y = std::make_shared<VectorHolder>(rows, nullptr);
    ways.push_back({name, Order::FeatureMajor,
                    [=] {
                      BENCH_GRB(GrB_mxv(y->vector, nullptr, nullptr, GrB_PLUS_TIMES_SEMIRING_FP32, sparse->matrix,
                                        x->vector, nullptr));
                      BENCH_GRB(GrB_Vector_wait(y->vector, GrB_MATERIALIZE));
                    },
                    [=] { return y->read(rows); }});
    const auto full = std::make_shared<VectorHolder>(rows, zeros.data());
    ways.push_back({name + ", into zeros", Order::FeatureMajor,
                    [=] {
                      BENCH_GRB(GrB_Vector_assign_FP32(full->vector, nullptr, nullptr, 0.0f, GrB_ALL,
                                                       static_cast<GrB_Index>(rows), nullptr));
                      BENCH_GRB(GrB_mxv(full->vector, nullptr, GrB_PLUS_FP32, GrB_PLUS_TIMES_SEMIRING_FP32,
                                        sparse->matrix, x->vector, nullptr));
                      BENCH_GRB(GrB_Vector_wait(full->vector, GrB_MATERIALIZE));
                    },
                    [=] { return full->read(rows); }});
  }
  return ways;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const LayerProblem problem(argc, argv);
  BENCH_GRB(GrB_init(GrB_NONBLOCKING));
  setGraphBlasThreads(problem.threads);
  Library library;
  library.name = "SuiteSparse:GraphBLAS";
  library.version = graphBlasVersion();
  library.ways = [](const LayerData& data) { return data.batch() == 1 ? vectorWays(data) : matrixWays(data); };
  const int code = runLayers(problem, library);
  BENCH_GRB(GrB_finalize());
  return code;
}
