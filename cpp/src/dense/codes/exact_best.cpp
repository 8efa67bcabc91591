#include "dense/codes/exact_best.h"

#include <algorithm>

namespace twotower {
namespace {

constexpr std::size_t kLot = 256;

}  // namespace

void ExactBest::score(const std::uint32_t* docs, std::size_t n) {
  float scores[kLot];
  n_scored_ += n;
  for (std::size_t begin = 0; begin < n; begin += kLot) {
    const std::size_t size = std::min(kLot, n - begin);
    scorer_.score(docs + begin, size, scores);
    for (std::size_t i = 0; i < size; ++i) {
      if (scores[i] >= kth_) best_.push_back({scores[i], docs[begin + i]});
    }
    if (best_.size() < k_ || k_ == 0) continue;
    const auto kth = best_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(best_.begin(), kth, best_.end(), ranks_before);
    best_.resize(k_);
    kth_ = best_.back().score;
  }
}

}  // namespace twotower
