// A score that k documents reach, shared by the threads of one query.
#pragma once

#include <atomic>
#include <limits>

namespace twotower {

/// It only grows; how far it has grown decides how many rows are looked at twice, never the answer.
class SharedFloor {
 public:
  float get() const noexcept { return value_.load(std::memory_order_relaxed); }
  void raise(float value) noexcept {
    float now = get();
    while (now < value && !value_.compare_exchange_weak(now, value, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<float> value_{-std::numeric_limits<float>::infinity()};
};

}  // namespace twotower
