// The process-wide fork-join pool: one for all Node worker threads, engines and predictors.
#pragma once

#include <type_traits>

namespace setnet::cpu::pool {

// How many threads may compute at once, callers included (>= 1; the number of processors until it is called). Threads
// start when first wanted. Takes effect for jobs that begin later.
void configure(int parallelism);

// Ends and joins the pool's threads; the next job starts new ones. Waits for a running job.
void shutdown();

// Pool threads that exist now.
int threadCount();

// Calls work(context, part) for every part in [0, parts), some of them on pool threads, and returns when all are done.
// A caller that finds the pool busy (other callers, or itself from inside a part) runs all its parts alone, at once.
// `work` must not throw. Parts are dealt out in ranges, the first to the caller and each other one to a thread of its
// own where it comes in time: jobs of as many parts find in a thread's cache what it left there. Who is done early
// helps.
void run(int parts, void (*work)(void* context, int part), void* context);

template <class Work>
void parallel(int parts, Work&& work) {
  if (parts <= 1) {
    if (parts == 1) work(0);
    return;
  }
  run(
      parts, [](void* context, int part) { (*static_cast<std::remove_reference_t<Work>*>(context))(part); }, &work);
}

}  // namespace setnet::cpu::pool
