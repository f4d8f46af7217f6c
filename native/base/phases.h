// Where the time of a piece of work goes, measured only where somebody asks.
#pragma once

#include <chrono>
#include <cstring>

namespace setnet {

// Seconds by the name of a phase, in the order in which the phases were first seen. Names must live as long as the
// program (literals do).
class Phases {
 public:
  static constexpr int kMost = 16;

  // Adds to the phase of this name. Phases beyond kMost are counted with the last one, so that the sum stays right.
  void add(const char* name, double seconds) {
    int i = 0;
    while (i < count_ && std::strcmp(names_[i], name) != 0) ++i;
    if (i == count_ && count_ < kMost) names_[count_++] = name;
    seconds_[i < kMost ? i : kMost - 1] += seconds;
  }
  int size() const { return count_; }
  const char* name(int i) const { return names_[i]; }
  double seconds(int i) const { return seconds_[i]; }

 private:
  int count_ = 0;
  const char* names_[kMost] = {};
  double seconds_[kMost] = {};
};

// Cuts time into phases: lap(name) gives the time since the last lap (or the construction) to that phase. Without
// `phases` it does nothing.
class Stopwatch {
 public:
  explicit Stopwatch(Phases* phases = nullptr) : phases_(phases) {
    if (phases_) last_ = Clock::now();
  }
  void lap(const char* name) {
    if (!phases_) return;
    const Clock::time_point now = Clock::now();
    phases_->add(name, std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Phases* phases_;
  Clock::time_point last_;
};

}  // namespace setnet
