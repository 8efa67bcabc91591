// The algorithms over quantised impacts: bounds of the query, a scan that gathers candidates, exact scores of those.
#include <algorithm>
#include <memory>

#include "lexical/query/algorithms.h"
#include "lexical/query/rescore.h"
#include "lexical/query/window_scan.h"

namespace twotower {
namespace {

struct Workspace {
  QueryBounds bounds;
  Candidates candidates;
  WindowScan scan;
  Rescorer rescorer;
};

// Takes the documents that pass the filter as they are, if scoring each of them costs less than the scan of the
// postings.
bool take_allowed(const RankInput& query, const QueryBounds& bounds, Candidates& candidates) {
  constexpr std::size_t kPostingsALookUp = 4;  // of a scan without a threshold (measured)
  std::size_t n_postings = 0, n = 0;
  for (const BoundedTerm& term : bounds.terms()) n_postings += term.postings.size();
  const std::size_t most = n_postings / (kPostingsALookUp * bounds.terms().size());
  query.filter->for_each([&](DocId doc) {
    if (++n <= most) candidates.take(doc);
    return n <= most;
  });
  if (n > most) candidates.drop_all();
  return n <= most;
}

void rank(const RankInput& query, Split split, TopDocs& best, SearchCounts& counts) {
  // Kept from query to query, 0.25 MB a thread. A query that ends by an exception leaves none, so what is kept is
  // clean.
  thread_local std::unique_ptr<Workspace> kept;
  std::unique_ptr<Workspace> work = kept ? std::move(kept) : std::make_unique<Workspace>();

  const Scorer& scorer = query.searcher.scorer();
  const ImpactIndex& impacts = query.searcher.impacts();
  work->bounds.set(scorer, impacts, query.terms);
  // What is known of the k best of all documents says nothing of the k best of those that pass a filter.
  const std::uint32_t least = query.filter == nullptr ? work->bounds.least_sum(best.k()) : 1;
  work->candidates.start(best.k(), work->bounds.error(), least);
  if (split != Split::kByCost || query.filter == nullptr || !take_allowed(query, work->bounds, work->candidates)) {
    work->scan.run(impacts, work->bounds, split, query.filter, work->candidates, counts);
  }
  const auto& candidates = work->candidates.finish();
  work->rescorer.offer_all(scorer, impacts, work->bounds, query.terms, candidates, best);
  for (const BoundedTerm& term : work->bounds.terms()) counts.postings += term.postings.size();
  counts.rescored += candidates.size();
  kept = std::move(work);
}

}  // namespace

void rank_by_windows(const RankInput& query, TopDocs& best, SearchCounts& counts) {
  rank(query, Split::kNever, best, counts);
}
void rank_by_maxscore(const RankInput& query, TopDocs& best, SearchCounts& counts) {
  rank(query, Split::kAlways, best, counts);
}
void rank_by_cost(const RankInput& query, TopDocs& best, SearchCounts& counts) {
  rank(query, Split::kByCost, best, counts);
}

}  // namespace twotower
