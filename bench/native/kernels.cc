// Times every kernel of native/kernels/kernel_list.h, on every instruction set that runs here, on one thread, and says
// what share it reaches of the ceiling that binds it, measured in the same process.
//
//   kernels [--isa NAME] [--kernel NAME] [--seconds S] [--repeats R]
//
// FLOP are those of the samples and connections that exist: what a kernel computes beside them is not counted.
#include <iterator>

#include "kernel_bench.h"
#include "rules/activations.h"

namespace bench {
namespace {

using namespace setnet;

constexpr int64_t kBatches[] = {1, 16, 100, 128};
constexpr int64_t kProductBatches[] = {1, 16, 100, 128, 1024};
// Of kernels whose time is proportional to the batch's vectors.
constexpr int64_t kElementBatches[] = {1, 128};

struct SparseShape {
  int64_t rows, columns;
  double density;
  std::string name() const {
    char text[60];
    std::snprintf(text, sizeof text, "%dx%d %g %%", static_cast<int>(rows), static_cast<int>(columns), 100 * density);
    return text;
  }
};
constexpr SparseShape kSparseShapes[] = {{1000, 1000, 0.04}, {4096, 4096, 0.01}, {4096, 4096, 0.05}, {4096, 4096, 0.1}};

constexpr int64_t kDenseSizes[] = {1000, 4096};

std::string squareName(int64_t size) { return std::to_string(size) + "x" + std::to_string(size); }
std::string unitsName(int64_t units) { return std::to_string(units) + " units"; }

// --- Sparse kernels. Each stands for itself, so that a new execution form replaces one function. ---

void time_sparseProduct(const KernelBench& bench) {
  for (const SparseShape& shape : kSparseShapes) {
    const PackedWeights w(shape.rows, shape.columns, shape.density, false);
    for (const int64_t batch : kProductBatches) {
      PanelMemory x(shape.columns, batch, 1), y(shape.rows, batch, 2);
      kernels::SparseProductArgs args = {};
      args.w = w.forward.view(0);
      args.x = x.panels();
      args.y = y.panels();
      args.vectors = x.vectors();
      args.activation = -1;
      bench.run({"sparseProduct", shape.name(), batch, 2 * w.connections() * static_cast<double>(batch),
                 bench.ceilings.randomRows(batch <= 16 ? 16 : 32, x.panelBytes()), "GFLOP/s"},
                [&] { bench.table.sparseProduct(args); });
    }
  }
}

void time_sparseVector(const KernelBench& bench) {
  for (const SparseShape& shape : kSparseShapes) {
    const PackedWeights w(shape.rows, shape.columns, shape.density, false);
    Buffer<float> x(static_cast<size_t>(shape.columns)), y(static_cast<size_t>(shape.rows));
    x.fillRandom(1);
    const kernels::SparseVectorArgs args = {w.forward.view(0), nullptr, x.data(), y.data()};
    bench.run({"sparseVector", shape.name(), 1, w.connections(), bench.ceilings.softwareGather(), "G elements/s"},
              [&] { bench.table.sparseVector(args); });
    const kernels::SparseVectorArgs single = {w.singles.view(0), nullptr, x.data(), y.data()};
    bench.run({"sparseVector", shape.name() + ", form for latency", 1, w.connections(), bench.ceilings.softwareGather(),
               "G elements/s"},
              [&] { bench.table.sparseVector(single); });
  }
}

// Three quarters of x are 0: the amount is that of the connections that are left.
void time_sparseColumns(const KernelBench& bench) {
  for (const SparseShape& shape : kSparseShapes) {
    const PackedWeights w(shape.rows, shape.columns, shape.density, false);
    Buffer<float> x(static_cast<size_t>(shape.columns)), y(static_cast<size_t>(shape.rows));
    double connections = 0;
    for (int64_t c = 0; c < shape.columns; ++c) {
      x[static_cast<size_t>(c)] = c % 4 == 0 ? 1.0f : 0.0f;
      if (c % 4 == 0) connections += static_cast<double>(w.columns.columnPointers[c + 1] - w.columns.columnPointers[c]);
    }
    const kernels::SparseColumnsArgs args = {shape.rows,
                                             shape.columns,
                                             w.columns.columnPointers.data(),
                                             w.columns.rowIndices.data(),
                                             w.columns.values.data(),
                                             nullptr,
                                             x.data(),
                                             y.data()};
    bench.run({"sparseColumns", shape.name(), 1, connections, bench.ceilings.softwareGather(), "G elements/s"},
              [&] { bench.table.sparseColumns(args); });
  }
}

void time_sparseUpdate(const KernelBench& bench) {
  const Optimizer optimizer;
  for (const SparseShape& shape : kSparseShapes) {
    PackedWeights w(shape.rows, shape.columns, shape.density, true);
    for (const int64_t batch : kBatches) {
      PanelMemory x(shape.columns, batch, 1), gradient(shape.rows, batch, 2);
      kernels::SparseUpdateArgs args = {};
      args.w = w.forward.view(0);
      args.state[0] = w.forward.companion(0, 0);
      args.x = x.panels();
      args.gradient = gradient.panels();
      args.vectors = x.vectors();
      args.optimizer = optimizer.choice();
      bench.run({"sparseUpdate", shape.name(), batch, 2 * w.connections() * static_cast<double>(batch),
                 bench.ceilings.randomRows(batch <= 16 ? 16 : 32, x.panelBytes()), "GFLOP/s"},
                [&] { bench.table.sparseUpdate(args); });
    }
  }
}

// The values of a transposed form.
void time_gather(const KernelBench& bench) {
  for (const SparseShape& shape : kSparseShapes) {
    PackedWeights w(shape.rows, shape.columns, shape.density, true);
    const kernels::GatherArgs args = w.transposed.refresh(w.forward, 0);
    bench.run({"gather", shape.name(), 0, w.connections(), bench.ceilings.softwareGather(), "G elements/s"},
              [&] { bench.table.gather(args); });
  }
}

// --- Dense kernels ---

void time_denseForward(const KernelBench& bench) {
  for (const int64_t size : kDenseSizes) {
    const int64_t stride = (size + 15) / 16 * 16;
    Buffer<float> weights(static_cast<size_t>(stride * stride));
    weights.fillRandom(3);
    for (const int64_t batch : kBatches) {
      PanelMemory x(size, batch, 1), y(size, batch, 2);
      const kernels::DenseForwardArgs args = {0,       size,       size,       weights.data(), stride,
                                              nullptr, x.panels(), y.panels(), x.vectors()};
      const KernelRun what = {
          "denseForward",       squareName(size), batch, 2.0 * static_cast<double>(size * size * batch),
          bench.ceilings.fma(), "GFLOP/s"};
      const double seconds = bench.run(what, [&] { bench.table.denseForward(args); });
      bench.compareWithSgemm(what, seconds, static_cast<int>(size), static_cast<int>(batch), static_cast<int>(size));
    }
  }
}

void time_denseVector(const KernelBench& bench) {
  for (const int64_t size : kDenseSizes) {
    const int64_t stride = (size + 15) / 16 * 16;
    Buffer<float> weights(static_cast<size_t>(stride * stride)), x(static_cast<size_t>(stride)), y(x.size());
    weights.fillRandom(3);
    x.fillRandom(1);
    const kernels::DenseVectorArgs args = {0, size, size, weights.data(), stride, nullptr, x.data(), y.data()};
    const double bytes = static_cast<double>(size * size) * sizeof(float);
    bench.run({"denseVector", squareName(size), 1, bytes, bench.ceilings.read(weights.size() * sizeof(float)), "GB/s"},
              [&] { bench.table.denseVector(args); });
  }
}

void time_denseInputGradient(const KernelBench& bench) {
  Buffer<float> scratch(static_cast<size_t>(kernels::kDenseScratch));
  for (const int64_t size : kDenseSizes) {
    const int64_t stride = (size + 15) / 16 * 16;
    Buffer<float> weights(static_cast<size_t>(stride * stride));
    weights.fillRandom(3);
    for (const int64_t batch : kBatches) {
      PanelMemory gradient(size, batch, 1), result(size, batch, 2);
      const kernels::DenseInputGradientArgs args = {0,
                                                    size,
                                                    size,
                                                    weights.data(),
                                                    stride,
                                                    gradient.panels(),
                                                    result.panels(),
                                                    gradient.vectors(),
                                                    scratch.data()};
      const KernelRun what = {
          "denseInputGradient", squareName(size), batch, 2.0 * static_cast<double>(size * size * batch),
          bench.ceilings.fma(), "GFLOP/s"};
      const double seconds = bench.run(what, [&] { bench.table.denseInputGradient(args); });
      bench.compareWithSgemm(what, seconds, static_cast<int>(size), static_cast<int>(batch), static_cast<int>(size));
    }
  }
}

void time_denseUpdate(const KernelBench& bench) {
  const Optimizer optimizer;
  for (const int64_t size : kDenseSizes) {
    const int64_t stride = (size + 15) / 16 * 16;
    Buffer<float> weights(static_cast<size_t>(stride * stride)), velocity(static_cast<size_t>(stride * stride));
    weights.fillRandom(3);
    for (const int64_t batch : kBatches) {
      const int64_t vectors = (batch + 15) / 16, tileStride = vectors * 16 * 16;
      Buffer<float> x(static_cast<size_t>(stride / 16 * tileStride)), gradient(x.size());
      x.fillRandom(1);
      gradient.fillRandom(2);
      kernels::DenseUpdateArgs args = {};
      args.rowEnd = size;
      args.inputs = size;
      args.samples = batch;
      args.vectors = vectors;
      args.x = x.data();
      args.gradient = gradient.data();
      args.tileStride = tileStride;
      args.weights = weights.data();
      args.state[0] = velocity.data();
      args.stride = stride;
      args.optimizer = optimizer.choice();
      const KernelRun what = {
          "denseUpdate",        squareName(size), batch, 2.0 * static_cast<double>(size * size * batch),
          bench.ceilings.fma(), "GFLOP/s"};
      const double seconds = bench.run(what, [&] { bench.table.denseUpdate(args); });
      bench.compareWithSgemm(what, seconds, static_cast<int>(size), static_cast<int>(size), static_cast<int>(batch));
    }
  }
}

void time_biasUpdate(const KernelBench& bench) {
  const Optimizer optimizer;
  for (const int64_t units : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory gradient(units, batch, 1);
      Buffer<float> bias(static_cast<size_t>(units)), velocity(static_cast<size_t>(units));
      kernels::BiasUpdateArgs args = {};
      args.unitEnd = units;
      args.gradient = gradient.panels();
      args.vectors = gradient.vectors();
      args.bias = bias.data();
      args.state[0] = velocity.data();
      args.optimizer = optimizer.choice();
      const double bytes = static_cast<double>(units * gradient.vectors() * 64);
      bench.run({"biasUpdate", unitsName(units), batch, bytes, bench.ceilings.read(gradient.bytes()), "GB/s"},
                [&] { bench.table.biasUpdate(args); });
    }
  }
}

void time_scaledUpdate(const KernelBench& bench) {
  const Optimizer optimizer;
  for (const size_t count : {size_t{40000}, size_t{1} << 20}) {
    Buffer<float> values(count), velocity(count), gradient(count);
    kernels::ScaledUpdateArgs args = {};
    args.count = static_cast<int64_t>(count);
    args.values = values.data();
    args.state[0] = velocity.data();
    args.gradient = gradient.data();
    args.scale = 0.5f;
    args.optimizer = optimizer.choice();
    const double bytes = static_cast<double>(count) * 3 * sizeof(float);
    bench.run({"scaledUpdate", std::to_string(count) + " connections", 1, bytes,
               bench.ceilings.read(static_cast<int64_t>(bytes)), "GB/s"},
              [&] { bench.table.scaledUpdate(args); });
  }
}

// --- Elementwise kernels ---

// What a rule that learns has learned: so little that the same numbers again and again stay finite.
std::vector<float> learnedOf(int rule, int64_t units) {
  return std::vector<float>(rules::learnedOf(rule).size() * static_cast<size_t>(units), 0.5f);
}

void time_activation(const KernelBench& bench) {
  const double parameters[rules::kMaxParameters] = {};
  for (const int64_t units : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory z(units, batch, 1);
      for (int rule = 0; rule < static_cast<int>(std::size(rules::kActivations)); ++rule) {
        const std::vector<float> learned = learnedOf(rule, units);
        const kernels::ActivationArgs args = {rule,        parameters,     0,    units, z.panels(), z.panels(),
                                              z.vectors(), learned.data(), units};
        const double elements = static_cast<double>(units * batch),
                     moved = static_cast<double>(units * z.vectors() * 128);
        bench.run({std::string("activation ") + rules::kActivations[rule].name, unitsName(units), batch, moved,
                   bench.ceilings.update(z.bytes()), "ns per element", elements},
                  [&] { bench.table.activation(args); });
      }
    }
  }
}

