#include "cpu/inference.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "base/flush_subnormals.h"
#include "cpu/features.h"
#include "cpu/pool/pool.h"
#include "cpu/sparse_features.h"

namespace setnet::cpu {

using backend::RowSet;
using kernels::kLanes;
using kernels::Panels;

namespace {

constexpr int64_t kWide = 2 * kLanes;

int64_t roundUp(int64_t n, int64_t grain) { return (n + grain - 1) / grain * grain; }

// What one call computes, the same for all its panels.
struct Call {
  Call(const InferenceNetwork& n, const RowSet& r, int l, float* o) : network(n), rows(r), loss(l), out(o) {
    for (const ForwardForm& form : *network.layers) widest = std::max(widest, form.units);
    widest = roundUp(widest, kLanes);
    inputs = roundUp(network.layers->front().inputs, kLanes);
    units = network.layers->back().units;
    const ForwardForm& first = network.layers->front();
    byBlocks = first.packed && first.packed->blocks() > 1 && first.inputs >= kManyInputs;
  }

  const InferenceNetwork& network;
  const RowSet& rows;
  int loss;
  float* out;
  int64_t widest = 0, inputs = 0;  // multiples of 16
  int64_t units = 0;
  bool byBlocks = false;
};

// One thread's share of a call: panel after panel, depth first.
//
// Samples whose inputs to a layer are all 0 need no further product: the layer answers f(bias), whatever its weights,
// and so on to the end, which is computed once for all of them. In networks whose activations end at 0 most samples may
// go that way, one here and one there. So where at most half of a panel is left, the rest waits for company at that
// layer, and goes on when it fills a panel. Nothing of this changes a bit: a sample's sums do not depend on its lane.
class Share {
 public:
  // `width`: of its widest panels; 1 where there is a single sample only.
  Share(const Call& call, int64_t width, Workspace* workspace)
      : call_(call),
        width_(width),
        kernels_(*call.network.kernels),
        layers_(*call.network.layers),
        workspace_(*workspace) {}

  Status begin() {
    const size_t count = layers_.size();
    // Samples that wait for company go on in panels of 32, but only where there are more than 16.
    const int64_t input = call_.byBlocks
                              ? std::max(call_.inputs, roundUp(layers_[0].packed->columnsOf(0).end, kLanes) * width_)
                              : call_.inputs * width_;
    SETNET_TRY(workspace_.panels.reserve(static_cast<uint64_t>(input + 2 * call_.widest * width_)));
    inputPanel_ = workspace_.panels.data();
    outputPanels_[0] = inputPanel_ + input;
    outputPanels_[1] = outputPanels_[0] + call_.widest * width_;
    try {
      if (workspace_.waiting.size() < count) {
        workspace_.waiting.resize(count);
        workspace_.ids.resize(count);
        workspace_.constants.resize(count);
      }
      workspace_.waitingCount.assign(count, 0);
      workspace_.known.assign(count, 0);
    } catch (const std::bad_alloc&) {
      return Status(Code::Memory, "no memory while samples were answered");
    }
    return Status();
  }

  // Positions [first, first + count) of the rows, at most one panel of `width`.
  Status panel(uint64_t first, uint64_t count, int64_t width) {
    if (count == 1) return single(first);
    uint64_t ids[kWide];
    for (uint64_t i = 0; i < count; ++i) ids[i] = first + i;
    if (call_.byBlocks) return wide(first, static_cast<int64_t>(count), width, ids);
    const Panels x = {inputPanel_, 0, width};
    SETNET_TRY(packFeatures(kernels_, *call_.network.scaling, call_.rows, first, count, x));
    return run(0, x, ids, static_cast<int64_t>(count));
  }

  // Whoever still waits.
  Status finish() {
    for (size_t l = 0; l < layers_.size(); ++l)
      if (workspace_.waitingCount[l] > 0) SETNET_TRY(runWaiting(l));
    return Status();
  }

