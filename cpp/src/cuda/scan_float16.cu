// The fused kernels of float16.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void scan_float16(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width) {
  for_warp_scan<Float16Products>(arguments, width, [&](const auto& body) { machine.launch_items(body); });
}

}  // namespace twotower::cuda
