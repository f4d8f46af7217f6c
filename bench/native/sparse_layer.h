// The problem of the programs layer_LIBRARY.cc: Y = W X in f32 for a random sparse W [rows][columns] in CSR form and
// dense X [columns][batch], Y [rows][batch]. Each program names its library and gives ways to compute this; a way is
// checked against a product in double first and timed then, and the best one is the library's figure.
#pragma once

#include <functional>
#include <memory>

#include "support.h"

namespace bench {

struct SparseMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<int> rowPointers, columnIndices;  // ascending in each row
  std::vector<float> values;

  int64_t connections() const { return static_cast<int64_t>(values.size()); }
};

// Each cell is there with probability `density`.
inline SparseMatrix randomMatrix(int64_t rows, int64_t columns, double density, uint64_t seed) {
  SparseMatrix w;
  w.rows = rows;
  w.columns = columns;
  Random random(seed);
  // The gap to the next cell that is there is geometric.
  const double step = density < 1 ? 1 / std::log1p(-density) : 0;
  const auto gap = [&] { return density < 1 ? std::floor(std::log(1 - random.unit()) * step) : 0.0; };
  const double cells = static_cast<double>(rows) * static_cast<double>(columns);
  w.rowPointers.push_back(0);
  for (double cell = gap(); cell < cells; cell += 1 + gap()) {
    const int64_t at = static_cast<int64_t>(cell), row = at / columns;
    while (static_cast<int64_t>(w.rowPointers.size()) <= row)
      w.rowPointers.push_back(static_cast<int>(w.values.size()));
    w.columnIndices.push_back(static_cast<int>(at % columns));
    w.values.push_back(random.uniform());
  }
  while (static_cast<int64_t>(w.rowPointers.size()) <= rows) w.rowPointers.push_back(static_cast<int>(w.values.size()));
  return w;
}

inline std::vector<float> denseOf(const SparseMatrix& w) {
  std::vector<float> dense(static_cast<size_t>(w.rows * w.columns));
  for (int64_t r = 0; r < w.rows; ++r)
    for (int k = w.rowPointers[static_cast<size_t>(r)]; k < w.rowPointers[static_cast<size_t>(r + 1)]; ++k)
      dense[static_cast<size_t>(r * w.columns + w.columnIndices[static_cast<size_t>(k)])] =
          w.values[static_cast<size_t>(k)];
  return dense;
}

// Whether feature f of sample b lies at f * batch + b, or at b * features + f.
enum class Order { FeatureMajor, SampleMajor };

inline const char* nameOf(Order order) { return order == Order::FeatureMajor ? "feature-major" : "sample-major"; }

// X in either order, the true Y in double, and the sums of its terms' absolute values, by which errors are judged.
class LayerData {
 public:
  LayerData(const SparseMatrix& w, int64_t batch)
      : w_(w), batch_(batch), featureMajor_(xSize()), sampleMajor_(xSize()) {
    featureMajor_.fillRandom(7);
    for (int64_t f = 0; f < w.columns; ++f)
      for (int64_t b = 0; b < batch; ++b)
        sampleMajor_[static_cast<size_t>(b * w.columns + f)] = featureMajor_[static_cast<size_t>(f * batch + b)];
  }

  const SparseMatrix& w() const { return w_; }
  int64_t batch() const { return batch_; }
  size_t ySize() const { return static_cast<size_t>(w_.rows * batch_); }
  const Buffer<float>& x(Order order) const { return order == Order::FeatureMajor ? featureMajor_ : sampleMajor_; }
  // Rows that are checked: all, unless that would take more than a second or so.
  int64_t checkedRows() const {
    const double limit = 3e8, work = static_cast<double>(w_.connections()) * static_cast<double>(batch_);
    return work <= limit ? w_.rows
                         : std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(w_.rows) * limit / work));
  }
  // The largest |y - true y| / (sum of the terms' absolute values); NaN where one is.
  double maxRelativeError(const float* y, Order order) const {
    double worst = 0;
    const int64_t checked = checkedRows();
    std::vector<double> sums(static_cast<size_t>(batch_)), sizes(static_cast<size_t>(batch_));
    for (int64_t i = 0; i < checked; ++i) {
      const int64_t row = i * w_.rows / checked;
      std::fill(sums.begin(), sums.end(), 0);
      std::fill(sizes.begin(), sizes.end(), 0);
      for (int k = w_.rowPointers[static_cast<size_t>(row)]; k < w_.rowPointers[static_cast<size_t>(row + 1)]; ++k) {
        const double value = w_.values[static_cast<size_t>(k)];
        const float* x = featureMajor_.data() + static_cast<size_t>(w_.columnIndices[static_cast<size_t>(k)] * batch_);
        for (size_t b = 0; b < sums.size(); ++b) {
          sums[b] += value * x[b];
          sizes[b] += std::fabs(value * x[b]);
        }
      }
      for (int64_t b = 0; b < batch_; ++b) {
        const float result = y[order == Order::FeatureMajor ? row * batch_ + b : b * w_.rows + row];
        const double difference = std::fabs(result - sums[static_cast<size_t>(b)]);
        const double size = sizes[static_cast<size_t>(b)];
        // A row without connections has to be exactly 0.
        const double error = size > 0 ? difference / size : difference == 0 ? 0 : 1;
        if (!(error <= worst)) worst = error;
      }
    }
    return worst;
  }

 private:
  size_t xSize() const { return static_cast<size_t>(w_.columns * batch_); }

  const SparseMatrix& w_;
  int64_t batch_;
  Buffer<float> featureMajor_, sampleMajor_;
};

