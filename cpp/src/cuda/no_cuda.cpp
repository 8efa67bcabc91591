// Stands in for the device where nvcc was not found: every call says so.
#include "twotower/cuda.h"
#include "twotower/cuda_search.h"
#include "twotower/error.h"

namespace twotower::cuda {
namespace {

[[noreturn]] void refuse() {
  throw BackendUnavailable(
      "this build of twotower has no CUDA code: install it where nvcc is found, or search with device='cpu'");
}

}  // namespace

bool compiled() noexcept { return false; }

std::vector<std::string> device_names() noexcept { return {}; }

std::unique_ptr<FlatSearcher> make_searcher(const StoredVectors&, Metric, bool, std::uintptr_t, int,
                                            const SearchLimits&) {
  refuse();
}

}  // namespace twotower::cuda
