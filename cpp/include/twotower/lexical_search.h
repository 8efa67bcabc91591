// Exact search over an inverted index: the k best documents of each query, scores of given documents, explanations.
//
// A hit contains at least one query term; its score may be 0 or negative. Order: score descending (float32), then DocId
// ascending, on every thread count and with every algorithm. All functions are thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/inverted_index.h"
#include "twotower/scoring.h"

namespace twotower {

class ImpactIndex;

/// Names of the query algorithms, in the order of their table. All give the same answer; "exhaustive" is the oracle.
std::vector<std::string> query_algorithms();

/// The algorithm that is chosen for each query by its terms, k and the filter. No row of the table.
inline constexpr std::string_view kAutoAlgorithm = "auto";

/// A scorer and the fast form of its index: what the query algorithms work on. Immutable, so safe on every thread.
///
/// REQUIRES that the scorer outlives it.
class Searcher {
 public:
  /// Quantises the postings of all but rare terms. O(P) time; about 3 bytes a posting. THROWS Interrupted.
  explicit Searcher(const Scorer& scorer);
  /// Without the fast form: every query is ranked by "exhaustive". O(1).
  struct WithoutImpacts {};
  Searcher(const Scorer& scorer, WithoutImpacts);
  ~Searcher();

  const Scorer& scorer() const noexcept { return scorer_; }
  bool has_impacts() const noexcept { return impacts_ != nullptr; }
  /// REQUIRES has_impacts().
  const ImpactIndex& impacts() const noexcept { return *impacts_; }
  /// Memory of the fast form.
  std::size_t n_bytes() const noexcept;

 private:
  const Scorer& scorer_;
  std::unique_ptr<const ImpactIndex> impacts_;
};

/// The documents that a search may return: one bit each. REQUIRES ceil(n_docs / 64) words that outlive it.
class DocFilter {
 public:
  explicit DocFilter(std::span<const std::uint64_t> words) noexcept : words_(words) {}
  std::size_t n_words() const noexcept { return words_.size(); }
  bool allows(DocId doc) const noexcept { return (words_[doc / 64] >> (doc % 64) & 1) != 0; }
  /// Calls visit(doc) for each document that passes, ascending, until that returns false. O(words).
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        if (!visit(static_cast<DocId>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))))) return;
      }
    }
  }

 private:
  std::span<const std::uint64_t> words_;
};

/// What a batch of queries cost. Counts of different threads add up; they are the same for every thread count.
struct SearchCounts {
  std::array<std::uint64_t, 8> queries{};  ///< by the number of the algorithm in its table
  std::uint64_t postings = 0;  ///< of the queries' distinct terms; "exhaustive" scores those of repeated terms again
  std::uint64_t postings_scored = 0;  ///< whose value was added to a sum, or found by a look-up
  std::uint64_t lookups = 0;          ///< of one term in one document, found or not
  std::uint64_t candidates = 0;       ///< documents whose bound reached the threshold of the time
  std::uint64_t rescored = 0;         ///< documents scored by the definition after the scan
  std::uint64_t windows = 0;          ///< of documents that were scanned
  std::uint64_t windows_pruned = 0;   ///< of these: where a term was looked up instead of added

  SearchCounts& operator+=(const SearchCounts& other) noexcept;
};

/// Writes the k best documents of each query, row after row, into scores [Q, k] and docs [Q, k].
///
/// Places without a hit get -inf and -1. `filter` (may be null) leaves out documents; the others keep their scores.
/// `counts` (may be null) is added to. Time: that of the algorithm, spread over `threads` (0: every core), one query
/// on one thread. REQUIRES queries checked against the n_terms of the scorer's index. THROWS InvalidInput for an
/// unknown algorithm, a filter of another length, or spans that are not Q * k long; Interrupted.
void search(const Searcher& searcher, const TermLists& queries, std::size_t k, unsigned threads,
            std::string_view algorithm, const DocFilter* filter, std::span<float> scores, std::span<std::int64_t> docs,
            SearchCounts* counts = nullptr);

/// Writes the exact score of each given document: scores[q, c] is that of docs[q, c] for query q.
///
/// 0 if the document has no query term; -inf for the padding DocId -1. O(Q * C * L * log df).
/// THROWS InvalidInput for a DocId that is not in [-1, n_docs), or spans of unequal or uneven length; Interrupted.
void score(const Scorer& scorer, const TermLists& queries, std::span<const std::int64_t> docs, unsigned threads,
           std::span<float> scores);

/// What one query term brings to one document's score.
struct TermPart {
  TermId term;
  std::uint32_t tf;  ///< occurrences in the document, or what Postings holds in their place; 0: the part is 0
  std::size_t df;
  double idf;
  double weight;  ///< QueryTerm::weight: what the query's side brings
  double part;    ///< the float64 sum of the parts in this order, rounded to float32, is the score
};

/// The parts of a document's score, one for each term of Scorer::weigh. THROWS InvalidInput if there is no such
/// document.
std::vector<TermPart> explain(const Scorer& scorer, std::span<const TermId> query, std::int64_t doc);
/// The same for query q of a batch, with its weights if it has any.
std::vector<TermPart> explain(const Scorer& scorer, const TermLists& queries, std::size_t q, std::int64_t doc);

}  // namespace twotower
