// The fused kernels of bfloat16.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void scan_bfloat16(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width) {
  for_warp_scan<Bfloat16Products>(arguments, width, [&](const auto& body) { machine.launch_items(body); });
}

}  // namespace twotower::cuda
