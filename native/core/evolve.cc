#include "core/evolve.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

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

Status checkInput(const EvolutionSource& source, const EvolutionRules& rules, const LayerEvolutionInput& input) {
  const CsrView& before = source.matrix;
  if (source.stateCount < 0 || source.stateCount > rules::kMaxOptimizerState)
    return {Code::Internal, "a connection has " + std::to_string(source.stateCount) +
                                " states, but there are at most " + std::to_string(rules::kMaxOptimizerState)};
  SETNET_TRY(checkRule("prune", rules.prune, std::size(rules::kPruneRules)));
  SETNET_TRY(checkRule("grow", rules.grow, std::size(rules::kGrowRules)));
  SETNET_TRY(checkRule("new weights'", rules.newWeightsAsLayer ? input.layerInitializer.rule : rules.newWeights.rule,
                       std::size(rules::kInitializers)));
  if (!(input.zeta >= 0 && input.zeta <= 1))
    return {Code::Option, "zeta must be from 0 to 1, but is " + std::to_string(input.zeta)};
  const uint64_t bad = firstNonfinite(before.values.data(), before.values.size());
  if (bad == before.values.size()) return {};
  const auto& pointers = before.rowPointers;
  const uint64_t row =
      static_cast<uint64_t>(std::upper_bound(pointers.begin(), pointers.end(), bad) - pointers.begin() - 1);
  return {Code::Nonfinite, "the weight in row " + number(row) + ", column " + number(before.columnIndices[bad]) +
                               " is " + (isNanBits(before.values[bad]) ? "NaN" : "infinite") +
                               ": a layer evolves only while all its weights are finite"};
}

Status noMemory(uint64_t connections) {
  return {Code::Memory,
          "evolving a layer of " + number(connections) + " connections needs memory that could not be had"};
}

// removed[i] = 1 for what the rule chooses and for exact zeros, which are of neither sign and go unless they are kept.
void chooseRemoved(const CsrView& matrix, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   Span<uint8_t> removed) {
  const Span<const float> values = matrix.values;
  if (rules.keepZeros)
    std::fill(removed.begin(), removed.end(), uint8_t{0});
  else
    for (size_t i = 0; i < removed.size(); ++i) removed[i] = isZeroBits(values[i]);
  const RandomStream stream = {input.seed, Purpose::RandomPrune, input.layer, input.evolution};
  rules::markPruned(rules.prune, {values, input.zeta, stream, matrix.rows * matrix.columns}, removed);
}

// How many are to grow after so many were removed.
uint64_t growthWanted(uint64_t connections, uint64_t pruned, bool growBack, uint64_t budget) {
  if (!growBack) return 0;
  if (budget == kAsRemoved) return pruned;
  const uint64_t left = connections - pruned;
  return budget > left ? budget - left : 0;
}

// Returns how many go.
uint64_t countRemoved(Span<const float> values, Span<const uint8_t> removed, LayerEvolutionReport* report) {
  uint64_t zero = 0, negative = 0, all = 0;
  constexpr size_t kBlock = 4096;
  for (size_t first = 0; first < values.size(); first += kBlock) {
    const size_t end = std::min(values.size(), first + kBlock);
    uint32_t zeroHere = 0, negativeHere = 0, allHere = 0;  // 32 bits: as wide as what is counted
    for (size_t i = first; i < end; ++i) {
      const uint32_t isZero = isZeroBits(values[i]), goes = removed[i];
      zeroHere += goes & isZero;
      negativeHere += goes & (isZero ^ 1) & bitsOf(values[i]) >> 31;
      allHere += goes;
    }
    zero += zeroHere;
    negative += negativeHere;
    all += allHere;
  }
  report->prunedZero = zero;
  report->prunedNegative = negative;
  report->prunedPositive = all - zero - negative;
  return all;
}

