// The best k documents of one query among those scored by the definition. Knows no code and no interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "dense/exact_scorer.h"
#include "dense/top_k.h"
#include "kernels/kernels.h"
#include "twotower/dense.h"

namespace twotower {

class ExactBest {
 public:
  ExactBest(const kernels::Kernels& kernels, const VectorsView& vectors, const float* query, std::size_t k)
      : scorer_(kernels, vectors, query), k_(k) {}

  /// Scores documents by the definition and keeps the best k of all so far. REQUIRES none of them given before.
  void score(const std::uint32_t* docs, std::size_t n);

  /// The k-th best score so far; -infinity until there are k.
  float kth() const noexcept { return kth_; }

  std::uint64_t n_scored() const noexcept { return n_scored_; }

  /// The best of all, in no particular order.
  std::vector<ScoredDoc> take() { return std::move(best_); }

 private:
  ExactScorer scorer_;
  std::size_t k_;
  float kth_ = -std::numeric_limits<float>::infinity();
  std::uint64_t n_scored_ = 0;
  std::vector<ScoredDoc> best_;
};

}  // namespace twotower
