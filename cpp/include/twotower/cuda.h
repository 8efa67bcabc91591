// What the core knows of CUDA devices. cuda/*.cu implements it where nvcc was found, cuda/no_cuda.cpp elsewhere.
#pragma once

#include <string>
#include <vector>

namespace twotower::cuda {

/// True if this build contains CUDA code (a device may still be missing).
bool compiled() noexcept;

/// Names of the devices that this machine has; empty without a driver, a device, or CUDA code. Never throws.
std::vector<std::string> device_names() noexcept;

}  // namespace twotower::cuda
