// The addon's own threads for work that answers a promise: one process-wide team for all environments, never libuv's
// four threads, which belong to the application.
#pragma once

#include <deque>
#include <thread>
#include <vector>

#include "base/ref.h"
#include "base/status.h"
#include "binding/monitor.h"

namespace setnet::binding {

class Job;

class Executor {
 public:
  static constexpr int kMostThreads = 4;

  Executor();
  ~Executor();

  // Starts a thread where none is idle and fewer than the most exist. Code::Memory where there is no thread at all.
  Status submit(Ref<Job> job);
  // Afterwards the job is neither queued nor running: it is taken out of the queue, or waited for.
  void withdraw(Job& job);
  // Waits for what is queued, then ends all threads. A later submit starts new ones.
  void shutdown();

 private:
  void run();

  Monitor monitor_;  // guards all members; notified at every change of queue_, of a job's stage and of closing_
  std::deque<Ref<Job>> queue_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  bool closing_ = false;
};

}  // namespace setnet::binding
