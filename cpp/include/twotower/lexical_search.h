// Exact search over an inverted index: the k best documents of each query, scores of given documents, explanations.
//
// A hit contains at least one query term; its score may be 0 or negative. Order: score descending (float32), then DocId
// ascending, on every thread count and with every algorithm. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/inverted_index.h"
#include "twotower/scoring.h"

namespace twotower {

/// Names of the query algorithms, in the order of their table. All give the same answer; "exhaustive" is the oracle.
std::vector<std::string> query_algorithms();

/// Writes the k best documents of each query, row after row, into scores [Q, k] and docs [Q, k].
///
/// Places without a hit get -inf and -1. Time: that of the algorithm, spread over `threads` (0: every core), one query
/// on one thread. REQUIRES queries checked against the n_terms of the scorer's index. THROWS InvalidInput for an
/// unknown algorithm, or spans that are not Q * k long; Interrupted.
void search(const Scorer& scorer, const TermLists& queries, std::size_t k, unsigned threads, std::string_view algorithm,
            std::span<float> scores, std::span<std::int64_t> docs);

/// Writes the exact score of each given document: scores[q, c] is that of docs[q, c] for query q.
///
/// 0 if the document has no query term; -inf for the padding DocId -1. O(Q * C * L * log df).
/// THROWS InvalidInput for a DocId that is not in [-1, n_docs), or spans of unequal or uneven length; Interrupted.
void score(const Scorer& scorer, const TermLists& queries, std::span<const std::int64_t> docs, unsigned threads,
           std::span<float> scores);

/// What one query term brings to one document's score.
struct TermPart {
  TermId term;
  std::uint32_t tf;  ///< occurrences in the document; 0: the part is 0
  std::size_t df;
  double idf;
  double weight;  ///< QueryTerm::weight: what the query's side brings
  double part;    ///< the float64 sum of the parts in this order, rounded to float32, is the score
};

/// The parts of a document's score, one for each term of Scorer::weigh. THROWS InvalidInput if there is no such
/// document.
std::vector<TermPart> explain(const Scorer& scorer, std::span<const TermId> query, std::int64_t doc);

}  // namespace twotower
