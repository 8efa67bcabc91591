#include "twotower/cuda.h"

namespace twotower::cuda {

bool compiled() noexcept { return false; }

std::vector<std::string> device_names() noexcept { return {}; }

}  // namespace twotower::cuda