void time_activationVector(const KernelBench& bench) {
  for (const int64_t units : kDenseSizes) {
    Buffer<float> z(static_cast<size_t>(units)), y(z.size());
    z.fillRandom(1);
    for (int rule = 0; rule < static_cast<int>(std::size(rules::kActivations)); ++rule) {
      const rules::RuleChoice choice = rules::defaultsOf(rules::kActivations, rule);
      const std::vector<float> learned = learnedOf(rule, units);
      const kernels::ActivationVectorArgs args = {rule,     choice.parameters, units, z.data(),
                                                  y.data(), learned.data(),    units};
      bench.run({std::string("activationVector ") + rules::kActivations[rule].name, unitsName(units), 1,
                 static_cast<double>(units) * 8, bench.ceilings.update(2 * z.size() * sizeof(float)), "ns per element",
                 static_cast<double>(units)},
                [&] { bench.table.activationVector(args); });
    }
  }
}

void time_activationGradient(const KernelBench& bench) {
  const double parameters[rules::kMaxParameters] = {};
  for (const int64_t units : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory y(units, batch, 1), gradient(units, batch, 2);
      std::vector<uint16_t> kept(static_cast<size_t>(units * y.vectors()), 0xB5AD);
      for (const bool dropped : {false, true}) {
        for (int rule = 0; rule < static_cast<int>(std::size(rules::kActivations)); ++rule) {
          const std::vector<float> learned = learnedOf(rule, units);
          const kernels::ActivationGradientArgs args = {rule,
                                                        parameters,
                                                        0,
                                                        units,
                                                        y.panels(),
                                                        y.panels(),
                                                        gradient.panels(),
                                                        gradient.panels(),
                                                        y.vectors(),
                                                        dropped ? kept.data() : nullptr,
                                                        y.vectors(),
                                                        1.0f,
                                                        learned.data(),
                                                        units};
          const double elements = static_cast<double>(units * batch),
                       moved = static_cast<double>(units * y.vectors() * 192);
          bench.run(
              {std::string("activationGradient ") + rules::kActivations[rule].name + (dropped ? " with dropout" : ""),
               unitsName(units), batch, moved, bench.ceilings.update(y.bytes() + gradient.bytes()), "ns per element",
               elements},
              [&] { bench.table.activationGradient(args); });
        }
      }
    }
  }
}

