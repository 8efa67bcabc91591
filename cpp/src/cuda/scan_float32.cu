// The fused kernels of float32.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void scan_float32(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width) {
  for_lane_scan(arguments, width, [&](const auto& body) { machine.launch_items(body); });
}

}  // namespace twotower::cuda
