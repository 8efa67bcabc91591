// The best k of the documents offered for one query. Knows exact scores; knows no block and no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/exact_scorer.h"
#include "kernels/kernels.h"
#include "twotower/dense.h"

namespace twotower {

struct ScoredDoc {
  float score;
  std::uint32_t doc;
};

/// The order of results: score descending, then DocId ascending.
inline bool ranks_before(const ScoredDoc& a, const ScoredDoc& b) noexcept {
  return a.score > b.score || (a.score == b.score && a.doc < b.doc);
}

/// Collects candidates, scores them exactly in small lots, and keeps the best k.
///
/// Invariant: every document offered so far is among the best k, or pending, or ranks after k documents that are among
/// the best. REQUIRES documents offered in ascending order, so that a later one with the same score ranks after.
class TopK {
 public:
  /// A VectorsView will do as `view`, for inner products of float32.
  TopK(const kernels::Kernels& kernels, const DenseView& view, const float* query, std::size_t k);

  /// No document to come whose score is at or below this can enter. -infinity until k are known.
  float threshold() const noexcept { return threshold_; }

  void offer(std::uint32_t doc) {
    pending_.push_back(doc);
    if (pending_.size() >= lot_) settle();
  }

  /// The best of all that were offered, in no particular order.
  std::vector<ScoredDoc> take();

 private:
  void settle();

  ExactScorer scorer_;
  std::size_t k_;
  std::size_t lot_;
  float threshold_;
  std::vector<std::uint32_t> pending_;
  std::vector<ScoredDoc> best_;
  std::vector<float> scores_;
};

}  // namespace twotower
