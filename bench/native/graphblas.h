// SuiteSparse:GraphBLAS for C++: its header, and what every program with it needs.
#pragma once

#include "support.h"

// A header for C, without the words that C++ needs; what it includes itself has to be included before.
#include <complex.h>
#include <stddef.h>

extern "C" {
#include <GraphBLAS.h>
}

namespace bench {

inline void checkGraphBlas(GrB_Info info, const char* what) {
  if (info == GrB_SUCCESS) return;
  std::fprintf(stderr, "%s failed: GraphBLAS error %d\n", what, static_cast<int>(info));
  std::exit(1);
}
#define BENCH_GRB(call) ::bench::checkGraphBlas((call), #call)

// An int constant there, an enumerator here.
inline void setGraphBlasThreads(int threads) {
  BENCH_GRB(GxB_Global_Option_set(static_cast<GxB_Option_Field>(GxB_NTHREADS), threads));
}

inline std::string graphBlasVersion() {
  return std::to_string(GxB_IMPLEMENTATION_MAJOR) + "." + std::to_string(GxB_IMPLEMENTATION_MINOR) + "." +
         std::to_string(GxB_IMPLEMENTATION_SUB);
}

// A matrix by row or by column.
inline GrB_Matrix emptyMatrix(int64_t rows, int64_t columns, bool byRow) {
  GrB_Matrix matrix = nullptr;
  BENCH_GRB(GrB_Matrix_new(&matrix, GrB_FP32, static_cast<GrB_Index>(rows), static_cast<GrB_Index>(columns)));
  BENCH_GRB(GxB_Matrix_Option_set(matrix, GxB_FORMAT, byRow ? GxB_BY_ROW : GxB_BY_COL));
  return matrix;
}

}  // namespace bench
