// What the timings of kernels.cc share: panels and sparse matrices as the kernels want them, the ceilings of an
// instruction set, and figures with the share of the ceiling that binds.
#pragma once

#include <functional>
#include <map>

#include "ceilings.h"
#include "cpu/column_form.h"
#include "cpu/packed_matrix.h"
#include "kernels/dispatch.h"
#include "sparse_layer.h"

namespace bench {

using setnet::kernels::KernelTable;

// Panels of random numbers, as kernel_args.h describes them.
class PanelMemory {
 public:
  PanelMemory(int64_t features, int64_t samples, uint64_t seed)
      : features_(features),
        samples_(samples),
        width_(samples <= 16 ? 16 : 32),
        data_(static_cast<size_t>(features * width_ * ((samples + width_ - 1) / width_))) {
    data_.fillRandom(seed);
  }
  int64_t vectors() const { return (samples_ + 15) / 16; }
  setnet::kernels::Panels panels() { return {data_.data(), features_ * width_, width_}; }
  size_t bytes() const { return data_.size() * sizeof(float); }
  // Of one panel: what a kernel walks at a time.
  size_t panelBytes() const { return static_cast<size_t>(features_ * width_) * sizeof(float); }

 private:
  int64_t features_, samples_, width_;
  Buffer<float> data_;
};

// A random matrix in the forms that the kernels walk.
struct PackedWeights {
  PackedWeights(int64_t rows, int64_t columnCount, double density, bool updatable) {
    const SparseMatrix w = randomMatrix(rows, columnCount, density, 1);
    const std::vector<uint64_t> rowPointers(w.rowPointers.begin(), w.rowPointers.end());
    const std::vector<uint32_t> columnIndices(w.columnIndices.begin(), w.columnIndices.end());
    setnet::core::CsrView view;
    view.rows = static_cast<uint64_t>(rows);
    view.columns = static_cast<uint64_t>(columnCount);
    view.rowPointers = rowPointers;
    view.columnIndices = columnIndices;
    view.values = w.values;
    setnet::cpu::PackOptions options;
    options.companionCount = updatable ? 1 : 0;
    options.updatable = updatable;
    setnet::cpu::PackMemory memory;
    setnet::Status status = forward.pack(view, options, &memory);
    if (status.ok() && updatable) status = transposed.packTransposed(view, forward, 1, &memory);
    if (!status.ok()) Options::fail(status.message());
    if (updatable) return;
    columns.build(view);
    options.singles = true;
    status = singles.pack(view, options, &memory);
    if (!status.ok()) Options::fail(status.message());
  }
  double connections() const { return static_cast<double>(forward.count()); }

  setnet::cpu::PackedMatrix forward, transposed, singles;
  setnet::cpu::ColumnForm columns;
};

// SGD with momentum, a learning rate so small that weights stay what they are.
struct Optimizer {
  Optimizer() {
    setnet::rules::RuleChoice choice;
    choice.rule = static_cast<int>(setnet::rules::Optimizer::Sgd);
    choice.parameters[0] = 0.9;
    setnet::rules::prepareOptimizer(choice, {1e-9f, 1}, false, coefficients);
  }
  setnet::kernels::OptimizerChoice choice() const {
    return {static_cast<int>(setnet::rules::Optimizer::Sgd), coefficients};
  }
  float coefficients[setnet::rules::kMaxCoefficients] = {};
};

struct Ceiling {
  std::string name;
  double value = 0;    // per second, in the unit of the amount that is compared with it; 0: there is none
  std::string absent;  // why there is none
};

// The ceilings of one instruction set, each measured when it is first asked for.
class Ceilings {
 public:
  Ceilings(const char* isa, const CeilingMeter& meter) : meter_(meter) {
    for (const CeilingIsa& one : isas_)
      if (std::strcmp(one.name, isa) == 0 && one.runsHere) isa_ = &one;
  }
  Ceilings(const Ceilings&) = delete;
  Ceilings& operator=(const Ceilings&) = delete;

  Ceiling fma() {
    return find("FMA", [&] { return meter_.fma(*isa_); });
  }
  // Rows of 16 or 32 floats out of `bytes` of them.
  Ceiling randomRows(int floats, size_t bytes) {
    const size_t block = size_t{48} << 10;
    const bool isSmall = bytes <= block, isMiddle = bytes <= meter_.caches().l2Set();
    const size_t set = isSmall                                    ? block
                       : isMiddle || meter_.caches().l3Set() == 0 ? meter_.caches().l2Rows()
                                                                  : meter_.caches().l3Set();
    return find("random rows of " + std::to_string(floats) + " floats in " +
                    (isSmall    ? "48 KB"
                     : isMiddle ? "L2"
                                : "L3"),
                [&] { return meter_.randomRows(*isa_, floats, set); });
  }
  Ceiling softwareGather() {
    return find("software gather", [&] { return meter_.softwareGather(*isa_); });
  }
  // Bytes read, and read and written, where `bytes` are walked again and again.
  Ceiling read(size_t bytes) {
    return find("read from " + levelOf(bytes), [&] { return meter_.read(*isa_, setOf(bytes)); });
  }
  Ceiling update(size_t bytes) {
    return find("update in " + levelOf(bytes), [&] { return meter_.update(*isa_, setOf(bytes)); });
  }

