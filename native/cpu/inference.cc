#include "cpu/inference.h"

#include <new>
#include <string>
#include <utility>

#include "base/flush_subnormals.h"
#include "cpu/features.h"
#include "cpu/pool/pool.h"

namespace setnet::cpu {

using backend::RowSet;
using kernels::kLanes;
using kernels::Panels;

namespace {

constexpr int64_t kWide = 2 * kLanes;

int64_t widestLayer(const std::vector<ForwardForm>& layers) {
  int64_t widest = 0;
  for (const ForwardForm& form : layers) widest = std::max(widest, form.units);
  return widest;
}

// What one call computes, the same for all its panels.
struct Call {
  const InferenceNetwork& network;
  const RowSet& rows;
  int loss;
  float* out;
  int64_t width;   // of its panels
  int64_t widest;  // units
};

// Positions [first, first + count) of the rows, at most one panel.
Status inferPanel(const Call& call, uint64_t first, uint64_t count, float* memory) {
  const kernels::KernelTable& kernels = *call.network.kernels;
  const std::vector<ForwardForm>& layers = *call.network.layers;
  const int64_t vectors = (static_cast<int64_t>(count) + kLanes - 1) / kLanes;
  Panels x = {memory, 0, call.width};
  SETNET_TRY(packFeatures(kernels, *call.network.scaling, call.rows, first, count, x));
  float* outputs[2] = {memory + layers.front().inputs * call.width, nullptr};
  outputs[1] = outputs[0] + call.widest * call.width;
  for (size_t l = 0; l < layers.size(); ++l) {
    const ForwardForm& form = layers[l];
    const Panels y = {outputs[l % 2], 0, call.width};
    // Inside a panel that is one of several the pool is taken already, and the parts run one after the other.
    const int parts = partsFor(form.connections() * count, call.network.threads);
    pool::parallel(parts, [&](int part) { forwardRows(kernels, form, form.rows(parts, part), x, y, y, vectors); });
    x = y;
  }
  const int64_t units = layers.back().units;
  if (call.loss >= 0) kernels.probabilities({call.loss, units, x, vectors});
  kernels.unpackRows({units, x, static_cast<int64_t>(count), call.out + first * static_cast<uint64_t>(units)});
  return Status();
}

}  // namespace

Status WorkspacePool::take(uint64_t floats, Workspace* out) {
  pthread_mutex_lock(&mutex_);
  if (!free_.empty()) {
    *out = std::move(free_.back());
    free_.pop_back();
  }
  pthread_mutex_unlock(&mutex_);
  return out->memory.reserve(floats);
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
  if (rows.count == 0) return Status();

  FlushSubnormals flush;
  const int64_t width = rows.count <= static_cast<uint64_t>(kLanes) ? kLanes : kWide;
  const Call call = {network, rows, loss, out.data(), width, widestLayer(layers)};
  const int64_t panels = static_cast<int64_t>((rows.count + static_cast<uint64_t>(width) - 1) / width);
  uint64_t work = 0;
  for (const ForwardForm& form : layers) work += form.connections() * rows.count;
  const int parts = static_cast<int>(std::min<int64_t>(panels, partsFor(work, network.threads)));
  const uint64_t floats = static_cast<uint64_t>((layers.front().inputs + 2 * call.widest) * kWide);

  constexpr int kMaxParts = 64;
  const int used = std::min(parts, kMaxParts);
  const auto inferPart = [&](int part) -> Status {
    Workspace workspace;
    Status status = workspaces->take(floats, &workspace);
    for (int64_t panel = panels * part / used; panel < panels * (part + 1) / used && status.ok(); ++panel) {
      const uint64_t first = static_cast<uint64_t>(panel * width);
      status =
          inferPanel(call, first, std::min(rows.count - first, static_cast<uint64_t>(width)), workspace.memory.data());
    }
    workspaces->putBack(std::move(workspace));
    return status;
  };
  if (used == 1) return inferPart(0);

  // The failure of the first panel that failed, whichever thread finds one first.
  Status failures[kMaxParts];
  pool::parallel(used, [&](int part) { failures[part] = inferPart(part); });
  for (int part = 0; part < used; ++part) SETNET_TRY(failures[part]);
  return Status();
}

}  // namespace setnet::cpu
