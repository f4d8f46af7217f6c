// A mutex with its condition. std::condition_variable asks for GLIBCXX_3.4.30, which systems that are still supported
// lack, so this is the pthread pair behind the usual interface.
#pragma once

#include <pthread.h>

namespace setnet::binding {

class Monitor {
 public:
  Monitor() = default;
  ~Monitor() {
    pthread_cond_destroy(&condition_);
    pthread_mutex_destroy(&mutex_);
  }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  friend class MonitorLock;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

class MonitorLock {
 public:
  explicit MonitorLock(Monitor& monitor) : monitor_(monitor) { pthread_mutex_lock(&monitor_.mutex_); }
  ~MonitorLock() { pthread_mutex_unlock(&monitor_.mutex_); }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;

  // May return without a cause: call it in a loop over the condition.
  void wait() { pthread_cond_wait(&monitor_.condition_, &monitor_.mutex_); }
  void notifyOne() { pthread_cond_signal(&monitor_.condition_); }
  void notifyAll() { pthread_cond_broadcast(&monitor_.condition_); }

 private:
  Monitor& monitor_;
};

}  // namespace setnet::binding
