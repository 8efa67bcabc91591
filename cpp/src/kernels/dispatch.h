// Which kernels this process uses. Chosen once, outside every loop.
#pragma once

#include <vector>

#include "kernels/kernels.h"

namespace twotower::kernels {

/// The tables that this build has and this machine can run, worst first; never empty.
const std::vector<const Kernels*>& runnable();

/// The table in use: the best runnable one, or the one that TWOTOWER_ISA names (read at first use, then kept).
/// THROWS BackendUnavailable if TWOTOWER_ISA names one that is unknown or not runnable here. Thread-safe.
const Kernels& active();

}  // namespace twotower::kernels
