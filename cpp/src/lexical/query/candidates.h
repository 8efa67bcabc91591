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
/// A histogram of the sums gives the threshold, so that it rises with every window at no cost worth mentioning:
/// level_ is a bucket's lower end with at least k sums at or above it. Between queries all counts are 0.
class Candidates {
 public:
  struct Pair {
    std::uint32_t sum;
    DocId doc;
  };

  /// `error` and `least` are QueryBounds::error and, for these k, least_sum (1 where it does not hold).
  void start(std::size_t k, std::uint32_t error, std::uint32_t least) noexcept {
    pairs_.clear();
    k_ = k;
    error_ = error;
    threshold_ = std::max<std::uint32_t>(least, 1);
    level_ = threshold_ >> kBucketBits;  // lower sums will not come
    n_at_level_ = 0;
  }

  /// Sums below this one need not be offered. At least 1. Never falls.
  std::uint32_t threshold() const noexcept { return threshold_; }

  /// Takes n documents, sum << 16 | place behind `first`, of which `allows(doc)` says whether they count, and raises
  /// the threshold. Without a branch on the data: which sums are high is hard to predict. REQUIRES each document once.
  template <class Allows>
  void offer(const std::uint32_t* found, std::size_t n, DocId first, Allows&& allows) {
    const std::size_t n_before = pairs_.size();
    std::size_t n_pairs = n_before;
    pairs_.resize(n_before + n);
    for (std::size_t i = 0; i < n; ++i) {
      const Pair pair{found[i] >> 16, first + (found[i] & 0xFFFF)};
      const bool counted = allows(pair.doc);
      pairs_[n_pairs] = pair;
      n_pairs += counted ? 1 : 0;
      const std::uint32_t bucket = pair.sum >> kBucketBits;
      counts_[bucket] += counted ? 1 : 0;
      n_at_level_ += counted && bucket >= level_ ? 1 : 0;
    }
    pairs_.resize(n_pairs);
    raise();
  }

  /// Takes one document whose sum is not known. For documents that need no threshold.
  void take(DocId doc) { pairs_.push_back({kUnknownSum, doc}); }
  void drop_all() noexcept { pairs_.clear(); }

  /// Drops all pairs below the final threshold; the rest in the order in which they came: by window, not by DocId.
  std::vector<Pair>& finish() {
    if (pairs_.size() < counts_.size() / 8) {
      for (const Pair& pair : pairs_) counts_[pair.sum >> kBucketBits] = 0;
    } else {
      counts_.fill(0);
    }
    std::size_t kept = 0;
    for (const Pair pair : pairs_) {
      pairs_[kept] = pair;
      kept += pair.sum >= threshold_ ? 1 : 0;
    }
    pairs_.resize(kept);
    return pairs_;
  }

 private:
  static constexpr unsigned kBucketBits = 6;
  static constexpr std::uint32_t kUnknownSum = 0xFFFF;

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
