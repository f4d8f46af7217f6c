// Times the evolution of one layer, on one thread: from the packed form to the canonical one, prune, grow, survivors
// and newcomers in order with one optimizer state, and both packed forms again.
//
//   evolution [--connections N,N,...]
//
// Without it: 1e5, 1e6 and 1e7 connections. Each is spread over a square layer of 40 connections a unit (epsilon
// 20) and over one of density 0.1. Weights are drawn anew between evolutions, as training would change them; memory is
// kept. Prints one JSON object a line: { name, value, unit }; of several evolutions the least, and the least of each
// phase, so that what else the machine does counts little (and the phases may add up to less than the whole).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/float_bits.h"
#include "core/evolve.h"
#include "core/initialize.h"
#include "core/topology.h"
#include "cpu/packed_matrix.h"

namespace {

using namespace setnet;
using namespace setnet::core;

constexpr double kZeta = 0.3;

double now() {
  using std::chrono::duration;
  using std::chrono::steady_clock;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

struct Layer {
  CsrMatrix matrix;
  std::vector<float> momentum;

  void resize(uint64_t connections) {
    matrix.columnIndices.resize(connections);
    matrix.values.resize(connections);
    momentum.resize(connections);
  }
};

// Weights and momentum of every connection, by its number: no two evolutions see the same.
void drawValues(Layer* layer, uint64_t round) {
  uint64_t state = round * 0x9E3779B97F4A7C15u + 1;
  for (uint64_t i = 0; i < layer->matrix.count(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const float x = static_cast<float>(static_cast<int32_t>(state >> 32) | 1) * 0x1p-31f;
    layer->matrix.values[i] = x * x * x;  // many weak ones, as in a trained layer
    layer->momentum[i] = x;
  }
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("{\"name\":\"%s\",\"value\":%.4g,\"unit\":\"%s\"}\n", name.c_str(), value, unit);
}

int fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 1;
}

int measure(uint64_t connections, uint64_t inputs, const std::string& shape) {
  Layer layer, evolved;
  const double cells = static_cast<double>(inputs) * static_cast<double>(inputs);
  const Budget budget{0, static_cast<double>(connections) / cells};
  Status status = drawTopology(inputs, inputs, budget, Draw::Exact, 1, 1, &layer.matrix);
  if (!status.ok()) return fail(status);
  layer.momentum.resize(layer.matrix.count());
  evolved.matrix.rows = evolved.matrix.columns = inputs;
  evolved.matrix.rowPointers.resize(inputs + 1);

  EvolutionRules rules;
  rules.newWeights = rules::defaultsOf(rules::kInitializers, rules::findRule(rules::kInitializers, "zero"));
  LayerEvolutionInput input;
  input.zeta = kZeta;
  input.measurePhases = true;
  EvolutionMemory memory;
  LayerEvolutionReport report;
  std::vector<std::pair<std::string, double>> phases;
  const auto keep = [&](const std::string& name, double seconds) {
    const auto same = [&](const auto& phase) { return phase.first == name; };
    const auto at = std::find_if(phases.begin(), phases.end(), same);
    if (at == phases.end())
      phases.emplace_back(name, seconds);
    else
      at->second = std::min(at->second, seconds);
  };
  cpu::PackedMatrix forward, transposed;
  cpu::PackMemory packing;
  const uint64_t rounds = connections >= 5000000 ? 6 : connections >= 500000 ? 16 : 60;
  for (uint64_t round = 1; round <= rounds; ++round) {
    drawValues(&layer, round);
    input.evolution = round;
    evolved.resize(layer.matrix.count());
    EvolutionSource source;
    source.matrix = layer.matrix;
    source.stateCount = 1;
    source.state[0] = layer.momentum.data();
    EvolutionTarget target;
    target.rowPointers = evolved.matrix.rowPointers.data();
    target.columnIndices = evolved.matrix.columnIndices.data();
    target.values = evolved.matrix.values.data();
    target.state[0] = evolved.momentum.data();
    double times[5] = {};
    if (round > 1) {
      // What training would leave: weights in packed order. They are those of the layer already.
      float* state[] = {layer.momentum.data()};
      times[0] = now();
      status = forward.unpack(layer.matrix.rowPointers.data(), layer.matrix.columnIndices.data(),
                              layer.matrix.values.data(), state, &packing);
      times[0] = now() - times[0];
      drawValues(&layer, round);
    }
    const double start = now();
    if (status.ok()) status = evolveLayer(source, rules, input, &memory, target, &report);
    times[1] = now() - start;
    if (!status.ok()) return fail(status);
    evolved.resize(report.connections);
    std::swap(layer, evolved);

    const float* states[] = {layer.momentum.data()};
    cpu::PackOptions options;
    options.companionCount = 1;
    options.companions = states;
    options.updatable = true;
    double begin = now();
    status = forward.pack(layer.matrix, options, &packing);
    times[2] = now() - begin;
    begin = now();
    if (status.ok()) status = transposed.packTransposed(layer.matrix, forward, 1, &packing);
    times[3] = now() - begin;
    if (!status.ok()) return fail(status);
    begin = now();
    const kernels::GatherArgs values = transposed.refresh(forward, 0);
    for (int64_t k = values.begin; k < values.end; ++k) values.to[k] = values.from[values.positions[k]];
    times[4] = now() - begin;
    if (round == 1) continue;  // the first one fetches memory
    keep("all of it", times[0] + times[1] + times[2] + times[3] + times[4]);
    keep("from packed to canonical order", times[0]);
    keep("the evolution itself", times[1]);
    for (int i = 0; i < report.phases.size(); ++i)
      keep(std::string("the evolution itself, ") + report.phases.name(i), report.phases.seconds(i));
    keep("packing", times[2]);
    keep("packing the transpose", times[3]);
    keep("values of the transpose", times[4]);
  }
  const double each = 1e9 / static_cast<double>(layer.matrix.count());
  const std::string name = "evolution of " + std::to_string(layer.matrix.count()) + " connections, " + shape;
  for (const auto& [phase, seconds] : phases) print(name + ": " + phase, seconds * each, "ns/connection");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<double> sizes;
  if (argc == 3 && std::string(argv[1]) == "--connections") {
    for (char* at = argv[2]; *at != 0; at += *at == ',') sizes.push_back(std::strtod(at, &at));
  } else if (argc > 1) {
    std::fprintf(stderr, "evolution [--connections N,N,...]\n");
    return 2;
  }
  if (sizes.empty()) sizes = {1e5, 1e6, 1e7};
  for (const double size : sizes) {
    if (!(size >= 100 && size <= 1e9)) {
      std::fprintf(stderr, "connections must be from 100 to 1e9, but are %g\n", size);
      return 2;
    }
    const uint64_t connections = static_cast<uint64_t>(size);
    if (measure(connections, connections / 40, "40 a unit") != 0) return 1;
    if (measure(connections, static_cast<uint64_t>(std::sqrt(size * 10)), "density 0.1") != 0) return 1;
  }
  return 0;
}