 private:
  // Very many inputs do not stay in a near cache as a panel: they are packed block by block, each before its product.
  Status wide(uint64_t first, int64_t count, int64_t width, const uint64_t* ids) {
    const ForwardForm& form = layers_[0];
    const Panels x = {inputPanel_, 0, width}, y = {outputPanels_[0], 0, width};
    const int64_t vectors = (count + kLanes - 1) / kLanes;
    if (call_.rows.matrix.isSparse()) {
      SETNET_TRY(wideSparse(first, count, x, y));
      return run(1, y, ids, count);
    }
    for (int64_t block = 0; block < form.packed->blocks(); ++block) {
      const Range columns = form.packed->columnsOf(block);
      SETNET_TRY(packColumns(kernels_, *call_.network.scaling, call_.rows, first, static_cast<uint64_t>(count),
                             columns.begin, columns.end, x));
      forwardBlock(kernels_, form, block, x, y, vectors, 1);
    }
    return run(1, y, ids, count);
  }

  // The first layer by blocks for sparse rows: where nothing is, nothing is written but once a call.
  Status wideSparse(uint64_t first, int64_t count, const Panels& x, const Panels& y) {
    const ForwardForm& form = layers_[0];
    const SparseScaling scaling(*call_.network.scaling);
    SparseCursors cursors(call_.rows, first, count);
    if (!hasZeros_)
      std::memset(x.data, 0, static_cast<size_t>(form.packed->columnsOf(0).end * x.width) * sizeof(float));
    hasZeros_ = true;
    for (int64_t block = 0; block < form.packed->blocks(); ++block) {
      const Range columns = form.packed->columnsOf(block);
      SETNET_TRY(cursors.write(scaling, columns.begin, columns.end, x.data, x.width));
      forwardBlock(kernels_, form, block, x, y, (count + kLanes - 1) / kLanes, call_.network.threads);
      cursors.takeBack(columns.begin, x.data, x.width);
    }
    return Status();
  }

  // Samples `ids` from layer `first` on, whose inputs are x.
  Status run(size_t first, Panels x, const uint64_t* ids, int64_t count) {
    const uint32_t all = count == kWide ? 0xFFFFFFFFu : (uint32_t{1} << count) - 1;
    for (size_t l = first; l < layers_.size(); ++l) {
      uint32_t live = 0;
      kernels_.liveSamples({layers_[l].inputs, x.data, x.width, all, &live});
      // Those that just came from waiting here go on, however few they are.
      if (live != all && (live == 0 || (l > first && __builtin_popcount(live) <= kLanes))) {
        if (x.width == kWide || live == 0) return split(l, x, ids, count, live);
      }
      x = layer(l, x, count);
    }
    return answer(x, ids, count);
  }

  Panels layer(size_t l, const Panels& x, int64_t count) {
    const ForwardForm& form = layers_[l];
    const Panels y = {outputPanels_[x.data == outputPanels_[0] ? 1 : 0], 0, x.width};
    const int64_t vectors = (count + kLanes - 1) / kLanes;
    // Inside one share of several the pool is taken already, and the parts run one after the other.
    const int parts = form.partsFor(static_cast<uint64_t>(count), call_.network.threads);
    pool::parallel(parts, [&](int part) { forwardPart(kernels_, form, part, parts, x, y, y, vectors); });
    return y;
  }

  // The dead are answered, the others wait.
  Status split(size_t l, const Panels& x, const uint64_t* ids, int64_t count, uint32_t live) {
    const int64_t features = layers_[l].inputs;
    if (live != 0) {
      SETNET_TRY(workspace_.waiting[l].reserve(static_cast<uint64_t>(2 * features * kWide)));
      SETNET_TRY(workspace_.ids[l].reserve(2 * kWide));
    }
    for (int64_t i = 0; i < count; ++i)
      if (!(live >> i & 1)) SETNET_TRY(answerConstant(l, ids[i]));
    if (live == 0) return Status();

    // Two panels: the second one takes what the first has no room for.
    int64_t lanes[kWide];
    int64_t moved = 0;
    uint32_t& waiting = workspace_.waitingCount[l];
    for (int64_t i = 0; i < count; ++i) {
      if (!(live >> i & 1)) continue;
      lanes[moved++] = i;
      workspace_.ids[l][waiting + static_cast<uint32_t>(moved) - 1] = ids[i];
    }
    float* to = workspace_.waiting[l].data();
    for (int64_t f = 0; f < features; ++f) {
      const float* from = x.data + f * kWide;
      for (int64_t m = 0; m < moved; ++m) {
        const int64_t place = waiting + m;
        to[place / kWide * features * kWide + f * kWide + place % kWide] = from[lanes[m]];
      }
    }
    waiting += static_cast<uint32_t>(moved);
    return waiting >= kWide ? runWaiting(l) : Status();
  }

