#include <cuda_runtime.h>

#include "twotower/cuda.h"

namespace twotower::cuda {

bool compiled() noexcept { return true; }

std::vector<std::string> device_names() noexcept {
  std::vector<std::string> names;
  int n_devices = 0;
  if (cudaGetDeviceCount(&n_devices) != cudaSuccess) {
    (void)cudaGetLastError();  // no driver or no device: not an error of the caller
    return names;
  }
  for (int device = 0; device < n_devices; ++device) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, device) == cudaSuccess) names.emplace_back(properties.name);
  }
  return names;
}

}  // namespace twotower::cuda