// One way of a library to compute a layer.
struct Way {
  std::string name;
  Order order;                      // of Y
  std::function<void()> run;        // writes Y
  std::function<const float*()> y;  // where Y lies after run()
};

// What a program has to say about its library.
struct Library {
  std::string name, version;
  std::string absent;                                      // why it cannot be used; empty: it can
  bool dense = false;                                      // it computes the zeros too
  std::vector<std::pair<std::string, std::string>> notes;  // further fields of its figures
  std::function<std::vector<Way>(const LayerData&)> ways;  // for this layer
};

struct LayerProblem {
  int threads;
  Timing timing;
  int64_t rows, columns;
  double density;
  uint64_t seed;
  std::vector<int64_t> batches;

  LayerProblem(int argc, char** argv) {
    const Options options(argc, argv,
                          {"rows", "columns", "density", "batches", "seed", "threads", "seconds", "repeats"});
    threads = static_cast<int>(options.integer("threads", 1, 1, 1024));
    timing = options.timing(0.01, 9);
    rows = options.integer("rows", 1000, 1, 1 << 24);
    columns = options.integer("columns", 1000, 1, 1 << 24);
    density = options.number("density", 0.04, 0, 1);
    seed = static_cast<uint64_t>(options.integer("seed", 1, 0, 1LL << 53));
    batches = options.integers("batches", {1, 16, 128, 1024}, 1, 1 << 20);
    // Libraries count in 32 bits.
    const double limit = 2147483647.0;
    int64_t widest = 0;
    for (const int64_t batch : batches) widest = std::max(widest, batch);
    if (static_cast<double>(rows) * static_cast<double>(columns) * density * 1.1 > limit)
      Options::fail("the matrix has too many connections for 32-bit indices");
    if (static_cast<double>(std::max(rows, columns)) * static_cast<double>(widest) > limit)
      Options::fail("X or Y has too many numbers for 32-bit indices");
  }
};

// Errors of a sum in f32 grow with its length, by the rule at most like this; a wrong product is far beyond.
inline double toleranceOf(const SparseMatrix& w) {
  int longest = 1;
  for (int64_t r = 0; r < w.rows; ++r)
    longest = std::max(longest, w.rowPointers[static_cast<size_t>(r + 1)] - w.rowPointers[static_cast<size_t>(r)]);
  return 6e-8 * (longest + 8);
}

// One figure per batch size: seconds of the library's best way, in microseconds.
inline int runLayers(const LayerProblem& problem, const Library& library) {
  const SparseMatrix w = randomMatrix(problem.rows, problem.columns, problem.density, problem.seed);
  for (const int64_t batch : problem.batches) {
    const std::string title = library.name + ", batch " + std::to_string(batch);
    const auto finish = [&](Figure figure) {
      figure.add("library", library.name).add("threads", problem.threads).add("batch", batch);
      figure.add("rows", problem.rows).add("columns", problem.columns).add("density", problem.density);
      figure.add("connections", w.connections());
      if (library.dense) figure.add("dense", true);
      if (!library.version.empty()) figure.add("version", library.version);
      for (const auto& [key, value] : library.notes) figure.add(key, value);
      figure.print();
    };
    if (!library.absent.empty()) {
      finish(Figure::absent(title, "us", library.absent));
      continue;
    }
    const LayerData data(w, batch);
    const std::vector<Way> ways = library.ways(data);
    const Way* best = nullptr;
    Measured fastest;
    double worst = 0;
    std::string wrong;
    const double tolerance = toleranceOf(w);
    for (const Way& way : ways) {
      way.run();
      const double error = data.maxRelativeError(way.y(), way.order);
      if (!(error <= tolerance)) {
        char text[40];
        std::snprintf(text, sizeof text, "%.3g", error);
        wrong += (wrong.empty() ? "" : "; ") + way.name + ": its result is wrong, relative error " + text;
        continue;
      }
      const Measured measured = measure(problem.timing, way.run);
      if (best && measured.seconds >= fastest.seconds) continue;
      best = &way;
      fastest = measured;
      worst = error;
    }
    if (!best) {
      finish(Figure::absent(title, "us", wrong.empty() ? "the library has no kernel for this shape" : wrong));
      continue;
    }
    const double flops = 2.0 * static_cast<double>(w.connections()) * static_cast<double>(batch);
    Figure figure(title, fastest.seconds * 1e6, "us");
    figure.add("best", fastest.best * 1e6).add("repeats", fastest.repeats).add("way", best->name);
    figure.add("ways", static_cast<int64_t>(ways.size())).add("gflops", flops / fastest.seconds / 1e9);
    figure.add("maxRelativeError", worst).add("rowsChecked", data.checkedRows());
    if (!wrong.empty()) figure.add("wrong", wrong);
    finish(figure);
  }
  return 0;
}

}  // namespace bench
