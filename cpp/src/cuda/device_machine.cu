// DeviceMachine: see device_machine.cuh.
#include "cuda/device_machine.cuh"

namespace twotower::cuda {

void fail(cudaError_t error, const std::string& wanted) {
  (void)cudaGetLastError();  // what failed here shall not be reported to others
  const std::string said = std::string(cudaGetErrorName(error)) + ", " + cudaGetErrorString(error);
  if (error == cudaErrorMemoryAllocation) {
    throw BackendUnavailable("the CUDA device has no room for " + wanted +
                             ": free memory, or search with device='cpu'");
  }
  if (error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver || error == cudaErrorInvalidDevice) {
    throw BackendUnavailable("no CUDA device can be used (" + said +
                             "): install a driver, choose a device that is there, or search with device='cpu'");
  }
  throw BackendUnavailable("CUDA failed " + wanted + " (" + said + "): search with device='cpu'");
}

void* DeviceMachine::allocate(std::size_t bytes) const {
  const DeviceScope scope(device_);
  void* memory = nullptr;
  const cudaError_t error = cudaMallocFromPoolAsync(&memory, bytes == 0 ? 1 : bytes, pool_, stream_);
  if (error != cudaSuccess) fail(error, std::to_string(bytes) + " bytes");
  return memory;
}

void DeviceMachine::release(void* memory) const noexcept {
  try {
    const DeviceScope scope(device_);
    (void)cudaFreeAsync(memory, stream_);
  } catch (const Error&) {  // the process ends, and the device's context with it
  }
}

void DeviceMachine::fill(void* memory, int byte, std::size_t bytes) const {
  const DeviceScope scope(device_);
  check(cudaMemsetAsync(memory, byte, bytes, stream_), "to fill memory");
}

void DeviceMachine::copy(void* to, const void* from, std::size_t bytes) const {
  const DeviceScope scope(device_);
  if (bytes != 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "to copy memory");
}

void DeviceMachine::copy_rows(void* to, std::size_t to_pitch, const void* from, std::size_t row_bytes,
                              std::size_t n) const {
  if (to_pitch == row_bytes) return copy(to, from, n * row_bytes);
  const DeviceScope scope(device_);
  if (n == 0) return;
  check(cudaMemcpy2DAsync(to, to_pitch, from, row_bytes, row_bytes, n, cudaMemcpyDefault, stream_), "to copy rows");
}

void DeviceMachine::wait() const {
  const DeviceScope scope(device_);
  check(cudaStreamSynchronize(stream_), "while a search ran");
}

void DeviceMachine::follow(const DeviceMachine& other) const {
  const DeviceScope scope(device_);
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "to order two streams");
  cudaError_t error = cudaEventRecord(event, other.stream_);
  if (error == cudaSuccess) error = cudaStreamWaitEvent(stream_, event, 0);
  (void)cudaEventDestroy(event);  // when it is no longer waited for
  check(error, "to order two streams");
}

std::size_t DeviceMachine::free_bytes() const {
  const DeviceScope scope(device_);
  std::size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "to ask for free memory");
  std::uint64_t held = 0, used = 0;  // what the pool holds without using it is free for us
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &held), "to ask for free memory");
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "to ask for free memory");
  return free + held - used;
}

void DeviceMachine::scan(const ScanArguments& arguments, TileWidth width) const {
  if (is_group(width)) return scan_groups(*this, arguments, width);
  switch (arguments.window.storage) {
    case Storage::kBfloat16:
      return scan_bfloat16(*this, arguments, width);
    case Storage::kFloat16:
      return scan_float16(*this, arguments, width);
    case Storage::kInt8:
      return scan_int8(*this, arguments, width);
    case Storage::kFloat32:
      return scan_float32(*this, arguments, width);
  }
}

}  // namespace twotower::cuda