  Status runWaiting(size_t l) {
    uint32_t& waiting = workspace_.waitingCount[l];
    const int64_t count = std::min<int64_t>(waiting, kWide);
    uint64_t ids[kWide];
    std::copy_n(workspace_.ids[l].data(), count, ids);
    const int64_t features = layers_[l].inputs;
    float* panel = workspace_.waiting[l].data();
    SETNET_TRY(run(l, {panel, 0, kWide}, ids, count));
    waiting -= static_cast<uint32_t>(count);
    if (waiting > 0) {
      std::memcpy(panel, panel + features * kWide, static_cast<size_t>(features * kWide) * sizeof(float));
      std::copy_n(workspace_.ids[l].data() + kWide, waiting, workspace_.ids[l].data());
    }
    return Status();
  }

  Status answer(const Panels& y, const uint64_t* ids, int64_t count) {
    const int64_t vectors = (count + kLanes - 1) / kLanes;
    if (call_.loss >= 0) kernels_.probabilities({call_.loss, call_.units, y, vectors});
    if (ids[count - 1] - ids[0] == static_cast<uint64_t>(count - 1)) {
      kernels_.unpackRows({call_.units, y, count, call_.out + ids[0] * static_cast<uint64_t>(call_.units)});
      return Status();
    }
    SETNET_TRY(workspace_.answers.reserve(static_cast<uint64_t>(kWide * call_.units)));
    kernels_.unpackRows({call_.units, y, count, workspace_.answers.data()});
    for (int64_t i = 0; i < count; ++i) copyAnswer(workspace_.answers.data() + i * call_.units, ids[i]);
    return Status();
  }

  void copyAnswer(const float* from, uint64_t id) {
    std::memcpy(call_.out + id * static_cast<uint64_t>(call_.units), from,
                static_cast<size_t>(call_.units) * sizeof(float));
  }

  Status answerConstant(size_t l, uint64_t id) {
    Buffer<float>& constant = workspace_.constants[l];
    if (!workspace_.known[l]) {
      SETNET_TRY(constant.reserve(static_cast<uint64_t>(2 * call_.widest + std::max(call_.widest, call_.inputs))));
      float* x = constant.data() + 2 * call_.widest;
      std::memset(x, 0, static_cast<size_t>(layers_[l].inputs) * sizeof(float));
      SETNET_TRY(vectorFrom(l, x, constant.data() + call_.widest, constant.data()));
      workspace_.known[l] = 1;
    }
    copyAnswer(constant.data(), id);
    return Status();
  }

  // One sample, whose lanes are the units. Activations take turns in outputPanels_.
  Status single(uint64_t position) {
    float* result = outputPanels_[layers_.size() % 2];
    float* other = outputPanels_[(layers_.size() + 1) % 2];
    const ForwardForm& form = layers_[0];
    const backend::MatrixView& matrix = call_.rows.matrix;
    const uint64_t row = call_.rows.row(position);
    if (matrix.isSparse() && prefersColumns(form, form.inputs - static_cast<int64_t>(matrix.sparseRow(row).count))) {
      float* y = layers_.size() % 2 == 1 ? result : other;
      SETNET_TRY(firstOfFew(row, y));
      SETNET_TRY(vectorFrom(1, y, other, result));
    } else {
      hasZeros_ = false;
      SETNET_TRY(packFeatures(kernels_, *call_.network.scaling, call_.rows, position, 1, {inputPanel_, 0, 1}));
      SETNET_TRY(vectorFrom(0, inputPanel_, other, result));
    }
    copyAnswer(result, position);
    return Status();
  }

