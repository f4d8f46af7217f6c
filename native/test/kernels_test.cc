// Every kernel of the table, for every instruction set that runs here, against a plain loop: in f32 with the order of
// sums of docs/how-it-works.md, to the bit where multiply and add are fused, and in double everywhere.
#include <cstdio>
#include <cstring>

#include "kernels/dispatch.h"
#include "test/check.h"
#include "test/kernel_checks_dense.h"
#include "test/kernel_checks_elements.h"
#include "test/kernel_checks_sparse.h"

namespace setnet::test {
namespace {

// A kernel that is added to the table does not compile here before it has its check.
struct KernelCheck {
  const char* name;
  void (*check)(const KernelTable&, Random&);
};
constexpr KernelCheck kChecks[] = {
#define SETNET_ENTRY(name, Args) {#name, &check_##name},
    SETNET_KERNELS(SETNET_ENTRY)
#undef SETNET_ENTRY
};

void checkIsa(const char* name) {
  for (const kernels::Isa& isa : kernels::available()) {
    if (std::strcmp(isa.name, name) != 0) continue;
    if (!isa.runsHere) {
      std::printf("    %s: not run here, which is not a pass\n", name);
      return;
    }
    for (const KernelCheck& kernel : kChecks) {
      Random random(2024);
      kernel.check(*isa.table, random);
    }
    return;
  }
  std::printf("    %s: not part of this build\n", name);
}

TEST("all kernels of AVX-512 sum as ordered, to the bit") { checkIsa("avx512"); }
TEST("all kernels of AVX2 sum as ordered, to the bit") { checkIsa("avx2"); }
TEST("all kernels of NEON sum as ordered, to the bit") { checkIsa("neon"); }
TEST("all kernels of the baseline are near the double reference") { checkIsa("baseline"); }

TEST("the table in use runs here, and its name is listed") {
  const KernelTable* table = nullptr;
  CHECK_OK(kernels::active(&table));
  bool listed = false;
  for (const kernels::Isa& isa : kernels::available()) listed = listed || (isa.table == table && isa.runsHere);
  CHECK(listed);
  CHECK(kernels::available().size() >= 2 || kernels::available()[0].table->fused == false);
}

}  // namespace
}  // namespace setnet::test

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
