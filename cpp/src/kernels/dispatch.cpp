// The only file that asks the processor what it is, and the only one with an #if on the architecture.
#include "kernels/dispatch.h"

#include <cstdlib>
#include <string>

#include "twotower/backend.h"
#include "twotower/error.h"

namespace twotower {
namespace kernels {
namespace {

std::vector<const Kernels*> find_runnable() {
  std::vector<const Kernels*> tables{&kScalar};
#if defined(__x86_64__)
  // The compiler's feature test also asks the operating system (XGETBV) whether it saves the wide registers.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("sse4.2");
  if (avx2) tables.push_back(&kAvx2);
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512) tables.push_back(&kAvx512);
  if (avx512 && __builtin_cpu_supports("avx512vnni")) tables.push_back(&kAvx512Vnni);
#endif
  return tables;
}

const Kernels& choose() {
  const char* forced = std::getenv("TWOTOWER_ISA");
  if (forced == nullptr || *forced == '\0') return *runnable().back();
  std::string allowed;
  for (const Kernels* table : runnable()) {
    if (std::string(table->name) == forced) return *table;
    allowed += (allowed.empty() ? "" : ", ") + std::string(table->name);
  }
  throw BackendUnavailable("TWOTOWER_ISA is '" + std::string(forced) +
                           "', which this machine or build cannot run: set it to one of " + allowed + ", or unset it");
}

}  // namespace

const std::vector<const Kernels*>& runnable() {
  static const std::vector<const Kernels*> tables = find_runnable();
  return tables;
}

const Kernels& active() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace kernels

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const kernels::Kernels* table : kernels::runnable()) names.emplace_back(table->name);
  return names;
}

std::string isa_name() { return kernels::active().name; }

}  // namespace twotower