void time_activationUpdate(const KernelBench& bench) {
  const Optimizer optimizer;
  for (const int64_t units : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory z(units, batch, 1), dy(units, batch, 2);
      for (int rule = 0; rule < static_cast<int>(std::size(rules::kActivations)); ++rule) {
        std::vector<float> learned = learnedOf(rule, units), velocity(learned.size());
        if (learned.empty()) continue;
        const rules::RuleChoice choice = rules::defaultsOf(rules::kActivations, rule);
        kernels::ActivationUpdateArgs args = {};
        args.rule = rule;
        args.parameters = choice.parameters;
        args.unitEnd = units;
        args.z = z.panels();
        args.dy = dy.panels();
        args.vectors = z.vectors();
        args.keptScale = 1;
        args.learned = learned.data();
        args.learnedStride = units;
        args.state[0] = velocity.data();
        args.optimizer = optimizer.choice();
        const double elements = static_cast<double>(units * batch);
        bench.run({std::string("activationUpdate ") + rules::kActivations[rule].name, unitsName(units), batch,
                   static_cast<double>(units * z.vectors() * 128), bench.ceilings.read(z.bytes() + dy.bytes()),
                   "ns per element", elements},
                  [&] { bench.table.activationUpdate(args); });
      }
    }
  }
}

