#include "dense/top_k.h"

#include <algorithm>
#include <limits>

namespace twotower {
namespace {

// A small lot keeps the threshold fresh, so that fewer documents are scored twice; a lot of at least k / 4 keeps the
// cost of choosing the best k at a few steps a candidate.
std::size_t lot_for(std::size_t k) { return std::clamp<std::size_t>(k / 4, 16, 4096); }

}  // namespace

TopK::TopK(const kernels::Kernels& kernels, const DenseView& view, const float* query, std::size_t k)
    : scorer_(kernels, view, query), k_(k), lot_(lot_for(k)), threshold_(-std::numeric_limits<float>::infinity()) {}

void TopK::settle() {
  scores_.resize(pending_.size());
  scorer_.score(pending_.data(), pending_.size(), scores_.data());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (best_.size() < k_ || scores_[i] > threshold_) best_.push_back({scores_[i], pending_[i]});
  }
  pending_.clear();
  if (best_.size() < k_ || k_ == 0) return;
  const auto kth = best_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::nth_element(best_.begin(), kth, best_.end(), ranks_before);
  best_.resize(k_);
  threshold_ = best_.back().score;
}

std::vector<ScoredDoc> TopK::take() {
  settle();
  return std::move(best_);
}

}  // namespace twotower
