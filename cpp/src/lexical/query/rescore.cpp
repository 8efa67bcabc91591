// Finds the postings of each term in the candidates, asks the scorer for all their contributions at once, and sums.
#include "lexical/query/rescore.h"

#include <algorithm>

#include "lexical/query/find_places.h"

namespace twotower {

using Pairs = std::span<const Candidates::Pair>;

void Rescorer::offer_all(const Scorer& scorer, const ImpactIndex& impacts, const QueryBounds& bounds,
                         std::span<const QueryTerm> query, Pairs candidates, TopK& best) {
  of_term_.clear();
  candidates_.clear();
  docs_.clear();
  tfs_.clear();
  for (const BoundedTerm& term : bounds.terms()) {
    const std::size_t first = docs_.size();
    find(impacts, term, candidates);
    of_term_.push_back({first, docs_.size()});
  }
  parts_.resize(docs_.size());
  sums_.assign(candidates.size(), 0.0);
  for (std::size_t i = 0; i < query.size(); ++i) {
    const auto [first, last] = of_term_[bounds.occurrences()[i]];
    if (first == last) continue;
    const Postings postings{std::span(docs_).subspan(first, last - first),
                            std::span(tfs_).subspan(first, last - first)};
    scorer.contributions(query[i], postings, &parts_[first]);
    for (std::size_t j = first; j < last; ++j) sums_[candidates_[j]] += parts_[j];
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) best.offer(sums_[c], candidates[c].doc);
}

void Rescorer::find(const ImpactIndex& impacts, const BoundedTerm& term, Pairs candidates) {
  switch (term.impacts->form) {
    case ImpactForm::kRare:
      return find_rare(term, candidates);
    case ImpactForm::kColumn:
      return find_in_column(impacts, term, candidates);
    case ImpactForm::kList:
      return find_in_list(impacts, term, candidates);
  }
}

void Rescorer::found(const BoundedTerm& term, std::size_t candidate, std::size_t posting) {
  candidates_.push_back(static_cast<std::uint32_t>(candidate));
  docs_.push_back(term.postings.docs[posting]);
  tfs_.push_back(term.postings.tfs[posting]);
}

void Rescorer::find_rare(const BoundedTerm& term, Pairs candidates) {
  std::size_t c = 0;
  for (std::size_t i = 0; i < term.postings.size() && c < candidates.size(); ++i) {
    while (c < candidates.size() && candidates[c].doc < term.postings.docs[i]) ++c;
    if (c < candidates.size() && candidates[c].doc == term.postings.docs[i]) found(term, c, i);
  }
}

void Rescorer::find_in_column(const ImpactIndex& impacts, const BoundedTerm& term, Pairs candidates) {
  const std::uint8_t* column = impacts.column(*term.impacts);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (column[candidates[c].doc] != 0) found(term, c, impacts.posting_of(*term.impacts, candidates[c].doc));
  }
}

void Rescorer::find_in_list(const ImpactIndex& impacts, const BoundedTerm& term, Pairs candidates) {
  const std::uint16_t* places = impacts.places(*term.impacts);
  for (std::size_t c = 0; c < candidates.size();) {
    const std::size_t window = candidates[c].doc >> kWindowBits;
    const std::uint32_t* bounds = impacts.window(*term.impacts, window);
    std::uint32_t wanted[kSearches], at[kSearches];
    std::size_t n = 0;
    for (; n < kSearches && c + n < candidates.size() && candidates[c + n].doc >> kWindowBits == window; ++n) {
      wanted[n] = candidates[c + n].doc % kWindow;
    }
    std::fill(wanted + n, wanted + kSearches, 0);
    if (bounds[0] != bounds[1]) {
      find_places(places + bounds[0], bounds[1] - bounds[0], wanted, at);
      for (std::size_t i = 0; i < n; ++i) {
        if (places[bounds[0] + at[i]] == wanted[i]) found(term, c + i, bounds[0] + at[i]);
      }
    }
    c += n;
  }
}

}  // namespace twotower
