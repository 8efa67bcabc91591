// Exact scores of a query's candidates, by the definition: float64, terms in the order of the query.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lexical/query/candidates.h"
#include "lexical/query/query_bounds.h"
#include "lexical/query/top_k.h"

namespace twotower {

/// Scores documents that were found by their bounds. Reused from query to query. Not thread-safe.
class Rescorer {
 public:
  /// Offers each candidate that has a term of the query with its exact score. REQUIRES candidates by window ascending,
  /// and `query` the terms that `bounds` was set for. O(C * L * log(df in a window)). THROWS Interrupted, after which
  /// this object must not be used again.
  void offer_all(const Scorer& scorer, const ImpactIndex& impacts, const QueryBounds& bounds,
                 std::span<const QueryTerm> query, std::span<const Candidates::Pair> candidates, TopDocs& best);

 private:
  // The postings of one term in the candidates: numbers of candidates, and what each brings to the score.
  struct Parts {
    std::size_t first, last;
  };

  void find_rare(const BoundedTerm& term, std::span<const Candidates::Pair> candidates);
  void find_in_column(const Scorer& scorer, const ImpactIndex& impacts, const BoundedTerm& term,
                      std::span<const Candidates::Pair> candidates);
  void find_in_list(const ImpactIndex& impacts, const BoundedTerm& term, std::span<const Candidates::Pair> candidates);
  void find_eight(const ImpactIndex& impacts, const BoundedTerm& term, std::span<const Candidates::Pair> candidates,
                  std::size_t c);

  std::vector<Parts> of_term_;
  std::vector<std::uint32_t> candidates_;  // of each posting found
  std::vector<std::uint32_t> postings_;    // its number in its term's list, where that was looked for
  std::size_t n_found_ = 0;
  std::vector<DocId> docs_;
  std::vector<std::uint32_t> tfs_;
  std::vector<double> parts_;
  std::vector<double> sums_;
  std::vector<std::uint8_t> matches_;  // has the candidate any term of the query?
};

}  // namespace twotower
