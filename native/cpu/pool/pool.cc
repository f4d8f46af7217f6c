#include "cpu/pool/pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include "base/flush_subnormals.h"

namespace setnet::cpu::pool {
namespace {

// How long a thread yields before it blocks: the phases of a training step and the calls of a loop follow each other
// within less, and waking a thread costs up to 50 microseconds. A yield lets any other runnable thread go first.
constexpr std::chrono::microseconds kPatience{300};

// Yields until `done` or patience ends.
template <class Done>
void yieldUntil(const Done& done) {
  if (done()) return;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    sched_yield();
    if (std::chrono::steady_clock::now() >= end) return;
  }
}

class Lock {
 public:
  explicit Lock(pthread_mutex_t* mutex) : mutex_(mutex) { pthread_mutex_lock(mutex_); }
  ~Lock() { pthread_mutex_unlock(mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t* mutex_;
};

class Pool {
 public:
  void configure(int parallelism) { parallelism_.store(parallelism < 1 ? 1 : parallelism); }

  int threadCount() {
    Lock lock(&mutex_);
    return static_cast<int>(threads_.size());
  }

  void run(int parts, void (*work)(void*, int), void* context) {
    if (parts <= 1 || parallelism_.load() <= 1 || !tryOwn()) {
      for (int part = 0; part < parts; ++part) work(context, part);
      return;
    }
    {
      Lock lock(&mutex_);
      startThreads(parts - 1);
      work_ = work;
      context_ = context;
      deal(parts);
      open_ = true;
      generation_.fetch_add(1, std::memory_order_release);
      pthread_cond_broadcast(&wake_);
    }
    take(0, work, context);
    // Every part is taken; some may still be running. Threads that wake up later find the job closed.
    yieldUntil([&] { return active_.load(std::memory_order_acquire) == 0; });
    {
      Lock lock(&mutex_);
      open_ = false;
      while (active_.load(std::memory_order_relaxed) > 0) pthread_cond_wait(&done_, &mutex_);
      disown();
    }
  }

  void shutdown() {
    std::vector<std::thread> threads;
    {
      Lock lock(&mutex_);
      while (owned_) pthread_cond_wait(&free_, &mutex_);
      owned_ = true;
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
      pthread_cond_broadcast(&wake_);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
    Lock lock(&mutex_);
    stop_ = false;
    disown();
  }

 private:
  // Not pthread_mutex_trylock: with this glibc it would ask for GLIBC_2.34.
  bool tryOwn() {
    Lock lock(&mutex_);
    if (owned_) return false;
    owned_ = true;
    return true;
  }

  // With mutex_ held.
  void disown() {
    owned_ = false;
    pthread_cond_signal(&free_);
  }

  // With mutex_ held.
  void startThreads(int wanted) {
    const int limit = parallelism_.load() - 1;
    if (wanted > limit) wanted = limit;
    while (static_cast<int>(threads_.size()) < wanted) {
      try {
        const uint64_t seen = generation_.load(std::memory_order_relaxed);
        const int number = static_cast<int>(threads_.size()) + 1;
        threads_.emplace_back([this, number, seen] { serve(number, seen); });
      } catch (const std::exception&) {
        return;  // no thread to be had (or no memory for one): the caller does more of the work itself
      }
    }
  }

  // With mutex_ held: as many ranges as there are threads.
  void deal(int parts) {
    ranges_ = std::min({parts, static_cast<int>(threads_.size()) + 1, kMostRanges});
    for (int r = 0; r < ranges_; ++r) {
      dealt_[r].next.store(parts * r / ranges_, std::memory_order_relaxed);
      dealt_[r].end = parts * (r + 1) / ranges_;
    }
  }

  // Parts of the thread's own range, then what others have not come to.
  void take(int number, void (*work)(void*, int), void* context) {
    for (int i = 0; i < ranges_; ++i) {
      Dealt& range = dealt_[(number + i) % ranges_];
      int part;
      while ((part = range.next.fetch_add(1, std::memory_order_relaxed)) < range.end) work(context, part);
    }
  }

  void serve(int number, uint64_t seen) {
    FlushSubnormals flush;
    for (;;) {
      yieldUntil([&] { return generation_.load(std::memory_order_acquire) != seen; });
      void (*work)(void*, int);
      void* context;
      {
        Lock lock(&mutex_);
        while (!stop_ && generation_.load(std::memory_order_relaxed) == seen) pthread_cond_wait(&wake_, &mutex_);
        if (stop_) return;
        seen = generation_.load(std::memory_order_relaxed);
        if (!open_) continue;
        active_.fetch_add(1, std::memory_order_relaxed);
        work = work_;
        context = context_;
      }
      take(number, work, context);
      Lock lock(&mutex_);
      if (active_.fetch_sub(1, std::memory_order_release) == 1) pthread_cond_signal(&done_);
    }
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;  // guards everything below that is not atomic
  pthread_cond_t wake_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t done_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t free_ = PTHREAD_COND_INITIALIZER;
  std::vector<std::thread> threads_;
  void (*work_)(void*, int) = nullptr;
  void* context_ = nullptr;
  bool owned_ = false;  // a caller's job runs, or the pool shuts down
  bool open_ = false;   // threads may still join the job
  bool stop_ = false;
  // Parts of the job: [next, end) of each range are still to be taken. What several threads count has a line of its
  // own.
  struct alignas(64) Dealt {
    std::atomic<int> next{0};
    int end = 0;
  };
  static constexpr int kMostRanges = 64;
  int ranges_ = 0;
  Dealt dealt_[kMostRanges];
  std::atomic<int> active_{0};  // pool threads inside the job
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> parallelism_{static_cast<int>(std::thread::hardware_concurrency())};
};

// Never destroyed: threads of a process that exits in mid-work must not find it gone.
Pool& instance() {
  static Pool& pool = *new Pool;
  return pool;
}

}  // namespace

void configure(int parallelism) { instance().configure(parallelism); }

void shutdown() { instance().shutdown(); }

int threadCount() { return instance().threadCount(); }

void run(int parts, void (*work)(void* context, int part), void* context) { instance().run(parts, work, context); }

}  // namespace setnet::cpu::pool