// The cells of the newcomers, ascending.
void chooseNewcomers(const CsrView& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                     uint64_t pruned, EvolutionMemory* memory, Stopwatch* stopwatch) {
  memory->newcomers.renew(0);
  const uint64_t wanted = growthWanted(before.count(), pruned, input.growBack, input.budget);
  if (wanted == 0) return;
  // Nothing may grow in the cells of the survivors, or in any that were there.
  rules::OccupiedCells occupied;
  occupied.rows = before.rows;
  occupied.columns = before.columns;
  occupied.count = before.count() - (rules.regrowPruned ? pruned : 0);
  occupied.rowPointers = before.rowPointers.data();
  occupied.columnIndices = before.columnIndices.data();
  occupied.removed = rules.regrowPruned ? memory->removed.data() : nullptr;
  rules::chooseGrown(rules.grow,
                     {occupied, wanted, {input.seed, Purpose::Topology, input.layer, input.evolution}, stopwatch},
                     &memory->grow, &memory->newcomers);
}

// One weight per newcomer; none where all of them are 0.
void drawNewWeights(const CsrView& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                    uint64_t connections, EvolutionMemory* memory) {
  memory->newWeights.renew(0);
  const uint64_t grown = memory->newcomers.size();
  if (grown == 0) return;
  const rules::Fans fans = rules::Fans::of(static_cast<double>(connections), static_cast<double>(before.columns),
                                           static_cast<double>(before.rows));
  const rules::WeightScale scale =
      rules::weightScale(rules.newWeightsAsLayer ? input.layerInitializer : rules.newWeights, fans);
  if (scale.scale == 0) return;
  weightsOfCells({input.seed, Purpose::NewWeight, input.layer, input.evolution}, {memory->newcomers.data(), grown},
                 scale, {memory->newWeights.renew(grown), grown});
}

// Writes survivors and newcomers row by row, in the order of their columns, each with its value and its state. A long
// row is done piece by piece, so that all that is read and written lies close together.
template <int kStates>
class Merge {
 public:
  Merge(const EvolutionSource& before, const EvolutionTarget& after, EvolutionMemory* memory)
      : source_(before), before_(before.matrix), after_(after), memory_(*memory) {}

  void run() {
    const uint64_t mostFresh = std::min<uint64_t>(memory_.newcomers.size(), before_.columns);
    uint64_t* const fresh = memory_.newcomerKeys.renew(mostFresh + 2) + 1;
    uint64_t survivorMemory[kPiece + 2];
    uint64_t* const survivors = survivorMemory + 1;

    uint64_t to = 0, newcomer = 0;
    after_.rowPointers[0] = 0;
    for (uint64_t r = 0; r < before_.rows; ++r) {
      const uint64_t rowEnd = before_.rowPointers[r + 1], base = r * before_.columns;
      uint64_t first = before_.rowPointers[r];
      bool more;
      do {
        more = rowEnd - first > kPiece;
        const uint64_t end = more ? first + kPiece : rowEnd;
        const uint64_t survivorCount = keepSurvivors(first, end, survivors);
        const uint64_t endColumn = more ? before_.columnIndices[end] : before_.columns;
        const uint64_t freshCount = takeNewcomers(newcomer, base, endColumn, fresh);
        mergePiece(survivors, survivorCount, fresh, freshCount, first, to);
        newcomer += freshCount;
        to += survivorCount + freshCount;
        first = end;
      } while (more);
      after_.rowPointers[r + 1] = to;
    }
  }

 private:
  static constexpr uint64_t kPiece = 64;  // connections
  // Keys: the column above, and below it the place in the piece, or kFresh.
  static constexpr uint64_t kFresh = 0xFFFFFFFF;