void time_dropout(const KernelBench& bench) {
  for (const int64_t units : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory y(units, batch, 1);
      std::vector<uint16_t> kept(static_cast<size_t>(units * y.vectors()));
      kernels::DropoutArgs args = {};
      args.unitEnd = units;
      args.y = y.panels();
      args.vectors = y.vectors();
      args.seed = 1;
      args.threshold = 19661;  // 0.3
      args.keptScale = 1;      // the same numbers again and again would not stay finite
      args.kept = kept.data();
      args.keptStride = y.vectors();
      const double elements = static_cast<double>(units * batch);
      bench.run({"dropout", unitsName(units), batch, static_cast<double>(units * y.vectors() * 128),
                 bench.ceilings.update(y.bytes()), "ns per element", elements},
                [&] { bench.table.dropout(args); });
    }
  }
}

constexpr int64_t kClasses[] = {10, 1000};

void time_loss(const KernelBench& bench) {
  for (const int64_t units : kClasses) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory z(units, batch, 1), gradient(units, batch, 2);
      const std::vector<int32_t> classes(static_cast<size_t>(batch), 3);
      std::vector<float> terms(static_cast<size_t>(rules::kLossTerms * z.vectors() * 16));
      std::vector<uint32_t> predicted(static_cast<size_t>(z.vectors() * 16));
      const double elements = static_cast<double>(units * batch),
                   moved = static_cast<double>(units * z.vectors() * 128);
      for (int rule = 0; rule < static_cast<int>(std::size(rules::kLosses)); ++rule) {
        const kernels::LossArgs args = {rule,
                                        units,
                                        z.panels(),
                                        gradient.panels(),
                                        z.vectors(),
                                        batch,
                                        classes.data(),
                                        1.0f / static_cast<float>(batch),
                                        terms.data(),
                                        z.vectors() * 16,
                                        predicted.data()};
        bench.run({std::string("loss ") + rules::kLosses[rule].name, unitsName(units), batch, moved,
                   bench.ceilings.update(z.bytes() + gradient.bytes()), "ns per element", elements},
                  [&] { bench.table.loss(args); });
      }
    }
  }
}

