// What all environments (the main thread and worker threads) of the process share: the executor, the count of
// environments, and counters for tests of leaks. Made on first use and never destroyed: process.exit() runs the
// destructors of statics while threads of ours may still be working.
#pragma once

#include <atomic>
#include <cstdint>

#include "binding/executor.h"
#include "binding/monitor.h"

namespace setnet::binding {

class Process {
 public:
  static Process& instance();

  void environmentStarted();
  // The last one ends the threads of the executor and of the pool; an environment that starts later has new ones.
  void environmentEnded();

  Executor executor;
  std::atomic<int64_t> networks{0};  // that exist and are not disposed
  std::atomic<int64_t> sessions{0};  // that exist and are not closed
  std::atomic<int64_t> fits{0};      // whose end has not been delivered
  std::atomic<int64_t> jobs{0};      // promises of executor work that have not settled

 private:
  Process() = default;

  Monitor monitor_;  // also held while the threads end, so that no environment starts in between
  int environments_ = 0;
};

}  // namespace setnet::binding
