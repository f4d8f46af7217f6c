#include "core/topology.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <stdexcept>

#include "base/memory.h"
#include "base/philox.h"
#include "base/radix_sort.h"
#include "core/binomial.h"
#include "rules/grow.h"

namespace setnet::core {
namespace {

RandomStream topologyStream(uint64_t seed, uint32_t layer) { return {seed, Purpose::Topology, layer, 0}; }

// How often a cell exists when every cell is drawn by itself.
double cellProbability(const Budget& budget, uint64_t inputs, uint64_t units) {
  if (budget.connections >= 0)
    return std::min(1.0,
                    static_cast<double>(budget.connections) / static_cast<double>(inputs) / static_cast<double>(units));
  if (budget.density >= 0) return std::min(1.0, budget.density);
  const double sum = static_cast<double>(inputs) + static_cast<double>(units);
  return std::min(1.0, budget.epsilon * sum / static_cast<double>(inputs) / static_cast<double>(units));
}

// The distinct ones of `draws` independent uniform cells: draw i is the high half of (64 random bits) * cells.
void drawWithReplacement(const RandomStream& stream, uint64_t cells, uint64_t draws, std::vector<uint64_t>* out) {
  out->resize(draws);
  for (uint64_t i = 0; i < draws; ++i) {
    const PhiloxBlock block = stream.block(i);
    const uint64_t bits = block.word[0] | static_cast<uint64_t>(block.word[1]) << 32;
    (*out)[i] = static_cast<uint64_t>(static_cast<unsigned __int128>(bits) * cells >> 64);
  }
  sortNumbers(out);
  out->erase(std::unique(out->begin(), out->end()), out->end());
}

void matrixOfCells(uint64_t inputs, uint64_t units, Span<const uint64_t> cells, CsrMatrix* out) {
  out->rows = units;
  out->columns = inputs;
  out->rowPointers.assign(units + 1, 0);
  out->columnIndices.resize(cells.size());
  out->values.assign(cells.size(), 0.0f);
  // Cells ascend, so the row does too and no division is needed where a row holds many.
  uint64_t row = 0, rowStart = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] - rowStart >= inputs) {
      const uint64_t next = cells[i] / inputs;
      while (row < next) out->rowPointers[++row] = i;
      rowStart = row * inputs;
    }
    out->columnIndices[i] = static_cast<uint32_t>(cells[i] - rowStart);
  }
  while (row < units) out->rowPointers[++row] = cells.size();
}

}  // namespace

uint64_t requestedConnections(const Budget& budget, uint64_t inputs, uint64_t units) {
  const uint64_t cells = saturatedProduct(inputs, units);
  if (budget.connections >= 0) return std::min(cells, static_cast<uint64_t>(budget.connections));
  const double wanted = budget.density >= 0
                            ? budget.density * static_cast<double>(cells)
                            : budget.epsilon * (static_cast<double>(inputs) + static_cast<double>(units));
  const double rounded = std::round(wanted);
  if (!(rounded > 0)) return 0;
  if (budget.density >= 1 || rounded >= static_cast<double>(cells)) return cells;
  return std::min(cells, static_cast<uint64_t>(rounded));
}

Status drawTopology(uint64_t inputs, uint64_t units, const Budget& budget, Draw draw, uint64_t seed, uint32_t layer,
                    CsrMatrix* out) {
  const std::string shape = std::to_string(inputs) + " x " + std::to_string(units);
  if (inputs > kMaxColumns || units > kMaxColumns || saturatedProduct(inputs, units) >> 63 != 0)
    return {Code::Option, "a layer of " + shape + " is too large: inputs and units are at most " +
                              std::to_string(kMaxColumns) + " each, and their product is below 2^63"};
  const uint64_t cells = inputs * units;
  const uint64_t requested = requestedConnections(budget, inputs, units);
  const RandomStream stream = topologyStream(seed, layer);
  // The request alone decides what a layer is: asked for every cell, it has every cell, under every draw.
  const bool full = requested == cells;
  uint64_t count = requested;
  if (!full && draw == Draw::Bernoulli) count = binomial(stream, cells, cellProbability(budget, inputs, units));

  // Columns and values, two arrays of cell numbers while drawing and sorting; one pointer per row.
  const uint64_t bytes = saturatedSum(saturatedProduct(count, full ? 8 : 24), saturatedProduct(units, 8));
  const std::string tooMuch = "the " + std::to_string(count) + " connections of a layer of " + shape + " need " +
                              formatBytes(bytes) + " of memory";
  if (bytes > memoryLimit()) return {Code::Memory, tooMuch + ", but there are " + formatBytes(memoryLimit())};
  try {
    if (full) {
      *out = fullMatrix(units, inputs, std::vector<float>(cells, 0.0f));
      return {};
    }
    if (draw == Draw::WithReplacement) {
      std::vector<uint64_t> chosen;
      drawWithReplacement(stream, cells, count, &chosen);
      matrixOfCells(inputs, units, chosen, out);
    } else {
      rules::OccupiedCells none;
      none.rows = units;
      none.columns = inputs;
      rules::GrowMemory memory;
      rules::CellList chosen;
      rules::RandomGrow::choose({none, count, stream}, &memory, &chosen);
      matrixOfCells(inputs, units, {chosen.data(), chosen.size()}, out);
    }
  } catch (const std::bad_alloc&) {
    return {Code::Memory, tooMuch + ", which could not be had"};
  } catch (const std::length_error&) {
    return {Code::Memory, tooMuch + ", which could not be had"};
  }
  return {};
}

}  // namespace setnet::core