  // The first layer of one sparse row by columns, which are brought together for the kernel: the others are not looked
  // at.
  Status firstOfFew(uint64_t row, float* y) {
    const ForwardForm& form = layers_[0];
    const SparseScaling scaling(*call_.network.scaling);
    const backend::SparseRow sparse = call_.rows.matrix.sparseRow(row);
    const ColumnsView all = form.columns->view();
    uint64_t connections = 0;
    for (uint64_t i = 0; i < sparse.count; ++i)
      connections += all.pointers[sparse.columns[i] + 1] - all.pointers[sparse.columns[i]];
    SETNET_TRY(workspace_.fewPointers.reserve(sparse.count + 1));
    SETNET_TRY(workspace_.fewInputs.reserve(sparse.count));
    SETNET_TRY(workspace_.fewRows.reserve(connections));
    SETNET_TRY(workspace_.fewValues.reserve(connections));
    uint64_t at = workspace_.fewPointers[0] = 0;
    for (uint64_t i = 0; i < sparse.count; ++i) {
      const uint32_t column = sparse.columns[i];
      bool finite = true;
      workspace_.fewInputs[i] = scaling(sparse.values[i], column, &finite);
      if (!finite) return sparseNonfinite(row, column, sparse.values[i]);
      for (uint64_t k = all.pointers[column]; k < all.pointers[column + 1]; ++k, ++at) {
        workspace_.fewRows[at] = all.rows[k];
        workspace_.fewValues[at] = all.values[k];
      }
      workspace_.fewPointers[i + 1] = at;
    }
    forwardColumns(kernels_, form,
                   {static_cast<int64_t>(sparse.count), workspace_.fewPointers.data(), workspace_.fewRows.data(),
                    workspace_.fewValues.data()},
                   workspace_.fewInputs.data(), y);
    padVector(form, y);
    return Status();
  }

  // Dense kernels read up to here, with weights of 0: what they find must be finite.
  static void padVector(const ForwardForm& form, float* y) {
    for (int64_t u = form.units; u % kLanes != 0; ++u) y[u] = 0;
  }

  // From layer `first` on, whose inputs are x, to `result`; `other` takes turns with it.
  Status vectorFrom(size_t first, const float* x, float* other, float* result) {
    for (size_t l = first; l < layers_.size(); ++l) {
      float* y = (layers_.size() - l) % 2 == 1 ? result : other;
      const ForwardForm& form = layers_[l];
      const int parts = form.partsFor(1, call_.network.threads);
      if (prefersColumns(form, x))
        forwardColumns(kernels_, form, form.columns->view(), x, y);
      else
        pool::parallel(parts, [&](int part) { forwardVector(kernels_, form, part, parts, x, y); });
      padVector(form, y);
      x = y;
    }
    if (call_.loss < 0) return Status();
    // The loss's answer is made by the kernel for panels, all lanes alike, so that it is the same to the bit.
    SETNET_TRY(workspace_.answers.reserve(static_cast<uint64_t>(kWide * call_.units)));
    const Panels panel = {workspace_.answers.data(), 0, kLanes};
    for (int64_t u = 0; u < call_.units; ++u) {
      float* lanes = panel.data + u * kLanes;
      for (int64_t i = 0; i < kLanes; ++i) lanes[i] = result[u];
    }
    kernels_.probabilities({call_.loss, call_.units, panel, 1});
    for (int64_t u = 0; u < call_.units; ++u) result[u] = panel.data[u * kLanes];
    return Status();
  }

