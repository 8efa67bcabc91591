// The fused kernels of int8.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void scan_int8(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width) {
  for_warp_scan<Int8Products>(arguments, width, [&](const auto& body) { machine.launch_items(body); });
}

}  // namespace twotower::cuda
