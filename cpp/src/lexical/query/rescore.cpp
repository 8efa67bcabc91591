// Finds the postings of each term in the candidates, asks the scorer for all their contributions at once, and sums.
#include "lexical/query/rescore.h"

#include <algorithm>

#include "lexical/query/find_places.h"
#include "util/work_meter.h"

namespace twotower {

using Pairs = std::span<const Candidates::Pair>;

void Rescorer::offer_all(const Scorer& scorer, const ImpactIndex& impacts, const QueryBounds& bounds,
                         std::span<const QueryTerm> query, Pairs candidates, TopDocs& best) {
  const std::size_t most = candidates.size() * bounds.terms().size() + kSearches;
  if (candidates_.size() < most) {
    for (auto* array : {&candidates_, &postings_, &docs_, &tfs_}) array->resize(most);
    parts_.resize(most);
  }
  of_term_.clear();
  n_found_ = 0;
  WorkMeter meter;
  for (const BoundedTerm& term : bounds.terms()) {
    meter.add(candidates.size());
    const std::size_t first = n_found_;
    switch (term.impacts->form) {
      case ImpactForm::kRare:
        find_rare(term, candidates);
        break;
      case ImpactForm::kList:
        find_in_list(impacts, term, candidates);
        break;
      case ImpactForm::kColumn:
        find_in_column(scorer, impacts, term, candidates);
        break;
    }
    of_term_.push_back({first, n_found_});
  }
  sums_.assign(candidates.size(), 0.0);
  matches_.assign(candidates.size(), 0);
  for (std::size_t i = 0; i < query.size(); ++i) {
    const auto [first, last] = of_term_[bounds.occurrences()[i]];
    if (first == last) continue;
    meter.add(last - first);
    const Postings postings{std::span(docs_).subspan(first, last - first),
                            std::span(tfs_).subspan(first, last - first)};
    scorer.contributions(query[i], postings, &parts_[first]);
    for (std::size_t j = first; j < last; ++j) {
      sums_[candidates_[j]] += parts_[j];
      matches_[candidates_[j]] = 1;
    }
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (matches_[c] != 0) best.offer(sums_[c], candidates[c].doc);
  }
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
    docs_[n_found_] = doc;
    tfs_[n_found_++] = term.postings.tfs[first + static_cast<std::size_t>(at - of_window.begin())];
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
  const std::size_t first_found = n_found_;
  for (std::size_t c = 0; c < candidates.size(); c += kSearches) {
    find_eight(impacts, term, candidates, c);
  }
  for (std::size_t i = first_found; i < n_found_; ++i) {
    if (tfs_[i] == 0) tfs_[i] = term.postings.tfs[postings_[i]];
  }
}

// Candidates [c, c + kSearches). Those of a few hits lie in windows of their own, those of many hits in one window.
void Rescorer::find_eight(const ImpactIndex& impacts, const BoundedTerm& term, Pairs candidates, std::size_t c) {
  const std::uint16_t* list = impacts.entries(*term.impacts);
  const std::size_t n = std::min(kSearches, candidates.size() - c);
  std::uint32_t firsts[kSearches], counts[kSearches], places[kSearches], at[kSearches];
  for (std::size_t i = 0; i < kSearches; ++i) {
    const DocId doc = candidates[c + std::min(i, n - 1)].doc;
    const std::uint32_t* bounds = impacts.window(*term.impacts, doc >> kWindowBits);
    firsts[i] = bounds[0];
    counts[i] = bounds[1] - bounds[0];
    places[i] = doc % kWindow;
  }
  if (firsts[0] == firsts[kSearches - 1] && counts[0] != 0) {
    find_places(list + firsts[0], counts[0], places, at);
  } else {
    PlaceSearch searches[kSearches];
    for (std::size_t i = 0; i < kSearches; ++i) {  // an empty list gives way to one that will not be looked at
      searches[i] = {counts[i] != 0 ? list + firsts[i] : list, std::max(counts[i], 1u), places[i]};
    }
    find_places_apart(searches, at);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t entry = counts[i] != 0 ? list[firsts[i] + at[i]] : list[0];
    candidates_[n_found_] = static_cast<std::uint32_t>(c + i);
    docs_[n_found_] = candidates[c + i].doc;
    postings_[n_found_] = firsts[i] + at[i];
    tfs_[n_found_] = PlaceAndTf::tf(entry);
    n_found_ += counts[i] != 0 && PlaceAndTf::place(entry) == places[i] ? 1 : 0;
  }
}

}  // namespace twotower