  const Call& call_;
  const int64_t width_;
  const kernels::KernelTable& kernels_;
  const std::vector<ForwardForm>& layers_;
  Workspace& workspace_;
  float* inputPanel_ = nullptr;
  bool hasZeros_ = false;  // a block of inputPanel_, for sparse rows
  float* outputPanels_[2] = {};
};

}  // namespace

Workspace WorkspacePool::take() {
  static std::atomic<int> threads{0};
  thread_local const int user = threads.fetch_add(1, std::memory_order_relaxed);
  Workspace workspace;
  pthread_mutex_lock(&mutex_);
  if (!free_.empty()) {
    const auto own =
        std::find_if(free_.begin(), free_.end(), [](const Workspace& one) { return one.lastUser == user; });
    // Another one's only where there is none of a thread's own.
    std::swap(own == free_.end() ? free_.front() : *own, free_.back());
    workspace = std::move(free_.back());
    free_.pop_back();
  }
  pthread_mutex_unlock(&mutex_);
  workspace.lastUser = user;
  return workspace;
}

void WorkspacePool::putBack(Workspace workspace) {
  pthread_mutex_lock(&mutex_);
  try {
    free_.push_back(std::move(workspace));
  } catch (const std::bad_alloc&) {
    // Then it is not kept.
  }
  pthread_mutex_unlock(&mutex_);
}

Status infer(const InferenceNetwork& network, WorkspacePool* workspaces, const RowSet& rows, int loss,
             Span<float> out) {
  const std::vector<ForwardForm>& layers = *network.layers;
  const uint64_t units = static_cast<uint64_t>(layers.back().units);
  SETNET_TRY(checkScaling(*network.scaling));
  SETNET_TRY(checkRows(rows, static_cast<uint64_t>(layers.front().inputs)));
  if (out.size() != rows.count * units)
    return Status(Code::Shape, "the output has room for " + std::to_string(out.size()) + " numbers; " +
                                   std::to_string(rows.count) + " rows of " + std::to_string(units) + " units need " +
                                   std::to_string(rows.count * units));
  if (rows.matrix.isSparse()) SETNET_TRY(*network.sparseScaling);
  if (rows.count == 0) return Status();

  FlushSubnormals flush;
  uint64_t work = 0;
  for (const ForwardForm& form : layers) work += form.work() * rows.count;
  const int threads = partsFor(work, network.threads);
  // Narrow panels too where else a thread would be left without one: cutting a panel's layers means exchanging all of
  // it.
  const uint64_t narrow = static_cast<uint64_t>(kLanes) * static_cast<uint64_t>(threads);
  const int64_t width = rows.count <= narrow ? kLanes : kWide;
  Call call(network, rows, loss, out.data());
  const int64_t panels = static_cast<int64_t>((rows.count + static_cast<uint64_t>(width) - 1) / width);

  // More shares than threads, so that one that is held up elsewhere leaves work to the others.
  constexpr int kMostShares = 64, kSharesPerThread = 4;
  const int shares =
      static_cast<int>(std::min<int64_t>(panels, threads == 1 ? 1 : std::min(kMostShares, threads * kSharesPerThread)));
  // Where a panel is alone, its layers are cut for the threads instead: blocks of sparse rows are as well.
  call.byBlocks = call.byBlocks && (shares > 1 || threads == 1 || rows.matrix.isSparse());
  const auto inferShare = [&](int index) -> Status {
    Workspace workspace = workspaces->take();
    Share share(call, rows.count == 1 ? 1 : width, &workspace);
    Status status = share.begin();
    for (int64_t p = panels * index / shares; p < panels * (index + 1) / shares && status.ok(); ++p) {
      const uint64_t first = static_cast<uint64_t>(p * width);
      status = share.panel(first, std::min(rows.count - first, static_cast<uint64_t>(width)), width);
    }
    if (status.ok()) status = share.finish();
    workspaces->putBack(std::move(workspace));
    return status;
  };
  if (shares == 1) return inferShare(0);

  // The failure of the first rows that failed, whichever thread finds one first.
  Status failures[kMostShares];
  pool::parallel(shares, [&](int index) { failures[index] = inferShare(index); });
  for (int index = 0; index < shares; ++index) SETNET_TRY(failures[index]);
  return Status();
}

}  // namespace setnet::cpu
