// The fork-join pool: every part once, many callers at once, nested use, shutdown and restart. Runs under TSan as well.
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "cpu/pool/pool.h"
#include "test/check.h"

namespace setnet::test {
namespace {

namespace pool = cpu::pool;

// Runs a job and checks that every part ran exactly once and its work is visible afterwards.
void checkJob(int parts) {
  std::vector<int> done(static_cast<size_t>(parts), 0);
  pool::parallel(parts, [&](int part) { ++done[static_cast<size_t>(part)]; });
  int wrong = 0;
  for (const int count : done) wrong += count != 1;
  CHECK_EQ(wrong, 0);
}

TEST("every part runs exactly once, for any number of parts") {
  pool::configure(3);
  for (int parts = 0; parts < 40; ++parts) checkJob(parts);
  CHECK(pool::threadCount() >= 1);
  CHECK(pool::threadCount() <= 2);
}

TEST("no thread is started before one is wanted, and none with a parallelism of 1") {
  pool::shutdown();
  CHECK_EQ(pool::threadCount(), 0);
  pool::configure(1);
  checkJob(8);
  CHECK_EQ(pool::threadCount(), 0);
  pool::configure(3);
  checkJob(1);
  CHECK_EQ(pool::threadCount(), 0);
  checkJob(2);
  CHECK_EQ(pool::threadCount(), 1);
  checkJob(9);
  CHECK_EQ(pool::threadCount(), 2);
}

TEST("many callers at once: whoever finds the pool busy runs alone, and nobody waits for a longer job") {
  pool::configure(3);
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c)
    callers.emplace_back([] {
      for (int round = 0; round < 200; ++round) checkJob(1 + round % 7);
    });
  for (std::thread& caller : callers) caller.join();
}

TEST("a caller does not queue behind a job that is still running") {
  pool::configure(2);
  std::atomic<bool> inside{false}, leave{false};
  std::thread slow([&] {
    pool::parallel(2, [&](int) {
      inside = true;
      while (!leave) std::this_thread::yield();
    });
  });
  while (!inside) std::this_thread::yield();
  checkJob(5);  // would never return if it waited
  leave = true;
  slow.join();
}

TEST("a job inside a part of a job runs to its end") {
  pool::configure(3);
  std::atomic<int> count{0};
  for (int round = 0; round < 50; ++round)
    pool::parallel(4, [&](int) { pool::parallel(3, [&](int) { pool::parallel(2, [&](int) { ++count; }); }); });
  CHECK_EQ(count.load(), 50 * 4 * 3 * 2);
}

TEST("after a shutdown the pool works again, also when jobs arrive during it") {
  pool::configure(3);
  for (int round = 0; round < 30; ++round) {
    checkJob(4);
    pool::shutdown();
    CHECK_EQ(pool::threadCount(), 0);
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c)
    callers.emplace_back([&] {
      while (!stop) checkJob(4);
    });
  for (int round = 0; round < 50; ++round) pool::shutdown();
  stop = true;
  for (std::thread& caller : callers) caller.join();
  checkJob(4);
  pool::shutdown();
}

TEST("jobs that follow each other see what the last one wrote, on every thread") {
  pool::configure(3);
  std::vector<uint64_t> numbers(64, 0);
  for (int round = 0; round < 500; ++round) {
    // Part p reads its neighbour's numbers of the last round: another thread's, as a rule.
    std::vector<uint64_t> next(64);
    pool::parallel(4, [&](int part) {
      for (int i = 0; i < 16; ++i) {
        const int at = part * 16 + i;
        next[static_cast<size_t>(at)] = numbers[static_cast<size_t>((at + 16) % 64)] + 1;
      }
    });
    numbers.swap(next);
  }
  for (const uint64_t number : numbers) CHECK_EQ(number, 500);
  pool::shutdown();
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
