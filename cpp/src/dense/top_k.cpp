#include "dense/top_k.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace twotower {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Little room keeps the threshold fresh, so that fewer documents are looked at; half of k keeps the cost of choosing
// the best k at a few steps a document.
std::size_t spare_for(std::size_t k) { return std::max<std::size_t>(k / 2, 16); }

// The greatest float32 not above `value`: a score that is at least `value` before its rounding is at least this.
float at_most(double value) {
  const auto nearest = static_cast<float>(value);
  return static_cast<double>(nearest) > value ? std::nextafter(nearest, -kInfinity) : nearest;
}

}  // namespace

void write_best(std::vector<ScoredDoc>& found, std::size_t k, float* scores, std::int64_t* docs) {
  const std::size_t n = std::min(k, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end(), ranks_before);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = found[i].score;
    docs[i] = found[i].doc;
  }
  std::fill(scores + n, scores + k, -kInfinity);
  std::fill(docs + n, docs + k, -1);
}

TopK::TopK(const kernels::Kernels& kernels, const DenseView& view, const float* query, std::size_t k, std::size_t share)
    : scorer_(kernels, view, query),
      k_(k),
      share_(share),
      spare_(spare_for(k)),
      room_(k + spare_),
      threshold_(-kInfinity),
      share_threshold_(-kInfinity) {}

// Not to the floor itself: documents that reach it elsewhere may have greater DocIds.
void TopK::raise(float floor) noexcept {
  if (floor > threshold_) threshold_ = std::max(threshold_, std::nextafter(floor, -kInfinity));
}

void TopK::shrink() {
  drop_beaten();
  if (kept_.size() > room_ - spare_ / 2) settle();
}

// Raises the thresholds to the lower ends of the k-th best and of the last of the share.
void TopK::learn() {
  const auto better = [](const Kept& a, const Kept& b) { return a.lower > b.lower; };
  const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::nth_element(kept_.begin(), kth, kept_.end(), better);
  threshold_ = std::max(threshold_, at_most(kth->lower));
  const auto last_of_share = kept_.begin() + static_cast<std::ptrdiff_t>(share_ - 1);
  if (share_ < k_) std::nth_element(kept_.begin(), last_of_share, kth, better);
  share_threshold_ = std::max(share_threshold_, at_most(last_of_share->lower));
}

// Drops what is below the threshold: not what is equal, as some of the k may have greater DocIds.
void TopK::drop_beaten() {
  if (kept_.size() > k_ && k_ > 0) learn();
  if (threshold_ == -kInfinity) return;  // the score of far documents, too: nothing is below it
  const auto least = static_cast<double>(std::nextafter(threshold_, -kInfinity));
  std::erase_if(kept_, [least](const Kept& kept) { return kept.upper <= least; });
}

// Scores by the definition; the best k remain.
void TopK::settle() {
  std::vector<std::uint32_t> docs;
  std::erase_if(kept_, [&docs](const Kept& kept) {
    if (!kept.exact) docs.push_back(kept.doc);
    return !kept.exact;
  });
  std::vector<float> scores(docs.size());
  scorer_.score(docs.data(), docs.size(), scores.data());
  for (std::size_t i = 0; i < docs.size(); ++i) {
    const auto score = static_cast<double>(scores[i]);
    kept_.push_back({score, score, docs[i], true});
  }
  if (kept_.size() < k_ || k_ == 0) return;
  const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::nth_element(kept_.begin(), kth, kept_.end(), [](const Kept& a, const Kept& b) {
    return a.lower > b.lower || (a.lower == b.lower && a.doc < b.doc);
  });
  kept_.resize(k_);
  threshold_ = std::max(threshold_, static_cast<float>(kept_.back().lower));
}

std::vector<ScoredDoc> TopK::take() {
  drop_beaten();
  settle();
  std::vector<ScoredDoc> best;
  for (const Kept& kept : kept_) best.push_back({static_cast<float>(kept.lower), kept.doc});
  return best;
}

}  // namespace twotower
