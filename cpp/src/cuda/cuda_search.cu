// make_searcher: FlatOn over devices.
#include <memory>

#include "cuda/device_machine.cuh"
#include "cuda/flat_on.h"
#include "twotower/cuda_search.h"

namespace twotower::cuda {
namespace {

struct DeviceMachines {
  using Machine = DeviceMachine;
  int device = 0;
  std::shared_ptr<CUmemPoolHandle_st> pool;
  std::shared_ptr<CUstream_st> own;      ///< of the index itself
  std::shared_ptr<CUstream_st> copying;  ///< of windows that are not searched yet

  /// Stream 0 means the index's own: what it allocates there outlives any stream of a caller.
  Machine on(std::uintptr_t stream) const {
    return DeviceMachine(device, stream == 0 ? own.get() : reinterpret_cast<cudaStream_t>(stream), pool.get());
  }
  Machine copier() const { return DeviceMachine(device, copying.get(), pool.get()); }
  std::shared_ptr<void> allocate(std::size_t bytes, std::uintptr_t stream) const;
  void check_array(const void* pointer) const;
};

// Whoever read the results may have put that work on any stream: as cudaFree does, the release waits for all of them.
// Unlike cudaMalloc, a pool costs no call of the driver for each search.
std::shared_ptr<void> DeviceMachines::allocate(std::size_t bytes, std::uintptr_t stream) const {
  const auto release = [machines = *this](void* memory) {
    try {
      const DeviceScope scope(machines.device);
      (void)cudaDeviceSynchronize();
      (void)cudaFreeAsync(memory, machines.own.get());
    } catch (const Error&) {  // the process ends, and the device's context with it
    }
  };
  return {on(stream).allocate(bytes), release};
}

void DeviceMachines::check_array(const void* pointer) const {
  cudaPointerAttributes attributes{};
  check(cudaPointerGetAttributes(&attributes, pointer), "to look up an array");
  const bool there = attributes.type == cudaMemoryTypeDevice && attributes.device == device;
  if (!there && attributes.type != cudaMemoryTypeManaged) {
    throw BackendUnavailable("the array is not in memory of CUDA device " + std::to_string(device) +
                             ", where the index is: move it there");
  }
}

std::shared_ptr<CUstream_st> new_stream(int device) {
  const DeviceScope scope(device);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "to make a stream");
  return {stream, [](cudaStream_t made) { (void)cudaStreamDestroy(made); }};
}

constexpr std::uint64_t kKeptBytes = std::uint64_t{1} << 30;  // for the next search

std::shared_ptr<CUmemPoolHandle_st> new_pool(int device) {
  const DeviceScope scope(device);
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  cudaMemPool_t pool = nullptr;
  check(cudaMemPoolCreate(&pool, &properties), "to make a pool of memory");
  std::uint64_t kept = kKeptBytes;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept), "to make a pool of memory");
  return {pool, [](cudaMemPool_t made) { (void)cudaMemPoolDestroy(made); }};
}

void check_device(int device) {
  int n_devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&n_devices);
  if (error != cudaSuccess || n_devices == 0)
    fail(error == cudaSuccess ? cudaErrorNoDevice : error, "to find a device");
  if (device < 0 || device >= n_devices) {
    throw BackendUnavailable("there is no CUDA device " + std::to_string(device) + ": this machine has " +
                             std::to_string(n_devices) + ", numbered from 0");
  }
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "to read a device's attributes");
  if (major < 8) {
    throw BackendUnavailable("CUDA device " + std::to_string(device) + " has compute capability " +
                             std::to_string(major) + ".x, 8.0 is needed: search with device='cpu'");
  }
}

}  // namespace

std::unique_ptr<FlatSearcher> make_searcher(const StoredVectors& vectors, Metric metric, bool on_device,
                                            std::uintptr_t stream, int device, const SearchLimits& limits) {
  check_device(device);
  const DeviceMachines machines{device, new_pool(device), new_stream(device), new_stream(device)};
  if (on_device) machines.on(stream).wait();
  return std::make_unique<FlatOn<DeviceMachines>>(machines, vectors, metric, on_device, limits);
}

}  // namespace twotower::cuda
