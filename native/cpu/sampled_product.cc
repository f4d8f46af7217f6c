#include "cpu/sampled_product.h"

#include <algorithm>
#include <new>

#include "base/flush_subnormals.h"
#include "cpu/buffer.h"
#include "cpu/features.h"
#include "cpu/packed_matrix.h"
#include "cpu/pool/pool.h"
#include "kernels/dispatch.h"

namespace setnet::cpu {

using backend::MatrixView;
using kernels::kLanes;
using kernels::Panels;

namespace {

// A whole batch as panels in `memory`; lanes beyond its end are zeros. `name` stands in front of what is wrong with it.
Status packBatch(const kernels::KernelTable& kernels, const MatrixView& batch, const char* name, int threads,
                 Buffer<float>* memory, Panels* out) {
  const uint64_t lanes = static_cast<uint64_t>(kLanes);
  const uint64_t width = batch.rows <= lanes ? lanes : 2 * lanes;
  const uint64_t panels = (batch.rows + width - 1) / width;
  SETNET_TRY(memory->reserve(saturatedProduct(saturatedProduct(panels, width), batch.columns)));
  *out = {memory->data(), static_cast<int64_t>(batch.columns * width), static_cast<int64_t>(width)};
  if (batch.columns == 0) return Status();
  const core::Scaling none;
  for (uint64_t p = 0; p < panels; ++p) {
    const uint64_t first = p * width;
    const Panels panel = {out->data + static_cast<int64_t>(p) * out->stride, out->stride, out->width};
    const Status status = packFeatures(kernels, none, {batch, nullptr, 0, batch.rows}, first,
                                       std::min(width, batch.rows - first), panel, threads);
    if (!status.ok()) return Status(status.code(), std::string(name) + ": " + status.message());
  }
  return Status();
}

}  // namespace

// The update of training with an optimizer that leaves the gradient behind: SGD with a learning rate of -1 from weights
// and velocities of 0, w = 0 - -1 * g, which is exact.
Status sampledPanels(const kernels::KernelTable& kernels, const core::CsrMatrix& topology,
                     const kernels::ConstPanels& gradient, const kernels::ConstPanels& x, int64_t vectors,
                     const LiveInputs* live, int parts, Span<float> values) {
  std::fill(values.begin(), values.end(), 0.0f);
  if (values.empty()) return Status();
  core::CsrView zeros = topology;
  zeros.values = values;
  PackOptions options;
  options.parts = parts;
  options.companionCount = rules::stateCountOf(static_cast<int>(rules::Optimizer::Sgd));
  options.updatable = true;
  PackedMatrix packed;
  PackMemory memory;
  SETNET_TRY(packed.pack(zeros, options, &memory));

  rules::RuleChoice sgd = {};  // no momentum, no decay
  sgd.rule = static_cast<int>(rules::Optimizer::Sgd);
  float coefficients[rules::kMaxCoefficients];
  rules::prepareOptimizer(sgd, {-1.0f, 1}, false, coefficients);
  pool::parallel(packed.parts(), [&](int part) {
    kernels::SparseUpdateArgs args = {};
    args.w = live ? live->view(packed, part) : packed.view(part);
    for (int i = 0; i < packed.companionCount(); ++i) args.state[i] = packed.companion(part, i);
    args.x = x;
    args.gradient = gradient;
    args.vectors = vectors;
    args.optimizer = {sgd.rule, coefficients};
    kernels.sparseUpdate(args);
  });
  return packed.unpack(nullptr, nullptr, values.data(), nullptr, &memory);
}

Status sampledProduct(const core::CsrMatrix& topology, const MatrixView& a, const MatrixView& b, int threads,
                      Span<float> values) {
  SETNET_TRY(backend::checkSampledProduct(topology, a, b, values));
  std::fill(values.begin(), values.end(), 0.0f);
  if (a.rows == 0) return Status();
  const kernels::KernelTable* kernels = nullptr;
  SETNET_TRY(kernels::active(&kernels));
  FlushSubnormals flush;
  try {
    Buffer<float> memoryOfA, memoryOfB;
    Panels gradient, x;
    SETNET_TRY(packBatch(*kernels, a, "a", threads, &memoryOfA, &gradient));
    SETNET_TRY(packBatch(*kernels, b, "b", threads, &memoryOfB, &x));
    const int64_t vectors =
        static_cast<int64_t>((a.rows + static_cast<uint64_t>(kLanes) - 1) / static_cast<uint64_t>(kLanes));
    const int parts = partsFor(saturatedProduct(topology.count(), a.rows), threads);
    return sampledPanels(*kernels, topology, gradient, x, vectors, nullptr, parts, values);
  } catch (const std::bad_alloc&) {
    return Status(Code::Memory, "no memory while a sampled product was made");
  }
}

}  // namespace setnet::cpu
