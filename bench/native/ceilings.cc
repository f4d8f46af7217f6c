// The ceilings of this machine, a JSON line each:
//
//   ceilings [--threads N] [--seconds S] [--repeats R]
//
// --seconds: of one repeat. With several threads every one has data of its own and the rates are added.
#include "ceilings.h"

namespace bench {
namespace {

class Report {
 public:
  explicit Report(const CeilingMeter& meter) : meter_(meter) {}

  void rate(const std::string& what, const CeilingIsa& isa, const Rate& rate, const std::string& unit,
            size_t bytes = 0) const {
    Figure figure(what + ", " + isa.name, rate.value / 1e9, unit);
    figure.add("ceiling", what).add("isa", isa.name).add("threads", meter_.threads()).add("repeats", rate.repeats);
    figure.add("best", rate.best / 1e9);
    if (bytes > 0) figure.add("bytes", static_cast<int64_t>(bytes));
    figure.print();
  }
  void absent(const std::string& what, const CeilingIsa& isa, const std::string& unit, const std::string& why) const {
    Figure figure = Figure::absent(what + ", " + isa.name, unit, why);
    figure.add("ceiling", what).add("isa", isa.name).add("threads", meter_.threads()).add("repeats", 0).print();
  }

 private:
  const CeilingMeter& meter_;
};

struct Level {
  std::string name;
  size_t bytes;  // 0: there is no such cache
};

// Less than a second-level cache: about what a step of training leaves there.
constexpr size_t kHandOverBytes = size_t{512} << 10;

void measureIsa(const CeilingMeter& meter, const CeilingIsa& isa) {
  const Report report(meter);
  const Caches& caches = meter.caches();
  report.rate("FMA", isa, meter.fma(isa), "GFLOP/s");
  const std::vector<Level> levels = {
      {"L1", caches.l1Set()}, {"L2", caches.l2Set()}, {"L3", caches.l3Set()}, {"DRAM", caches.memorySet()}};
  for (const Level& level : levels) {
    const std::string read = "read from " + level.name, update = "update in " + level.name;
    if (level.bytes == 0) {
      report.absent(read, isa, "GB/s", "no such cache is known of");
      report.absent(update, isa, "GB/s", "no such cache is known of");
      continue;
    }
    report.rate(read, isa, meter.read(isa, level.bytes), "GB/s", level.bytes);
    report.rate(update, isa, meter.update(isa, level.bytes), "GB/s", level.bytes);
  }
  const std::vector<Level> rowLevels = {{"48 KB", size_t{48} << 10}, {"L2", caches.l2Rows()}, {"L3", caches.l3Set()}};
  for (const int floats : {16, 32}) {
    for (const Level& level : rowLevels) {
      const std::string what = "random rows of " + std::to_string(floats) + " floats in " + level.name;
      // 16-bit indices reach 65,536 rows.
      const size_t bytes = std::min(level.bytes, size_t{65536} * sizeof(float) * static_cast<size_t>(floats));
      if (bytes == 0)
        report.absent(what, isa, "GFLOP/s", "no such cache is known of");
      else
        report.rate(what, isa, meter.randomRows(isa, floats, bytes), "GFLOP/s", bytes);
    }
  }
  if (std::thread::hardware_concurrency() > 1)
    report.rate("read what another core wrote", isa, meter.handOver(isa, kHandOverBytes), "GB/s", kHandOverBytes);
  else
    report.absent("read what another core wrote", isa, "GB/s", "this machine has one core");
  report.rate("software gather", isa, meter.softwareGather(isa), "G elements/s");
  if (isa.hardwareGather)
    report.rate("hardware gather", isa, meter.hardwareGather(isa), "G elements/s");
  else
    report.absent("hardware gather", isa, "G elements/s", "this instruction set has none");
}

// From a store on one core to its being seen on another: what every exchange between threads waits for. It says whether
// the cores share a cache; in virtual machines that changes from one moment to the next.
void measureSignal(const Timing& timing) {
  if (std::thread::hardware_concurrency() <= 1) {
    Figure::absent("signal to another core", "ns", "this machine has one core")
        .add("ceiling", "signal to another core")
        .add("threads", 2)
        .print();
    return;
  }
  constexpr int kTurns = 5000;
  std::vector<double> times;
  for (int r = 0; r < timing.repeats; ++r) {
    alignas(64) std::atomic<int> turn{0};
    std::thread other([&] {
      for (int i = 0; i < kTurns; ++i) {
        while (turn.load(std::memory_order_acquire) != 2 * i + 1) {
        }
        turn.store(2 * i + 2, std::memory_order_release);
      }
    });
    const double start = now();
    for (int i = 0; i < kTurns; ++i) {
      turn.store(2 * i + 1, std::memory_order_release);
      while (turn.load(std::memory_order_acquire) != 2 * i + 2) {
      }
    }
    times.push_back((now() - start) / (2 * kTurns));
    other.join();
  }
  Figure("signal to another core", median(times) * 1e9, "ns")
      .add("ceiling", "signal to another core")
      .add("threads", 2)
      .add("repeats", timing.repeats)
      .print();
}

void measureSgemm(int threads, const Timing& timing) {
  constexpr int kSize = 1024;
  const OpenBlas blas = OpenBlas::load(threads);
  if (!blas.absent.empty()) {
    Figure::absent("sgemm", "GFLOP/s", blas.absent).add("ceiling", "sgemm").add("threads", threads).print();
    return;
  }
  const Measured measured = sgemmSeconds(blas, kSize, timing);
  const double flops = 2.0 * kSize * kSize * kSize;
  Figure("sgemm", flops / measured.seconds / 1e9, "GFLOP/s")
      .add("ceiling", "sgemm")
      .add("threads", threads)
      .add("repeats", measured.repeats)
      .add("best", flops / measured.best / 1e9)
      .add("library", blas.version)
      .add("core", blas.core)
      .add("size", kSize)
      .print();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const Options options(argc, argv, {"threads", "seconds", "repeats"});
  const int threads = static_cast<int>(options.integer("threads", 1, 1, 1024));
  const Timing timing = options.timing(0.002, 31);
  const CeilingMeter meter(threads, timing);
  bool any = false;
  for (const CeilingIsa& isa : ceilingIsas()) {
    if (isa.runsHere)
      measureIsa(meter, isa);
    else
      Figure::absent("FMA, " + std::string(isa.name), "GFLOP/s", "this processor does not have it").print();
    any = any || isa.runsHere;
  }
  if (!any)
    Figure::absent("FMA", "GFLOP/s", "the ceilings need AVX2 with FMA, or NEON; this processor has neither").print();
  measureSignal(timing);
  measureSgemm(threads, timing);
  return 0;
}
