#include "binding/executor.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "binding/job.h"

namespace setnet::binding {

Executor::Executor() = default;
Executor::~Executor() = default;

Status Executor::submit(Ref<Job> job) {
  MonitorLock lock(monitor_);
  const bool wantsThread = static_cast<size_t>(idle_) <= queue_.size();
  if (wantsThread && threads_.size() < kMostThreads) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error& error) {
      // With a thread there already the job only waits longer.
      if (threads_.empty())
        return Status(Code::Memory, std::string("no thread could be started for the work: ") + error.what());
    }
  }
  job->stage_ = Job::Stage::Queued;
  queue_.push_back(std::move(job));
  lock.notifyAll();
  return Status();
}

void Executor::withdraw(Job& job) {
  Ref<Job> dropped;  // released after the lock
  MonitorLock lock(monitor_);
  if (job.stage_ == Job::Stage::Queued) {
    const auto place =
        std::find_if(queue_.begin(), queue_.end(), [&](const Ref<Job>& queued) { return queued.get() == &job; });
    if (place != queue_.end()) {
      dropped = std::move(*place);
      queue_.erase(place);
    }
    job.stage_ = Job::Stage::Ended;
  }
  while (job.stage_ == Job::Stage::Running) lock.wait();
}

void Executor::shutdown() {
  std::vector<std::thread> ending;
  {
    MonitorLock lock(monitor_);
    closing_ = true;
    ending.swap(threads_);
    lock.notifyAll();
  }
  for (std::thread& thread : ending) thread.join();
  MonitorLock lock(monitor_);
  closing_ = false;
}

void Executor::run() {
  for (;;) {
    Ref<Job> job;
    {
      MonitorLock lock(monitor_);
      ++idle_;
      while (queue_.empty() && !closing_) lock.wait();
      --idle_;
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      job->stage_ = Job::Stage::Running;
    }
    job->execute();
    MonitorLock lock(monitor_);
    job->stage_ = Job::Stage::Ended;
    lock.notifyAll();
  }
}

}  // namespace setnet::binding
