// The kernels of this folder on the host: see emulation/host_block.h.
#include <cstdlib>
#include <memory>

#include "cuda/emulation/host_machine.h"
#include "cuda/flat_on.h"
#include "dense/default_float_environment.h"
#include "twotower/cuda_search.h"

namespace twotower::cuda {
namespace {

struct HostMachines {
  using Machine = HostMachine;
  HostMachine::Options options;

  Machine on(std::uintptr_t) const { return Machine(options); }
  Machine copier() const { return Machine(options); }
  std::shared_ptr<void> allocate(std::size_t bytes, std::uintptr_t) const {
    return {std::malloc(bytes == 0 ? 1 : bytes), std::free};
  }
  void check_array(const void*) const {}
};

}  // namespace

std::unique_ptr<FlatSearcher> make_emulated_searcher(const StoredVectors& vectors, Metric metric, bool groups,
                                                     bool backward, const SearchLimits& limits) {
  const DefaultFloatEnvironment environment;
  HostMachine::Options options;
  options.groups = groups;
  options.order = backward ? ThreadOrder::kBackward : ThreadOrder::kForward;
  return std::make_unique<FlatOn<HostMachines>>(HostMachines{options}, vectors, metric, false, limits);
}

}  // namespace twotower::cuda
