// The table of query algorithms. To add one: a file beside this one, its declaration here, one line in algorithms.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lexical/query/top_k.h"
#include "twotower/lexical_search.h"
#include "twotower/scoring.h"

namespace twotower {

/// One query to rank. `terms` are those of scorer.weigh; at least one.
struct RankInput {
  const Searcher& searcher;
  std::span<const QueryTerm> terms;
  const DocFilter* filter;  ///< null: every document
};

/// Offers to `best` every document that can be among the k best, with its exact score, and counts its work.
using QueryAlgorithm = void (*)(const RankInput& query, TopDocs& best, SearchCounts& counts);

/// Scores every posting of every query term: the oracle of all others. O(postings of the query's terms).
void rank_exhaustively(const RankInput& query, TopDocs& best, SearchCounts& counts);

/// Adds one byte a posting over windows, then scores the few documents exactly whose upper bounds are high enough.
void rank_by_windows(const RankInput& query, TopDocs& best, SearchCounts& counts);

/// The same, but terms that cannot make a hit by themselves are looked up for the others' documents: the fewest
/// postings.
void rank_by_maxscore(const RankInput& query, TopDocs& best, SearchCounts& counts);

/// Takes for each window of documents the cheaper of the two, by an estimate of their time.
void rank_by_cost(const RankInput& query, TopDocs& best, SearchCounts& counts);

/// The number of an algorithm in the table. THROWS InvalidInput that lists the table's names.
std::size_t find_query_algorithm(std::string_view name);

/// The number of the algorithm that ranks a query: `forced`, or what "auto" takes. Queries of more than
/// QueryBounds::kMostTerms terms are ranked by "exhaustive" whatever was asked for.
std::size_t choose_query_algorithm(const RankInput& query, std::size_t k, std::optional<std::size_t> forced);

/// The algorithm of that number.
QueryAlgorithm query_algorithm(std::size_t number);

}  // namespace twotower
