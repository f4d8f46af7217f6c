#include "core/evolve.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>

#include "base/float_bits.h"
#include "core/initialize.h"

namespace setnet::core {
namespace {

std::string number(uint64_t x) { return std::to_string(x); }

Status checkRule(const char* name, int rule, size_t tableSize) {
  if (rule >= 0 && static_cast<size_t>(rule) < tableSize) return {};
  return {Code::Option, std::string("the ") + name + " rule is number " + std::to_string(rule) + " of a table of " +
                            number(tableSize)};
}

Status checkInput(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input) {
  SETNET_TRY(checkRule("prune", rules.prune, std::size(rules::kPruneRules)));
  SETNET_TRY(checkRule("grow", rules.grow, std::size(rules::kGrowRules)));
  SETNET_TRY(checkRule("new weights'", rules.newWeightsAsLayer ? input.layerInitializer.rule : rules.newWeights.rule,
                       std::size(rules::kInitializers)));
  if (!(input.zeta >= 0 && input.zeta <= 1))
    return {Code::Option, "zeta must be from 0 to 1, but is " + std::to_string(input.zeta)};
  const uint64_t bad = firstNonfinite(before.values.data(), before.values.size());
  if (bad == before.values.size()) return {};
  const auto& pointers = before.rowPointers;
  const uint64_t row = std::upper_bound(pointers.begin(), pointers.end(), bad) - pointers.begin() - 1;
  return {Code::Nonfinite, "the weight in row " + number(row) + ", column " + number(before.columnIndices[bad]) +
                               " is " + (isNanBits(before.values[bad]) ? "NaN" : "infinite") +
                               ": a layer evolves only while all its weights are finite"};
}

Status noMemory(const CsrMatrix& before) {
  return {Code::Memory,
          "evolving a layer of " + number(before.count()) + " connections needs memory that could not be had"};
}

// removed[i] = 1 for what the rule chooses and for exact zeros, which are of neither sign and always go.
std::vector<uint8_t> chooseRemoved(const CsrMatrix& before, int rule, const LayerEvolutionInput& input,
                                   LayerEvolutionReport* report) {
  std::vector<uint8_t> removed(before.values.size());
  for (size_t i = 0; i < removed.size(); ++i) removed[i] = isZeroBits(before.values[i]);
  rules::markPruned(rule, {before.values, input.zeta, {input.seed, Purpose::RandomPrune, input.layer, input.evolution}},
                    removed);
  uint64_t zeros = 0, negative = 0, all = 0;
  for (size_t i = 0; i < removed.size(); ++i) {
    zeros += isZeroBits(before.values[i]);
    negative += removed[i] & static_cast<uint8_t>(hasSignBit(before.values[i]) && !isZeroBits(before.values[i]));
    all += removed[i];
  }
  report->prunedZero = zeros;
  report->prunedNegative = negative;
  report->prunedPositive = all - zeros - negative;
  return removed;
}

// The cells in which nothing may grow: those of the survivors, or all that were there.
std::vector<uint64_t> occupiedCells(const CsrMatrix& before, const std::vector<uint8_t>& removed, bool regrowPruned) {
  if (!regrowPruned) return cellsOf(before);
  std::vector<uint64_t> cells(before.count());
  uint64_t kept = 0;
  for (uint64_t r = 0; r < before.rows; ++r) {
    const uint64_t base = r * before.columns;
    for (uint64_t i = before.rowPointers[r]; i < before.rowPointers[r + 1]; ++i) {
      cells[kept] = base + before.columnIndices[i];
      kept += !removed[i];
    }
  }
  cells.resize(kept);
  return cells;
}

std::vector<float> newcomerWeights(const CsrMatrix& before, const EvolutionRules& rules,
                                   const LayerEvolutionInput& input, const std::vector<uint64_t>& newcomers,
                                   uint64_t connections) {
  std::vector<float> weights(newcomers.size());
  if (newcomers.empty()) return weights;
  const double count = static_cast<double>(connections);
  const double inputs = static_cast<double>(before.columns);
  const rules::WeightScale scale =
      rules::weightScale(rules.newWeightsAsLayer ? input.layerInitializer : rules.newWeights,
                         count / static_cast<double>(before.rows), count / inputs, inputs);
  weightsOfCells({input.seed, Purpose::NewWeight, input.layer, input.evolution}, newcomers, scale, weights);
  return weights;
}

// One pass over survivors and newcomers, both in canonical order.
void merge(const CsrMatrix& before, const std::vector<uint8_t>& removed, const std::vector<uint64_t>& newcomers,
           const std::vector<float>& newWeights, uint64_t connections, CsrMatrix* after,
           std::vector<uint64_t>* origin) {
  after->rows = before.rows;
  after->columns = before.columns;
  after->rowPointers.resize(before.rows + 1);
  after->columnIndices.resize(connections);
  after->values.resize(connections);
  origin->resize(connections);
  uint32_t* columns = after->columnIndices.data();
  float* values = after->values.data();
  uint64_t* from = origin->data();

  uint64_t to = 0, n = 0;
  const auto place = [&](uint32_t column, float value, uint64_t index) {
    columns[to] = column;
    values[to] = value;
    from[to++] = index;
  };
  after->rowPointers[0] = 0;
  for (uint64_t r = 0; r < before.rows; ++r) {
    const uint64_t base = r * before.columns;
    const uint64_t rowEnd = base + before.columns;
    for (uint64_t i = before.rowPointers[r]; i < before.rowPointers[r + 1]; ++i) {
      if (removed[i]) continue;
      const uint64_t cell = base + before.columnIndices[i];
      for (; n < newcomers.size() && newcomers[n] < cell; ++n)
        place(static_cast<uint32_t>(newcomers[n] - base), newWeights[n], kNewcomer);
      place(before.columnIndices[i], before.values[i], i);
    }
    for (; n < newcomers.size() && newcomers[n] < rowEnd; ++n)
      place(static_cast<uint32_t>(newcomers[n] - base), newWeights[n], kNewcomer);
    after->rowPointers[r + 1] = to;
  }
}

}  // namespace

Status evolveLayer(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   CsrMatrix* after, std::vector<uint64_t>* origin, LayerEvolutionReport* report) {
  SETNET_TRY(checkInput(before, rules, input));
  try {
    LayerEvolutionReport done;
    const std::vector<uint8_t> removed = chooseRemoved(before, rules.prune, input, &done);
    const uint64_t pruned = done.prunedPositive + done.prunedNegative + done.prunedZero;
    std::vector<uint64_t> newcomers;
    if (input.growBack && pruned > 0) {
      const std::vector<uint64_t> occupied = occupiedCells(before, removed, rules.regrowPruned);
      rules::chooseGrown(rules.grow,
                         {before.rows * before.columns,
                          occupied,
                          pruned,
                          {input.seed, Purpose::Topology, input.layer, input.evolution}},
                         &newcomers);
    }
    done.grown = newcomers.size();
    done.connections = before.count() - pruned + done.grown;
    const std::vector<float> weights = newcomerWeights(before, rules, input, newcomers, done.connections);
    merge(before, removed, newcomers, weights, done.connections, after, origin);
    *report = done;
  } catch (const std::bad_alloc&) {
    return noMemory(before);
  } catch (const std::length_error&) {
    return noMemory(before);
  }
  return {};
}

Status checkEvolution(const CsrMatrix& before, const CsrMatrix& after, const std::vector<uint64_t>& origin,
                      const LayerEvolutionReport& report, bool growBack) {
  const auto broken = [](const std::string& what) {
    return Status(Code::Internal, "an invariant of evolution does not hold: " + what);
  };
  if (after.rows != before.rows || after.columns != before.columns) return broken("the shape has changed");
  const Status valid = after.validate();
  if (!valid.ok()) return broken(valid.message());
  const uint64_t pruned = report.prunedPositive + report.prunedNegative + report.prunedZero;
  if (pruned > before.count()) return broken("more was pruned than was there");
  if (after.count() != report.connections || after.count() != before.count() - pruned + report.grown)
    return broken(number(before.count()) + " connections less " + number(pruned) + " pruned plus " +
                  number(report.grown) + " grown are not " + number(after.count()) +
                  " (reported: " + number(report.connections) + ")");
  if (origin.size() != after.count()) return broken("origin has " + number(origin.size()) + " elements");

  // Growth stops early only where no cell is free any more, with or without those pruned in this step.
  const uint64_t cells = before.rows * before.columns;
  if (report.grown > (growBack ? pruned : 0)) return broken("more has grown than was pruned");
  if (growBack && report.grown < pruned && after.count() != cells && before.count() + report.grown != cells)
    return broken(number(report.grown) + " have grown for " + number(pruned) + " pruned, though cells were free");

  uint64_t grown = 0, beforeRow = 0, next = 0;
  for (uint64_t r = 0; r < after.rows; ++r) {
    for (uint64_t i = after.rowPointers[r]; i < after.rowPointers[r + 1]; ++i) {
      if (origin[i] == kNewcomer) {
        ++grown;
        continue;
      }
      if (origin[i] < next || origin[i] >= before.count()) return broken("origin does not ascend at " + number(i));
      next = origin[i] + 1;
      while (before.rowPointers[beforeRow + 1] <= origin[i]) ++beforeRow;
      if (beforeRow != r || before.columnIndices[origin[i]] != after.columnIndices[i])
        return broken("connection " + number(i) + " is not in the cell it comes from");
      if (bitsOf(before.values[origin[i]]) != bitsOf(after.values[i]))
        return broken("the weight of survivor " + number(i) + " has changed");
    }
  }
  if (grown != report.grown) return broken(number(grown) + " newcomers, but " + number(report.grown) + " reported");
  return {};
}

}  // namespace setnet::core
