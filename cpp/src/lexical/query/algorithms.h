// The table of query algorithms. To add one: a file beside this one, its declaration here, one line in algorithms.cpp.
#pragma once

#include <span>
#include <string_view>

#include "lexical/query/top_k.h"
#include "twotower/scoring.h"

namespace twotower {

/// Offers to `best` every document that can be among the k best, with its exact score. REQUIRES terms of scorer.weigh.
using QueryAlgorithm = void (*)(const Scorer& scorer, std::span<const QueryTerm> terms, TopK& best);

/// Scores every posting of every query term: the oracle of all others. O(postings of the query's terms).
void rank_exhaustively(const Scorer& scorer, std::span<const QueryTerm> terms, TopK& best);

/// THROWS InvalidInput that lists the table's names.
QueryAlgorithm find_query_algorithm(std::string_view name);

}  // namespace twotower