  uint64_t keepSurvivors(uint64_t first, uint64_t end, uint64_t* keys) const {
    const uint32_t* const columns = before_.columnIndices.data() + first;
    const uint8_t* const removed = memory_.removed.data() + first;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < end - first; ++i) {
      keys[kept] = static_cast<uint64_t>(columns[i]) << 32 | i;
      kept += removed[i] ^ 1;
    }
    return kept;
  }

  // The newcomers from number `next` on, in the columns before `endColumn` of the row that begins in cell `base`.
  uint64_t takeNewcomers(uint64_t next, uint64_t base, uint64_t endColumn, uint64_t* keys) const {
    const uint64_t* const cells = memory_.newcomers.data() + next;
    const uint64_t left = memory_.newcomers.size() - next;
    uint64_t count = 0;
    for (; count < left && cells[count] - base < endColumn; ++count) keys[count] = (cells[count] - base) << 32 | kFresh;
    return count;
  }

  // From both ends at once, without a branch: where a newcomer goes is chance, and a step depends on the one before.
  // There must be a place before and one behind the keys of a and b.
  void mergePiece(uint64_t* a, uint64_t aCount, uint64_t* b, uint64_t bCount, uint64_t first, uint64_t to) const {
    // A side that is used up never wins: above all keys, seen from the front, and below them, seen from the back.
    a[aCount] = b[bCount] = ~uint64_t{0};
    a[-1] = b[-1] = 0;
    const uint64_t total = aCount + bCount;
    const uint64_t *aLow = a, *bLow = b, *aHigh = a + aCount - 1, *bHigh = b + bCount - 1;
    const Place place(*this, first);
    uint64_t low = to, high = to + total;
    const auto stepUp = [&] {
      const uint64_t survives = *aLow < *bLow;
      place(low++, select(survives, *aLow, *bLow), survives);
      aLow += survives;
      bLow += survives ^ 1;
    };
    const auto stepDown = [&] {
      // Equal where b is used up and the survivor is place 0 in column 0.
      const uint64_t survives = *aHigh >= *bHigh;
      place(--high, select(survives, *aHigh, *bHigh), survives);
      aHigh -= survives;
      bHigh -= survives ^ 1;
    };
    for (uint64_t pairs = total / 2; pairs > 0; --pairs) {
      stepUp();
      stepDown();
    }
    if (total % 2 != 0) stepUp();
  }

  // condition (0 or 1) ? x : y, in a way that compilers do not turn into a branch.
  static uint64_t select(uint64_t condition, uint64_t x, uint64_t y) { return y ^ ((x ^ y) & (0 - condition)); }

  // Writes one connection. A newcomer reads connection 0 (there is one) and makes 0 of it.
  struct Place {
    Place(const Merge& m, uint64_t firstOfRow)
        : first(firstOfRow),
          values(m.before_.values.data()),
          toColumns(m.after_.columnIndices),
          toValues(m.after_.values) {
      for (int s = 0; s < kStates; ++s) {
        state[s] = m.source_.state[s];
        toState[s] = m.after_.state[s];
      }
    }
    void operator()(uint64_t to, uint64_t key, uint64_t survives) const {
      const uint64_t from = (first + (key & kFresh)) & (0 - survives);
      const uint32_t kept = 0 - static_cast<uint32_t>(survives);
      toColumns[to] = static_cast<uint32_t>(key >> 32);
      toValues[to] = floatOf(bitsOf(values[from]) & kept);
      for (int s = 0; s < kStates; ++s) toState[s][to] = floatOf(bitsOf(state[s][from]) & kept);
    }

    uint64_t first;
    const float* values;
    uint32_t* toColumns;
    float* toValues;
    const float* state[rules::kMaxOptimizerState];
    float* toState[rules::kMaxOptimizerState];
  };

  const EvolutionSource& source_;
  const CsrView& before_;
  const EvolutionTarget& after_;
  EvolutionMemory& memory_;
};

// A layer that had no connections has nothing to merge with.
void placeNewcomers(const EvolutionSource& before, const EvolutionTarget& after, const EvolutionMemory& memory) {
  const CsrView& matrix = before.matrix;
  uint64_t to = 0;
  after.rowPointers[0] = 0;
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (; to < memory.newcomers.size() && memory.newcomers[to] - r * matrix.columns < matrix.columns; ++to) {
      after.columnIndices[to] = static_cast<uint32_t>(memory.newcomers[to] - r * matrix.columns);
      after.values[to] = 0;
      for (int s = 0; s < before.stateCount; ++s) after.state[s][to] = 0;
    }
    after.rowPointers[r + 1] = to;
  }
}

void merge(const EvolutionSource& before, const EvolutionTarget& after, EvolutionMemory* memory) {
  if (before.matrix.count() == 0) return placeNewcomers(before, after, *memory);
  static_assert(rules::kMaxOptimizerState == 3, "a case for every number of states");
  if (before.stateCount == 0) Merge<0>(before, after, memory).run();
  if (before.stateCount == 1) Merge<1>(before, after, memory).run();
  if (before.stateCount == 2) Merge<2>(before, after, memory).run();
  if (before.stateCount == 3) Merge<3>(before, after, memory).run();
}

