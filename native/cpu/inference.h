// Rows in, answers out: panel by panel through the whole network, with memory that is kept for the next call.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "cpu/buffer.h"
#include "cpu/forward.h"

namespace setnet::cpu {

// Activations of one panel: the inputs and two layers' outputs.
struct Workspace {
  Buffer<float> memory;
};

// Workspaces that wait for a user. As many exist as were ever used at the same time.
class WorkspacePool {
 public:
  WorkspacePool() = default;
  ~WorkspacePool() { pthread_mutex_destroy(&mutex_); }
  WorkspacePool(const WorkspacePool&) = delete;
  WorkspacePool& operator=(const WorkspacePool&) = delete;

  // A workspace with room for `floats` numbers.
  Status take(uint64_t floats, Workspace* out);
  void putBack(Workspace workspace);

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  std::vector<Workspace> free_;
};

struct InferenceNetwork {
  const kernels::KernelTable* kernels = nullptr;
  const core::Scaling* scaling = nullptr;
  const std::vector<ForwardForm>* layers = nullptr;
  int threads = 1;
};

// out = rows.count x units, row-major: the last layer's outputs, or with loss >= 0 what a network trained with that
// loss answers. Bits of a row depend on the row alone.
Status infer(const InferenceNetwork& network, WorkspacePool* workspaces, const backend::RowSet& rows, int loss,
             Span<float> out);

}  // namespace setnet::cpu
