// Which instruction set the kernels use. Chosen once, outside every loop.
#pragma once

#include <string>
#include <vector>

namespace twotower {

/// Names of the instruction sets that this build has and this machine can run, worst first: "scalar", "avx2", "avx512".
std::vector<std::string> isa_names();

/// The one in use: the best of isa_names(), or what the environment variable TWOTOWER_ISA names.
/// THROWS BackendUnavailable if TWOTOWER_ISA names one that is unknown or not runnable here. Thread-safe.
std::string isa_name();

}  // namespace twotower
