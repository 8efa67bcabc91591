// Memory of a machine that a scope owns.
#pragma once

#include <cstddef>
#include <utility>

namespace twotower::cuda {

template <class T, class Machine>
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Machine& machine, std::size_t n)
      : machine_(&machine), data_(static_cast<T*>(machine.allocate(n * sizeof(T)))) {}
  Buffer(Buffer&& other) noexcept
      : machine_(std::exchange(other.machine_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(machine_, other.machine_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) machine_->release(data_);
  }

  T* get() const { return data_; }

 private:
  const Machine* machine_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace twotower::cuda