 private:
  template <class Measure>
  Ceiling find(const std::string& name, Measure&& measure) {
    if (!isa_) return {name, 0, "no ceilings are measured for this instruction set"};
    const auto found = values_.find(name);
    if (found != values_.end()) return {name, found->second, ""};
    const double value = measure().value;
    values_[name] = value;
    return {name, value, ""};
  }
  std::string levelOf(size_t bytes) const {
    const Caches& caches = meter_.caches();
    if (bytes <= caches.l1) return "L1";
    if (bytes <= caches.l2) return "L2";
    return caches.l3Set() > 0 && bytes <= 4 * caches.l3Set() ? "L3" : "DRAM";
  }
  size_t setOf(size_t bytes) const {
    const Caches& caches = meter_.caches();
    const std::string level = levelOf(bytes);
    return level == "L1"   ? caches.l1Set()
           : level == "L2" ? caches.l2Set()
           : level == "L3" ? caches.l3Set()
                           : caches.memorySet();
  }

  const CeilingMeter& meter_;
  const std::vector<CeilingIsa> isas_ = ceilingIsas();
  const CeilingIsa* isa_ = nullptr;
  std::map<std::string, double> values_;
};

// What one timing of a kernel gives.
struct KernelRun {
  std::string kernel, shape;
  int64_t batch;  // samples; 0: the kernel knows none
  double amount;  // of a call, in what `bound` counts: FLOP, bytes, elements
  Ceiling bound;
  std::string unit;     // GFLOP/s, GB/s, G elements/s, or ns per element
  double elements = 0;  // where the unit is ns per element
};

// Times the kernels of one table and prints their figures.
class KernelBench {
 public:
  KernelBench(const KernelTable& kernelTable, const CeilingMeter& meter, const Timing& timing, const OpenBlas* blas)
      : table(kernelTable), ceilings(kernelTable.name, meter), timing_(timing), blas_(blas) {}

  // Times `call` and prints its rate and its share of the bound; gives the seconds of a call.
  double run(const KernelRun& what, const std::function<void()>& call) const {
    const Measured measured = measure(timing_, call);
    const std::string title = titleOf(what);
    const double rate = what.amount / measured.seconds;
    const bool isTime = what.elements > 0;
    Figure figure(title, isTime ? measured.seconds * 1e9 / what.elements : rate / 1e9, what.unit);
    figure.add("microseconds", measured.seconds * 1e6).add("best", measured.best * 1e6);
    describe(figure, what, measured.repeats).print();
    share(what, rate, measured.repeats);
    return measured.seconds;
  }
  // The same product through OpenBLAS, C (m x n) = A (m x k) B (k x n): its share of that is the dense kernels'
  // measure.
  void compareWithSgemm(KernelRun what, double seconds, int m, int n, int k) const {
    if (!blas_) return;
    what.bound = {"sgemm of the same product", 0, blas_->absent};
    if (blas_->absent.empty()) {
      const auto cells = [](int a, int b) { return static_cast<size_t>(a) * static_cast<size_t>(b); };
      Buffer<float> a(cells(m, k)), b(cells(k, n)), c(cells(m, n));
      a.fillRandom(1);
      b.fillRandom(2);
      const Measured measured = measure(timing_, [&] {
        blas_->sgemm(kRowMajor, kNoTranspose, kNoTranspose, m, n, k, 1, a.data(), k, b.data(), n, 0, c.data(), n);
      });
      what.bound.value = what.amount / measured.seconds;
    }
    share(what, what.amount / seconds, timing_.repeats);
  }

  const KernelTable& table;
  mutable Ceilings ceilings;

 private:
  std::string titleOf(const KernelRun& what) const {
    return what.kernel + " " + what.shape + (what.batch > 0 ? ", batch " + std::to_string(what.batch) : "") + ", " +
           table.name;
  }
  Figure& describe(Figure& figure, const KernelRun& what, int repeats) const {
    figure.add("kernel", what.kernel).add("isa", table.name).add("shape", what.shape).add("batch", what.batch);
    return figure.add("threads", 1).add("repeats", repeats).add("bound", what.bound.name);
  }
  void share(const KernelRun& what, double rate, int repeats) const {
    const std::string name = titleOf(what) + ": share of " + what.bound.name;
    Figure figure = what.bound.value > 0 ? Figure(name, rate / what.bound.value, "fraction")
                                         : Figure::absent(name, "fraction", what.bound.absent);
    if (what.bound.value > 0) figure.add("ceiling", what.bound.value / 1e9);
    describe(figure, what, repeats).print();
  }

  Timing timing_;
  const OpenBlas* blas_;
};

}  // namespace bench
