// The fused kernels with wgmma. Compiled for compute capability 9.0 alone, and started nowhere else.
#include "cuda/group_products.cuh"
// It comes first: DeviceBlock finds its functions there.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void scan_groups(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width) {
  for_group_scan(arguments, width, [&](const auto& body) { machine.launch_items(body); });
}

}  // namespace twotower::cuda