// Gives newcomers the weights that were drawn for them: no survivor is in their cells.
void placeNewWeights(const CsrView& before, const EvolutionTarget& after, const EvolutionMemory& memory) {
  uint64_t next = 0;
  for (uint64_t r = 0; next < memory.newWeights.size(); ++r) {
    const uint64_t base = r * before.columns;
    for (uint64_t i = after.rowPointers[r]; i < after.rowPointers[r + 1]; ++i) {
      if (next < memory.newWeights.size() && memory.newcomers[next] == base + after.columnIndices[i])
        after.values[i] = memory.newWeights[next++];
    }
  }
}

// Which connection each one was before.
void traceOrigins(const CsrView& before, const EvolutionTarget& after, const EvolutionMemory& memory) {
  for (uint64_t r = 0; r < before.rows; ++r) {
    uint64_t from = before.rowPointers[r];
    for (uint64_t i = after.rowPointers[r]; i < after.rowPointers[r + 1]; ++i) {
      const uint32_t column = after.columnIndices[i];
      while (from < before.rowPointers[r + 1] && before.columnIndices[from] < column) ++from;
      const bool was = from < before.rowPointers[r + 1] && before.columnIndices[from] == column;
      after.origin[i] = was && !memory.removed[from] ? from : kNewcomer;
    }
  }
}

}  // namespace

Status evolveLayer(const EvolutionSource& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   EvolutionMemory* memory, const EvolutionTarget& after, LayerEvolutionReport* report) {
  LayerEvolutionReport done;
  Stopwatch stopwatch(input.measurePhases ? &done.phases : nullptr);
  const CsrView& matrix = before.matrix;
  SETNET_TRY(checkInput(before, rules, input));
  stopwatch.lap("check");
  try {
    const Span<uint8_t> removed(memory->removed.renew(matrix.count()), matrix.count());
    chooseRemoved(matrix, rules, input, removed);
    stopwatch.lap("prune");
    const uint64_t pruned = countRemoved(matrix.values, removed, &done);
    stopwatch.lap("count");
    chooseNewcomers(matrix, rules, input, pruned, memory, &stopwatch);
    done.grown = memory->newcomers.size();
    done.connections = matrix.count() - pruned + done.grown;
    drawNewWeights(matrix, rules, input, done.connections, memory);
    stopwatch.lap("new weights");
    merge(before, after, memory);
    stopwatch.lap("merge");
    placeNewWeights(matrix, after, *memory);
    stopwatch.lap("new weights");
    if (after.origin) traceOrigins(matrix, after, *memory);
  } catch (const std::bad_alloc&) {
    return noMemory(matrix.count());
  } catch (const std::length_error&) {
    return noMemory(matrix.count());
  }
  *report = done;
  return {};
}

Status evolveLayer(const CsrMatrix& before, const EvolutionRules& rules, const LayerEvolutionInput& input,
                   CsrMatrix* after, std::vector<uint64_t>* origin, LayerEvolutionReport* report) {
  CsrMatrix made;
  std::vector<uint64_t> from;
  EvolutionMemory memory;
  EvolutionSource source;
  source.matrix = before;
  EvolutionTarget target;
  try {
    made.rows = before.rows;
    made.columns = before.columns;
    made.rowPointers.resize(before.rows + 1);
    const uint64_t room = roomForEvolution(before.count(), input.budget);
    made.columnIndices.resize(room);
    made.values.resize(room);
    from.resize(room);
  } catch (const std::bad_alloc&) {
    return noMemory(before.count());
  } catch (const std::length_error&) {
    return noMemory(before.count());
  }
  target.rowPointers = made.rowPointers.data();
  target.columnIndices = made.columnIndices.data();
  target.values = made.values.data();
  target.origin = from.data();
  SETNET_TRY(evolveLayer(source, rules, input, &memory, target, report));
  made.columnIndices.resize(report->connections);
  made.values.resize(report->connections);
  from.resize(report->connections);
  *after = std::move(made);
  *origin = std::move(from);
  return {};
}

Status checkEvolution(const CsrMatrix& before, const CsrMatrix& after, const std::vector<uint64_t>& origin,
                      const LayerEvolutionReport& report, bool growBack, uint64_t budget) {
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
  const uint64_t wanted = growthWanted(before.count(), pruned, growBack, budget);
  if (report.grown > wanted) return broken("more has grown than was to grow");
  if (report.grown < wanted && after.count() != cells && before.count() + report.grown != cells)
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
