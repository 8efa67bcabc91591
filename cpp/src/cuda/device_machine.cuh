// A device and a stream of it: memory, copies, launches. The counterpart of HostMachine. THROWS BackendUnavailable
// where a call of the driver fails.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/device_block.cuh"
#include "cuda/scan_choice.h"
#include "twotower/error.h"

namespace twotower::cuda {

/// Throws what the driver said, with what was wanted of it.
[[noreturn]] void fail(cudaError_t error, const std::string& wanted);

inline void check(cudaError_t error, const char* wanted) {
  if (error != cudaSuccess) fail(error, wanted);
}

/// Makes a device the thread's current one, and the former one again.
class DeviceScope {
 public:
  explicit DeviceScope(int device) {
    check(cudaGetDevice(&before_), "to find a CUDA device");
    if (before_ != device) check(cudaSetDevice(device), "to use a CUDA device");
    changed_ = before_ != device;
  }
  ~DeviceScope() {
    if (changed_) (void)cudaSetDevice(before_);
  }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

template <class Body>
__global__ void __launch_bounds__(Body::kThreads, Body::kMinBlocks) run_body(const __grid_constant__ Body body) {
  DeviceBlock<Body::kThreads> block;
  body(block);
}

class DeviceMachine {
 public:
  /// `stream` is the caller's; memory comes from `pool`, which keeps it for the next search.
  DeviceMachine(int device, cudaStream_t stream, cudaMemPool_t pool) : device_(device), stream_(stream), pool_(pool) {
    int major = 0, minor = 0;
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "to read a device's attributes");
    check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "to read a device's attributes");
    has_groups_ = major == 9 && minor == 0;
    check(cudaDeviceGetAttribute(&n_multiprocessors_, cudaDevAttrMultiProcessorCount, device),
          "to read a device's attributes");
  }

  void* allocate(std::size_t bytes) const;
  void release(void* memory) const noexcept;
  void fill(void* memory, int byte, std::size_t bytes) const;
  void copy(void* to, const void* from, std::size_t bytes) const;
  void copy_rows(void* to, std::size_t to_pitch, const void* from, std::size_t row_bytes, std::size_t n) const;
  void wait() const;
  /// What is put on this stream from now on waits for what is on the other's by now.
  void follow(const DeviceMachine& other) const;
  std::size_t free_bytes() const;
  bool has_groups() const { return has_groups_; }

  template <class Body>
  void launch(const Body& body, std::uint32_t n_blocks) const {
    if (n_blocks == 0) return;
    const DeviceScope scope(device_);
    allow_shared_memory<Body>();
    run_body<Body><<<n_blocks, Body::kThreads, Body::kSharedBytes, stream_>>>(body);
    check(cudaGetLastError(), "to start a kernel");
  }

  /// A kernel whose blocks take as many items as there are: no more blocks than run at once.
  template <class Body>
  void launch_items(const Body& body) const {
    const DeviceScope scope(device_);
    int of_multiprocessor = 0;
    allow_shared_memory<Body>();
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&of_multiprocessor, run_body<Body>, Body::kThreads,
                                                        Body::kSharedBytes),
          "to size a kernel");
    const std::uint32_t at_once = static_cast<std::uint32_t>(std::max(1, of_multiprocessor) * n_multiprocessors_);
    launch(body, std::min(body.n_items(), at_once));
  }

  void scan(const ScanArguments& arguments, TileWidth width) const;

 private:
  template <class Body>
  static void allow_shared_memory() {
    if constexpr (Body::kSharedBytes > 48 * 1024) {
      check(cudaFuncSetAttribute(run_body<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes),
            "shared memory for a kernel");
    }
  }

  int device_;
  cudaStream_t stream_;
  cudaMemPool_t pool_;
  bool has_groups_;
  int n_multiprocessors_ = 0;
};

// One file each, so that they are compiled side by side.
void scan_bfloat16(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width);
void scan_float16(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width);
void scan_int8(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width);
void scan_float32(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width);
void scan_groups(const DeviceMachine& machine, const ScanArguments& arguments, TileWidth width);

}  // namespace twotower::cuda
