// Documents that may be among the k best of a query, by the upper bounds of their scores.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower {

/// Gathers (sum of values, DocId) pairs and says below which sum none can be among the k best any more.
///
/// A histogram of the sums gives the threshold, so that it rises with every document at no cost worth mentioning:
/// level_ is a bucket's lower end with at least k sums at or above it.
class Candidates {
 public:
  struct Pair {
    std::uint32_t sum;
    DocId doc;
  };

  /// `error` and `least` are QueryBounds::error and, for these k, least_sum (1 where it does not hold).
  void start(std::size_t k, std::uint32_t error, std::uint32_t least) noexcept {
    pairs_.clear();
    counts_.fill(0);
    k_ = k;
    error_ = error;
    threshold_ = std::max<std::uint32_t>(least, 1);
    level_ = 0;
    n_at_level_ = 0;
  }

  /// Sums below this one need not be offered. At least 1. Never falls.
  std::uint32_t threshold() const noexcept { return threshold_; }

  /// REQUIRES a sum below 2^16, and each document once.
  void offer(std::uint32_t sum, DocId doc) {
    pairs_.push_back({sum, doc});
    const std::uint32_t bucket = sum >> kBucketBits;
    ++counts_[bucket];
    n_at_level_ += bucket >= level_ ? 1 : 0;
    if (n_at_level_ - counts_[level_] >= k_) raise();
  }

  /// Drops all pairs below the final threshold; the rest in the order in which they came: by window, not by DocId.
  std::vector<Pair>& finish() {
    std::erase_if(pairs_, [this](const Pair& pair) { return pair.sum < threshold_; });
    return pairs_;
  }

 private:
  static constexpr unsigned kBucketBits = 5;

  void raise() noexcept {
    while (n_at_level_ - counts_[level_] >= k_) n_at_level_ -= counts_[level_++];
    const std::uint32_t sum = level_ << kBucketBits;
    if (sum > error_ + 1) threshold_ = std::max(threshold_, sum - error_ - 1);
  }

  std::vector<Pair> pairs_;
  std::array<std::uint32_t, (1u << 16 >> kBucketBits) + 1> counts_{};
  std::size_t k_ = 0;
  std::size_t n_at_level_ = 0;
  std::uint32_t level_ = 0;  // a bucket
  std::uint32_t error_ = 0;
  std::uint32_t threshold_ = 1;
};

}  // namespace twotower
