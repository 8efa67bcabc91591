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
    if (term.impacts->form == ImpactForm::kColumn) {
      find_in_column(scorer, impacts, term, candidates);
    } else {
      term.impacts->form == ImpactForm::kRare ? find_rare(term, candidates) : find_in_list(impacts, term, candidates);
      // Loops of their own: many loads from far away at once.
      for (std::size_t i = first; i < n_found_; ++i) tfs_[i] = term.postings.tfs[postings_[i]];
      for (std::size_t i = first; i < n_found_; ++i) docs_[i] = candidates[candidates_[i]].doc;
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

// A rare term has few postings in a window: no places of its own are kept for it.
void Rescorer::find_rare(const BoundedTerm& term, Pairs candidates) {
  const auto& docs = term.postings.docs;
  std::size_t first = 0, last = 0;  // of the window's postings
  std::size_t window = static_cast<std::size_t>(-1);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const DocId doc = candidates[c].doc;
    if (doc >> kWindowBits != window) {
      window = doc >> kWindowBits;
      for (first = last; first < docs.size() && docs[first] >> kWindowBits < window;) ++first;
      for (last = first; last < docs.size() && docs[last] >> kWindowBits == window;) ++last;
    }
    const auto of_window = docs.subspan(first, last - first);
    const auto at = std::ranges::lower_bound(of_window, doc);
    if (at == of_window.end() || *at != doc) continue;
    candidates_[n_found_] = static_cast<std::uint32_t>(c);
    postings_[n_found_++] = static_cast<std::uint32_t>(first + static_cast<std::size_t>(at - of_window.begin()));
  }
}

void Rescorer::find_in_column(const Scorer& scorer, const ImpactIndex& impacts, const BoundedTerm& term,
                              Pairs candidates) {
  const std::uint8_t* column = impacts.column_tfs(*term.impacts);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const DocId doc = candidates[c].doc;
    const std::uint8_t tf = column[doc];
    candidates_[n_found_] = static_cast<std::uint32_t>(c);
    docs_[n_found_] = doc;
    tfs_[n_found_] = tf == ImpactIndex::kManyTimes ? scorer.index().tf(term.id, doc) : tf;
    n_found_ += tf != 0 ? 1 : 0;
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