void time_probabilities(const KernelBench& bench) {
  for (const int64_t units : kClasses) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory y(units, batch, 1);
      const double elements = static_cast<double>(units * batch),
                   moved = static_cast<double>(units * y.vectors() * 128);
      for (int rule = 0; rule < static_cast<int>(std::size(rules::kLosses)); ++rule) {
        const kernels::ProbabilitiesArgs args = {rule, units, y.panels(), y.vectors()};
        bench.run({std::string("probabilities ") + rules::kLosses[rule].name, unitsName(units), batch, moved,
                   bench.ceilings.update(y.bytes()), "ns per element", elements},
                  [&] { bench.table.probabilities(args); });
      }
    }
  }
}

// --- The edges: the user's matrices to panels and back ---

template <class T>
void timePack(const KernelBench& bench, kernels::Element type, const char* name) {
  for (const int64_t columns : {int64_t{784}, int64_t{4096}}) {
    for (const int64_t batch : kElementBatches) {
      std::vector<T> data(static_cast<size_t>(columns * batch), T{1});
      const float mean = 0.5f, scale = 2.0f;
      PanelMemory x(columns, batch, 1);
      uint8_t nonfinite = 0;
      kernels::PackRowsArgs args = {};
      args.type = type;
      args.data = data.data();
      args.columns = args.columnEnd = columns;
      args.samples = batch;
      args.mean = &mean;
      args.scale = &scale;
      args.out = x.panels();
      args.nonfinite = &nonfinite;
      const size_t from = data.size() * sizeof(T);
      const double moved = static_cast<double>(from) + static_cast<double>(columns * x.vectors() * 64);
      bench.run({std::string("packRows ") + name, std::to_string(columns) + " features", batch, moved,
                 bench.ceilings.update(from + x.bytes()), "GB/s"},
                [&] { bench.table.packRows(args); });
    }
  }
}

