// A score that k documents reach, shared by the threads of one query.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <vector>

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

/// Floors of Q queries that `workers` threads find together. A thread sees but its own rows, and the k-th best of these
/// is below the k-th best of all; but where each of T threads has k / T documents that reach a score, together they are
/// k.
class SharedFloors {
 public:
  SharedFloors(std::size_t n_queries, unsigned workers)
      : workers_(workers), floors_(n_queries), shares_(n_queries * workers) {}

  /// How many documents each of the threads has to find for k together.
  std::size_t share_of(std::size_t k) const noexcept { return (k + workers_ - 1) / workers_; }

  float get(std::size_t q) const noexcept { return floors_[q].get(); }

  /// One thread found k documents that score at least `kth`, and share_of(k) that score at least `share`.
  void raise(std::size_t q, unsigned worker, float kth, float share) noexcept {
    SharedFloor* shares = &shares_[q * workers_];
    shares[worker].raise(share);
    float together = share;
    for (unsigned w = 0; w < workers_; ++w) together = std::min(together, shares[w].get());
    floors_[q].raise(std::max(kth, together));
  }

 private:
  unsigned workers_;
  std::vector<SharedFloor> floors_;
  std::vector<SharedFloor> shares_;  // [Q, workers]
};

}  // namespace twotower
