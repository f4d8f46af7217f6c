#include "binding/process.h"

#include "cpu/pool/pool.h"

namespace setnet::binding {

Process& Process::instance() {
  static Process* const process = new Process;
  return *process;
}

void Process::environmentStarted() {
  MonitorLock lock(monitor_);
  ++environments_;
}

void Process::environmentEnded() {
  MonitorLock lock(monitor_);
  if (--environments_ > 0) return;
  executor.shutdown();
  cpu::pool::shutdown();
}

}  // namespace setnet::binding