void time_packRows(const KernelBench& bench) {
  timePack<float>(bench, kernels::Element::Float32, "f32");
  timePack<uint8_t>(bench, kernels::Element::Uint8, "u8");
}

void time_unpackRows(const KernelBench& bench) {
  for (const int64_t units : {int64_t{10}, int64_t{1000}, int64_t{4096}}) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory y(units, batch, 1);
      std::vector<float> out(static_cast<size_t>(units * batch));
      const kernels::UnpackRowsArgs args = {units, y.panels(), batch, out.data()};
      const size_t to = out.size() * sizeof(float);
      const double moved = static_cast<double>(to) + static_cast<double>(units * y.vectors() * 64);
      bench.run({"unpackRows", unitsName(units), batch, moved, bench.ceilings.update(to + y.bytes()), "GB/s"},
                [&] { bench.table.unpackRows(args); });
    }
  }
}

// One sample of each vector is 0 to the end, so that all features are read.
void time_liveSamples(const KernelBench& bench) {
  for (const int64_t features : kDenseSizes) {
    PanelMemory x(features, 32, 1);
    float* data = x.panels().data;
    for (int64_t f = 0; f < features; ++f) data[f * 32 + 3] = data[f * 32 + 20] = 0;
    uint32_t live = 0;
    const kernels::LiveSamplesArgs args = {features, data, 32, ~uint32_t{0}, &live};
    bench.run({"liveSamples", std::to_string(features) + " features", 32, static_cast<double>(x.bytes()),
               bench.ceilings.read(x.bytes()), "GB/s"},
              [&] { bench.table.liveSamples(args); });
  }
}

void time_sampleTiles(const KernelBench& bench) {
  for (const int64_t features : kDenseSizes) {
    for (const int64_t batch : kElementBatches) {
      PanelMemory x(features, batch, 1);
      const int64_t tileStride = x.vectors() * 16 * 16;
      Buffer<float> tiles(static_cast<size_t>((features + 15) / 16 * tileStride));
      const kernels::TilesArgs args = {0, features, x.panels(), x.vectors(), tiles.data(), tileStride};
      const double moved = 2.0 * static_cast<double>(features * x.vectors() * 64);
      bench.run({"sampleTiles", std::to_string(features) + " features", batch, moved,
                 bench.ceilings.update(x.bytes() + tiles.size() * sizeof(float)), "GB/s"},
                [&] { bench.table.sampleTiles(args); });
    }
  }
}

// A kernel that is added to the table does not compile here before it has its timing.
struct KernelTiming {
  const char* name;
  void (*time)(const KernelBench&);
};
constexpr KernelTiming kTimings[] = {
#define SETNET_ENTRY(name, Args) {#name, &time_##name},
    SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const Options options(argc, argv, {"isa", "kernel", "seconds", "repeats"});
  const std::string onlyIsa = options.text("isa", ""), onlyKernel = options.text("kernel", "");
  const Timing timing = options.timing(0.003, 9);
  const CeilingMeter meter(1, {0.002, 21});
  const OpenBlas blas = OpenBlas::load(1);
  bool isWidest = true, any = false;
  for (const setnet::kernels::Isa& isa : setnet::kernels::available()) {
    if (!onlyIsa.empty() && onlyIsa != isa.name) continue;
    if (!isa.runsHere) {
      Figure::absent(std::string("kernels, ") + isa.name, "GFLOP/s", "this processor does not have it").print();
      any = true;
      continue;
    }
    // OpenBLAS takes the widest set there is, so that only kernels of that set are compared with it.
    const KernelBench bench(*isa.table, meter, timing, isWidest ? &blas : nullptr);
    isWidest = false;
    for (const KernelTiming& kernel : kTimings) {
      if (!onlyKernel.empty() && onlyKernel != kernel.name) continue;
      kernel.time(bench);
      any = true;
    }
  }
  if (!any) Options::fail("there is no kernel '" + onlyKernel + "' for '" + onlyIsa + "'");
  return 0;
}
