#include "kernels/dispatch.h"

#include <cstdlib>
#include <cstring>
#include <string>

namespace setnet::kernels {
namespace {

#if defined(__x86_64__)
[[maybe_unused]] bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

[[maybe_unused]] bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

std::vector<Isa> findIsas() {
  std::vector<Isa> isas;
#if defined(__x86_64__)
  __builtin_cpu_init();
  // What is left out is of builds with a sanitizer, which take minutes for each.
#if !defined(SETNET_WITHOUT_AVX512)
  isas.push_back({kAvx512Table.name, hasAvx512(), &kAvx512Table});
#endif
#if !defined(SETNET_WITHOUT_AVX2)
  isas.push_back({kAvx2Table.name, hasAvx2(), &kAvx2Table});
#endif
#endif
#if defined(__aarch64__)
  isas.push_back({kNeonTable.name, true, &kNeonTable});
#endif
  isas.push_back({kBaselineTable.name, true, &kBaselineTable});
  return isas;
}

struct Choice {
  const KernelTable* table = nullptr;
  std::string complaint;
};

Choice choose() {
  Choice choice;
  const char* forced = std::getenv("SETNET_FORCE_ISA");
  const bool isForced = forced && *forced;
  std::string known;
  for (const Isa& isa : available()) {
    if (!choice.table && isa.runsHere && (!isForced || std::strcmp(forced, isa.name) == 0)) choice.table = isa.table;
    known += std::string(known.empty() ? "" : ", ") + isa.name + (isa.runsHere ? "" : " (not on this processor)");
  }
  if (!choice.table)
    choice.complaint =
        std::string("SETNET_FORCE_ISA is '") + forced + "'; the instruction sets of this build are " + known;
  return choice;
}

}  // namespace

const std::vector<Isa>& available() {
  static const std::vector<Isa> isas = findIsas();
  return isas;
}

Status active(const KernelTable** table) {
  static const Choice choice = choose();
  if (!choice.table) return Status(Code::Option, choice.complaint);
  *table = choice.table;
  return Status();
}

}  // namespace setnet::kernels
