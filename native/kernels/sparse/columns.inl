// y = start + W x for a single sample, column by column: the way when most of x is 0, because its columns cost nothing.
// Every sum still is one chain over ascending columns; it waits in y between its terms.

static void sparseColumns(const SparseColumnsArgs& a) {
  for (int64_t r = 0; r < a.rows; ++r) a.y[r] = a.start ? a.start[r] : 0.0f;
  for (int64_t c = 0; c < a.columns; ++c) {
    const float x = a.x[c];
    if (x == 0) continue;
    for (uint64_t k = a.columnPointers[c]; k < a.columnPointers[c + 1]; ++k) {
      float* y = a.y + a.rowIndices[k];
      *y = maddOne(a.values[k], x, *y);
    }
  }
  for (int64_t r = 0; r < a.rows; ++r) a.y[r] += 0.0f;
}
