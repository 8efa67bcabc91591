#include "dense/codes/candidates.h"

#include <algorithm>

#include "dense/codes/exact_best.h"

namespace twotower {
namespace {

constexpr std::size_t kExactLot = 16;

}  // namespace

std::vector<ScoredDoc> Candidates::take() {
  ExactBest best(search_.kernels, search_.vectors, search_.queries + q_ * search_.vectors.dim, search_.k);
  raise();
  std::sort(candidates_.begin(), candidates_.end(),
            [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
  std::uint32_t docs[kExactLot];
  for (std::size_t i = 0; i < candidates_.size();) {
    const double least = static_cast<double>(threshold());
    std::size_t n = 0;
    for (; n < kExactLot && i < candidates_.size() && !(candidates_[i].upper < least); ++i) {
      docs[n++] = candidates_[i].doc;
    }
    if (n == 0) break;
    best.score(docs, n);
    floor_.raise(best.kth());
  }
  search_.n_rescored += best.n_scored();
  return best.take();
}

void Candidates::raise() {
  if (candidates_.size() < search_.k || search_.k == 0) return;
  const auto kth = candidates_.begin() + static_cast<std::ptrdiff_t>(search_.k - 1);
  std::nth_element(candidates_.begin(), kth, candidates_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.lower > b.lower; });
  floor_.raise(query_.floor(kth->lower));
}

// Drops what the threshold, raised by the k-th best lower end, now decides; grows if that was less than half.
void Candidates::shrink() {
  raise();
  const double least = static_cast<double>(threshold());
  std::erase_if(candidates_, [&](const Candidate& c) { return c.upper < least; });
  room_ = std::max(room_, 2 * candidates_.size());
}

}  // namespace twotower
