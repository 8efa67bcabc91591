#include "dense/top_k.h"

#include <algorithm>
#include <limits>

namespace twotower {
namespace {

// A small lot keeps the threshold fresh, so that fewer documents are scored twice; a lot of at least k / 4 keeps the
// cost of choosing the best k at a few steps a candidate.
std::size_t lot_for(std::size_t k) { return std::clamp<std::size_t>(k / 4, 16, 4096); }

}  // namespace

TopK::TopK(const kernels::Kernels& kernels, const VectorsView& vectors, const float* query, std::size_t k)
    : kernels_(kernels),
      vectors_(vectors),
      query_(query),
      k_(k),
      lot_(lot_for(k)),
      threshold_(-std::numeric_limits<float>::infinity()) {}

void TopK::settle() {
  rows_.clear();
  for (const std::uint32_t doc : pending_) rows_.push_back(vectors_.row(doc));
  scores_.resize(rows_.size());
  kernels_.dense.dot_exact(query_, rows_.data(), rows_.size(), vectors_.dim, scores_.data());
  for (std::size_t i = 0; i < pending_.size(); ++i) best_.push_back({scores_[i], pending_[i]});
  pending_.clear();
  if (best_.size() < k_) return;
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
