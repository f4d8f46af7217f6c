// Rows in, answers out: panel by panel through the whole network, with memory that is kept for the next call.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "cpu/buffer.h"
#include "cpu/forward.h"

namespace setnet::cpu {

// What one thread needs while it infers; everything grows when it is first needed and is kept.
struct Workspace {
  int lastUser = -1;                     // number of the thread that had it last
  Buffer<float> panels;                  // inputs and two layers' outputs
  std::vector<Buffer<float>> waiting;    // [layer]: samples that wait for company (inference.cc)
  std::vector<Buffer<uint64_t>> ids;     // [layer]: which samples these are
  std::vector<uint32_t> waitingCount;    // [layer]
  std::vector<Buffer<float>> constants;  // [layer]: what the network answers where all inputs of this layer are 0
  std::vector<uint8_t> known;            // [layer]: whether that has been computed in this call
  Buffer<float> answers;                 // of one panel
  // The columns of the first layer that a sparse row needs, and its numbers.
  Buffer<uint64_t> fewPointers;
  Buffer<uint32_t> fewRows;
  Buffer<float> fewValues, fewInputs;
};

// Workspaces that wait for a user. As many exist as were ever used at the same time. A thread gets the one that it had
// last where that is free: it lies in its cache, and fetching another thread's may cost more than the work.
class WorkspacePool {
 public:
  WorkspacePool() = default;
  ~WorkspacePool() { pthread_mutex_destroy(&mutex_); }
  WorkspacePool(const WorkspacePool&) = delete;
  WorkspacePool& operator=(const WorkspacePool&) = delete;

  Workspace take();
  void putBack(Workspace workspace);

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  std::vector<Workspace> free_;
};

struct InferenceNetwork {
  const kernels::KernelTable* kernels = nullptr;
  const core::Scaling* scaling = nullptr;
  const Status* sparseScaling = nullptr;  // core::checkSparseScaling
  const std::vector<ForwardForm>* layers = nullptr;
  int threads = 1;
};

// out = rows.count x units, row-major: the last layer's outputs, or with loss >= 0 what a network trained with that
// loss answers. Bits of a row depend on the row alone.
Status infer(const InferenceNetwork& network, WorkspacePool* workspaces, const backend::RowSet& rows, int loss,
             Span<float> out);

}  // namespace setnet::cpu
