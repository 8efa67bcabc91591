// The best k of the documents offered for one query. Knows intervals and exact scores; knows no block and no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/exact_scorer.h"
#include "dense/query_limits.h"
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

/// Writes the `k` best of `found`, sorted, and fills up with -infinity and -1.
void write_best(std::vector<ScoredDoc>& found, std::size_t k, float* scores, std::int64_t* docs);

/// Keeps what may be among the best k by intervals of scores, and scores by the definition what they do not decide.
///
/// Invariant: every document offered so far is kept, or ranks after k documents that are kept, here or where a floor
/// came from (docs/math.md, section 1). Memory: O(k), however many documents have intervals that reach the k-th best.
/// REQUIRES documents offered in ascending order, so that a later one with the same score ranks after.
class TopK {
 public:
  /// Of the best k, the first `share` are of interest to others: 1 <= share <= k, unless k is 0.
  TopK(const kernels::Kernels& kernels, const DenseView& view, const float* query, std::size_t k, std::size_t share);

  /// No document to come whose score is at or below this can enter. -infinity until k are known.
  float threshold() const noexcept { return threshold_; }

  /// `share` documents that were offered score at least this. -infinity until so many are known.
  float share_threshold() const noexcept { return share_threshold_; }

  /// k documents, offered here or elsewhere, score at least `floor`: what scores less cannot enter.
  void raise(float floor) noexcept;

  /// Whether this made the thresholds anew.
  bool offer(std::uint32_t doc, const Interval& score) {
    kept_.push_back({score.lower, score.upper, doc, false});
    if (kept_.size() < room_) return false;
    shrink();
    return true;
  }

  /// The best of all that were offered, in no particular order.
  std::vector<ScoredDoc> take();

 private:
  struct Kept {
    double lower;
    double upper;
    std::uint32_t doc;
    bool exact;  // both ends are the score
  };

  void shrink();
  void learn();
  void drop_beaten();
  void settle();

  ExactScorer scorer_;
  std::size_t k_;
  std::size_t share_;
  std::size_t spare_;
  std::size_t room_;
  float threshold_;
  float share_threshold_;
  std::vector<Kept> kept_;
};

}  // namespace twotower
