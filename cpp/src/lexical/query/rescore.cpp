// Finds the postings of each term in the candidates, asks the scorer for all their contributions at once, and sums.
#include "lexical/query/rescore.h"

#include <algorithm>

#include "lexical/query/find_places.h"

namespace twotower {

using Pairs = std::span<const Candidates::Pair>;

void Rescorer::offer_all(const Scorer& scorer, const ImpactIndex& impacts, const QueryBounds& bounds,
                         std::span<const QueryTerm> query, Pairs candidates, TopK& best) {
  const std::size_t most = candidates.size() * bounds.terms().size() + kSearches;
  if (candidates_.size() < most) {
    for (auto* array : {&candidates_, &postings_, &docs_, &tfs_}) array->resize(most);
    parts_.resize(most);
  }
  of_term_.clear();
  n_found_ = 0;
  for (const BoundedTerm& term : bounds.terms()) {
    const std::size_t first = n_found_;
    find(impacts, term, candidates);
    for (std::size_t i = first; i < n_found_; ++i) {  // a loop of its own: many loads from far away at once
      docs_[i] = candidates[candidates_[i]].doc;
      tfs_[i] = term.postings.tfs[postings_[i]];
    }
    of_term_.push_back({first, n_found_});
  }
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

void Rescorer::find_rare(const BoundedTerm& term, Pairs candidates) {
  std::size_t c = 0;
  for (std::size_t i = 0; i < term.postings.size() && c < candidates.size(); ++i) {
    while (c < candidates.size() && candidates[c].doc < term.postings.docs[i]) ++c;
    if (c == candidates.size() || candidates[c].doc != term.postings.docs[i]) continue;
    candidates_[n_found_] = static_cast<std::uint32_t>(c);
    postings_[n_found_++] = static_cast<std::uint32_t>(i);
  }
}

void Rescorer::find_in_column(const ImpactIndex& impacts, const BoundedTerm& term, Pairs candidates) {
  const std::uint8_t* column = impacts.column(*term.impacts);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (column[candidates[c].doc] == 0) continue;
    candidates_[n_found_] = static_cast<std::uint32_t>(c);
    postings_[n_found_++] = static_cast<std::uint32_t>(impacts.posting_of(*term.impacts, candidates[c].doc));
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
        candidates_[n_found_] = static_cast<std::uint32_t>(c + i);
        postings_[n_found_] = bounds[0] + at[i];
        n_found_ += places[bounds[0] + at[i]] == wanted[i] ? 1 : 0;  // without a branch: it would be a coin toss
      }
    }
    c += n;
  }
}

}  // namespace twotower
