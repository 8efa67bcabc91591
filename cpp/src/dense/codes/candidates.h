// What may be among the best of one query of a batch, by intervals of whole bytes. Knows no kernel and no panel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "dense/codes/scan.h"
#include "dense/top_k.h"

namespace twotower {

/// Invariant: every row seen so far is here or was below the threshold.
class Candidates {
 public:
  Candidates(CodedSearch& search, std::size_t q)
      : search_(search), query_(search.coded[q]), floor_(search.floors[q]), q_(q), room_(search.k + kSpare) {}

  /// Of the scaled scores (CodedQuery::threshold): rows whose upper end is below it need not be offered.
  float threshold() noexcept {
    const float now = floor_.get();
    if (now != known_floor_) threshold_ = query_.threshold(known_floor_ = now);
    return threshold_;
  }

  /// `sum` without the query's offset.
  void offer(std::uint32_t doc, std::int32_t sum) {
    if (!search_.is_allowed(doc)) return;
    const double score = static_cast<double>(sum) * static_cast<double>(search_.codes.scales[doc]) *
                         static_cast<double>(query_.fine.unit);
    const double error = static_cast<double>(query_.fine.factor) * search_.codes.fine_radii[doc];
    candidates_.push_back({score + error, score - error, doc});
    if (candidates_.size() >= room_) shrink();
  }

  /// Scores what is left by the definition, the greatest upper ends first.
  std::vector<ScoredDoc> take();

 private:
  static constexpr std::size_t kSpare = 64;  // beyond k: few keep the threshold fresh

  struct Candidate {
    double upper;
    double lower;
    std::uint32_t doc;
  };

  void raise();
  void shrink();

  CodedSearch& search_;
  const CodedQuery& query_;
  SharedFloor& floor_;
  std::size_t q_;
  std::size_t room_;
  float known_floor_ = -std::numeric_limits<float>::infinity();
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

}  // namespace twotower
