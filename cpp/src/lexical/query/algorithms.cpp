#include "lexical/query/algorithms.h"

#include <array>
#include <optional>
#include <string>

#include "lexical/query/query_bounds.h"
#include "twotower/error.h"

namespace twotower {
namespace {

struct Entry {
  std::string_view name;
  QueryAlgorithm rank;
};

constexpr std::array kAlgorithms{Entry{"exhaustive", &rank_exhaustively}, Entry{"windowed", &rank_by_windows},
                                 Entry{"maxscore", &rank_by_maxscore}, Entry{"adaptive", &rank_by_cost}};
constexpr std::size_t kExhaustive = 0, kAdaptive = 3;
static_assert(kAlgorithms.size() <= std::tuple_size_v<decltype(SearchCounts::queries)>);

// With fewer postings than this for each hit that is asked for, scoring them all is cheaper than bounds, candidates and
// looking up the candidates' postings again (measured at 50,000 documents).
constexpr std::size_t kPostingsAHit = 6;

}  // namespace

std::vector<std::string> query_algorithms() {
  std::vector<std::string> names;
  for (const Entry& entry : kAlgorithms) names.emplace_back(entry.name);
  return names;
}

std::size_t find_query_algorithm(std::string_view name) {
  std::string known(kAutoAlgorithm);
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (kAlgorithms[i].name == name) return i;
    known += ", " + std::string(kAlgorithms[i].name);
  }
  throw InvalidInput("unknown query algorithm '" + std::string(name) + "': choose one of " + known);
}

std::size_t choose_query_algorithm(const RankInput& query, std::size_t k, std::optional<std::size_t> forced) {
  if (query.terms.size() > QueryBounds::kMostTerms) return kExhaustive;
  if (forced) return *forced;
  std::size_t n_postings = 0;
  for (const QueryTerm& term : query.terms) n_postings += query.searcher.scorer().index().df(term.term);
  return k * kPostingsAHit > n_postings ? kExhaustive : kAdaptive;
}

QueryAlgorithm query_algorithm(std::size_t number) { return kAlgorithms[number].rank; }

}  // namespace twotower
