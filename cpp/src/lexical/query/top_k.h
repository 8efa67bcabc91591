// The k best (score, DocId) pairs of a stream. Knows nothing of where they come from.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower {

/// Keeps the k best pairs: score descending, then DocId ascending. O(1) amortised for each offer.
///
/// A pair is one integer, score bits above the inverted DocId, so that a greater key is a better pair.
class TopDocs {
 public:
  /// REQUIRES k >= 1.
  explicit TopDocs(std::size_t k) : k_(k) { keys_.reserve(std::min<std::size_t>(k, 1024) * 2); }
  std::size_t k() const noexcept { return k_; }

  /// REQUIRES a score that is not NaN, and each DocId at most once.
  void offer(double score, DocId doc) {
    const std::uint64_t key = key_of(static_cast<float>(score), doc);
    if (key <= threshold_) return;
    keys_.push_back(key);
    if (keys_.size() >= 2 * k_) shrink();
  }

  /// Writes the pairs, best first, leaves the rest of the spans as they are and returns how many pairs there were.
  /// REQUIRES spans of at least k places.
  std::size_t write(std::span<float> scores, std::span<std::int64_t> docs) {
    if (keys_.size() > k_) shrink();
    sort_descending(keys_);
    for (std::size_t i = 0; i < std::min(k_, keys_.size()); ++i) {
      scores[i] = score_of(keys_[i]);
      docs[i] = static_cast<std::int64_t>(~static_cast<DocId>(keys_[i]));
    }
    return std::min(k_, keys_.size());
  }

 private:
  static constexpr std::uint32_t kSign = 0x80000000u;

  // Float bits whose unsigned order is the order of the floats: flip the sign bit of positives, every bit of negatives.
  static std::uint64_t key_of(float score, DocId doc) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // + 0 makes -0 equal to 0, as comparison does
    const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
    return (static_cast<std::uint64_t>(ordered) << 32) | static_cast<DocId>(~doc);
  }
  static float score_of(std::uint64_t key) noexcept {
    const auto ordered = static_cast<std::uint32_t>(key >> 32);
    return std::bit_cast<float>((ordered & kSign) != 0 ? ordered & ~kSign : ~ordered);
  }

  // Invariant afterwards: keys_ holds the k best so far, and no key at or below threshold_ can be among them.
  void shrink() {
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::ranges::nth_element(keys_, last, std::greater<>());
    keys_.resize(k_);
    threshold_ = keys_.back();
  }

  // Distributes the keys over buckets of equal width between the least and the greatest, then sorts each bucket: scores
  // of the best documents spread well, so that buckets hold a few keys. O(n) then; never worse than a plain sort.
  static void sort_descending(std::vector<std::uint64_t>& keys) {
    constexpr std::size_t kWorthwhile = 64;
    if (keys.size() < kWorthwhile) {
      std::ranges::sort(keys, std::greater<>());
      return;
    }
    const auto [least, greatest] = std::ranges::minmax(keys);
    const auto buckets_log2 = static_cast<unsigned>(std::bit_width(keys.size()));
    const unsigned width = static_cast<unsigned>(std::bit_width(greatest - least));
    const unsigned shift = width > buckets_log2 ? width - buckets_log2 : 0;
    const auto bucket = [=](std::uint64_t key) { return static_cast<std::size_t>((greatest - key) >> shift); };
    std::vector<std::uint32_t> ends((std::size_t{1} << buckets_log2) + 1, 0);
    for (const std::uint64_t key : keys) ++ends[bucket(key) + 1];
    for (std::size_t b = 1; b < ends.size(); ++b) ends[b] += ends[b - 1];
    std::vector<std::uint64_t> sorted(keys.size());
    for (const std::uint64_t key : keys) sorted[ends[bucket(key)]++] = key;  // afterwards ends[b] is where b ends
    for (std::size_t b = 0, first = 0; b + 1 < ends.size(); first = ends[b++]) {
      if (ends[b] - first > 1)
        std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(first), sorted.begin() + ends[b], std::greater<>());
    }
    keys.swap(sorted);
  }

  std::size_t k_;
  std::uint64_t threshold_ = 0;
  std::vector<std::uint64_t> keys_;
};

}  // namespace twotower
