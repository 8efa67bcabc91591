// One query as whole numbers: upper bounds of every contribution in units, small enough that their sums fit 16 bits.
//
// Proof of all that is said here: docs/math.md, section 2. Knows no window and no document's sum.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lexical/impact_index.h"
#include "twotower/scoring.h"

namespace twotower {

/// A distinct term of a query. The value of a posting is a whole number of units, at least 1 and at least what the
/// term brings to the document's score, all its occurrences in the query counted.
struct BoundedTerm {
  TermId id;
  const ImpactTerm* impacts;
  Postings postings;
  double weight;             // the sum over its occurrences
  std::size_t times;         // its occurrences in the query
  std::uint16_t multiplier;  // kept terms: value = (code * multiplier >> 8) + 1
  std::uint16_t greatest;    // no posting has a greater value
  std::size_t rare_values;   // rare terms: where the values of their postings begin
};

/// Bounds of one query. Reused from query to query, so that no memory is asked for. Not thread-safe.
class QueryBounds {
 public:
  /// Queries of more terms than this are ranked exhaustively: the proof's slack is for so many roundings.
  static constexpr std::size_t kMostTerms = 1024;

  /// O(L * (256 + df of rare terms)). REQUIRES 1 to kMostTerms terms of scorer.weigh, and the impacts of that scorer.
  void set(const Scorer& scorer, const ImpactIndex& impacts, std::span<const QueryTerm> query);

  /// The distinct terms, in the order of their first occurrence.
  std::span<const BoundedTerm> terms() const noexcept { return terms_; }
  /// For each occurrence in the query, the number of its term in terms().
  std::span<const std::uint32_t> occurrences() const noexcept { return occurrences_; }
  /// Value of each code of a kept term: 0 for code 0.
  const std::uint16_t* values(std::size_t t) const noexcept { return tables_[t].data(); }
  /// Value of each posting of a rare term.
  const std::uint16_t* rare_values(std::size_t t) const noexcept { return &rare_values_[terms_[t].rare_values]; }

  double unit() const noexcept { return unit_; }
  /// A document whose values sum to v has a score in [(v - error) * unit, v * unit].
  std::uint32_t error() const noexcept { return error_; }
  /// A document whose values sum to less is not among the k best of all documents. O(L), and O(df) for rare terms.
  std::uint32_t least_sum(std::size_t k);

 private:
  void collect(const Scorer& scorer, const ImpactIndex& impacts, std::span<const QueryTerm> query);
  double sum_of_magnitudes(const Scorer& scorer, std::span<const QueryTerm> query);
  void set_kept(std::size_t t);
  void set_rare(std::size_t t);

  std::vector<BoundedTerm> terms_;
  std::vector<std::uint32_t> occurrences_;
  std::vector<std::array<std::uint16_t, 256>> tables_;
  std::vector<double> rare_parts_;  // contributions of the postings of rare terms, all occurrences counted
  std::vector<std::uint16_t> rare_values_;
  std::vector<std::uint16_t> sorted_;
  double unit_ = 0.0;
  double slack_ = 0.0;  // of the error, in units
  std::uint32_t error_ = 0;
  bool has_negative_ = false;
};

}  // namespace twotower
