// Invariant of a window: every document whose values sum to the threshold or more is in found_ when gather() is done,
// with the sum of the terms added so far; look_up() adds one term and drops whom the rest cannot lift to the threshold.
#include "lexical/query/window_scan.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/dispatch.h"
#include "lexical/query/find_places.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

// Nanoseconds, measured on a 3.5 GHz Zen 4 core by benchmarks/bench_lexical.py. Only ratios matter, and only for speed.
constexpr double kAddPosting = 0.5, kAddColumnDoc = 0.05, kTakeDoc = 0.02, kVisitPosting = 0.7;
constexpr double kLookUpInList = 8.0, kLookUpInBlocks = 3.0, kLookUpInColumn = 3.0;
constexpr std::size_t kWorkOfATerm = kWindow / 4;  // in a window, at most, for the meter

// A guess of the share of added postings whose document must be looked up: those whose sums reach `least`, where
// `greatest` is the most that a sum can be. Most documents have one of the terms only, so the share falls fast.
double pass_rate(std::uint32_t least, std::uint32_t greatest) noexcept {
  const double rest = std::max(1.0 - static_cast<double>(least) / std::max(greatest, 1u), 0.0);
  const double cube = rest * rest * rest;
  return cube * cube;
}

// Four neighbouring places in one number, 16 bits each, in the order of four codes that are loaded as one number.
std::uint64_t four_places(const std::uint16_t* places) noexcept {
  std::uint64_t packed;
  std::memcpy(&packed, places, sizeof packed);
  return packed >> PlaceAndTf::kTfBits & (0x0001000100010001u * (kWindow - 1));
}

}  // namespace

void WindowScan::run(const ImpactIndex& impacts, const QueryBounds& bounds, Split split, const DocFilter* filter,
                     Candidates& candidates, SearchCounts& counts) {
  impacts_ = &impacts;
  bounds_ = &bounds;
  candidates_ = &candidates;
  counts_ = &counts;
  start();
  WorkMeter meter;
  for (std::size_t w = 0; w < impacts.n_windows(); ++w) {
    meter.add(kWorkOfATerm * bounds.terms().size());
    if (!slice_window(w)) continue;
    score_window(split);
    hand_over(filter);
  }
}

void WindowScan::start() {
  const auto terms = bounds_->terms();
  slices_.assign(terms.size(), {0, 0});
  order_.resize(terms.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::ranges::sort(order_, {}, [&](std::uint32_t t) { return std::pair(terms[t].greatest, t); });
  greatest_sum_ = 0;
  for (const BoundedTerm& term : terms) greatest_sum_ += term.greatest;
}

// False if no term has a posting in the window.
bool WindowScan::slice_window(std::size_t w) {
  const auto terms = bounds_->terms();
  first_ = static_cast<DocId>(w << kWindowBits);
  n_places_ = std::min(kWindow, impacts_->n_padded_docs() - first_);
  std::size_t n = 0;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    Slice& slice = slices_[t];
    if (terms[t].impacts->form == ImpactForm::kRare) {
      const auto& docs = terms[t].postings.docs;
      slice.first += slice.count;
      slice.count = 0;
      while (slice.first + slice.count < docs.size() && docs[slice.first + slice.count] >> kWindowBits == w)
        ++slice.count;
    } else {
      const std::uint32_t* bounds = impacts_->window(*terms[t].impacts, w);
      slice = {bounds[0], bounds[1] - bounds[0]};
    }
    n += slice.count;
  }
  return n != 0;
}

double WindowScan::cost_of_adding(std::size_t t) const noexcept {
  return is_column(t) ? kAddColumnDoc * static_cast<double>(n_places_)
                      : kAddPosting * static_cast<double>(slices_[t].count);
}

double WindowScan::cost_of_looking_up(std::size_t t) const noexcept {
  if (is_column(t)) return kLookUpInColumn;
  return bounds_->terms()[t].impacts->has_blocks() ? kLookUpInBlocks : kLookUpInList;
}

// Sets how many terms are looked up. Their greatest values sum to less than the threshold, so that a document which has
// no other term is no candidate.
void WindowScan::choose_split(Split split, std::uint32_t threshold) {
  n_looked_up_ = looked_up_sum_ = 0;
  if (split == Split::kNever) return;
  double adding = 0.0, n_added = 0.0, looking = 0.0;
  for (const std::uint32_t t : order_) {
    adding += cost_of_adding(t);
    n_added += static_cast<double>(slices_[t].count);
  }
  const auto gathering = [&] { return std::min(kTakeDoc * static_cast<double>(n_places_), kVisitPosting * n_added); };
  double best = adding + gathering();
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::uint32_t t = order_[i];
    sum += bounds_->terms()[t].greatest;
    if (sum >= threshold) return;
    adding -= cost_of_adding(t);
    n_added -= static_cast<double>(slices_[t].count);
    looking += cost_of_looking_up(t);
    const double cost = adding + gathering() + n_added * pass_rate(threshold - sum, greatest_sum_ - sum) * looking;
    if (split == Split::kByCost && cost >= best) continue;
    best = cost;
    n_looked_up_ = i + 1;
    looked_up_sum_ = sum;
  }
}

void WindowScan::score_window(Split split) {
  const std::uint32_t threshold = candidates_->threshold();
  n_found_ = 0;
  choose_split(split, threshold);
  ++counts_->windows;
  counts_->windows_pruned += n_looked_up_ != 0 ? 1 : 0;
  const std::uint32_t rest = looked_up_sum_;
  gather(threshold > rest ? threshold - rest : 1);
  std::uint32_t still = rest;  // what the terms not yet looked up can bring
  for (std::size_t i = n_looked_up_; i-- > 0 && n_found_ != 0;) {
    still -= bounds_->terms()[order_[i]].greatest;
    counts_->lookups += n_found_;
    look_up(order_[i], threshold > still ? threshold - still : 1);
  }
}

// Adds the terms that are not looked up and finds the documents that have at least `least`.
void WindowScan::gather(std::uint32_t least) {
  std::size_t n_added = 0;
  bool column = false;
  for (std::size_t i = n_looked_up_; i < order_.size(); ++i) {
    n_added += slices_[order_[i]].count;
    column |= is_column(order_[i]) && slices_[order_[i]].count != 0;
  }
  counts_->postings_scored += n_added;
  if (n_added == 0) return;
  if (order_.size() - n_looked_up_ == 1 && !column) return gather_one_list(order_.back(), least);
  for (std::size_t i = n_looked_up_; i < order_.size(); ++i) add(order_[i]);
  if (column || kVisitPosting * static_cast<double>(n_added) > kTakeDoc * static_cast<double>(n_places_)) {
    n_found_ =
        kernels::active().lexical.take_sums(sums_.data(), n_places_, static_cast<std::uint16_t>(least), found_.data());
  } else {
    for (std::size_t i = n_looked_up_; i < order_.size(); ++i) visit(order_[i], least);
  }
}

// With a single term the sums are its values: no need to add them up.
void WindowScan::gather_one_list(std::size_t t, std::uint32_t least) {
  const BoundedTerm& term = bounds_->terms()[t];
  const auto [first, count] = slices_[t];
  const auto offer = [&](std::uint32_t value, std::uint32_t place) {
    found_[n_found_] = value << 16 | place;
    n_found_ += value >= least ? 1 : 0;
  };
  if (term.impacts->form == ImpactForm::kRare) {
    const std::uint16_t* values = bounds_->rare_values(t) + first;
    for (std::size_t i = 0; i < count; ++i) offer(values[i], term.postings.docs[first + i] - first_);
  } else {
    const std::uint16_t* places = impacts_->entries(*term.impacts) + first;
    const std::uint8_t* codes = impacts_->codes(*term.impacts) + first;
    const std::uint16_t* values = bounds_->values(t);
    for (std::size_t i = 0; i < count; ++i) offer(values[codes[i]], PlaceAndTf::place(places[i]));
  }
}

void WindowScan::add(std::size_t t) {
  const BoundedTerm& term = bounds_->terms()[t];
  const auto [first, count] = slices_[t];
  std::uint16_t* sums = sums_.data();
  const auto add_to = [sums](std::size_t place, std::uint16_t value) {
    sums[place] = static_cast<std::uint16_t>(sums[place] + value);
  };
  if (term.impacts->form == ImpactForm::kColumn) {
    kernels::active().lexical.add_column(sums, impacts_->column(*term.impacts) + first_, n_places_, term.multiplier);
  } else if (term.impacts->form == ImpactForm::kRare) {
    const std::uint16_t* values = bounds_->rare_values(t) + first;
    for (std::size_t i = 0; i < count; ++i) add_to(term.postings.docs[first + i] - first_, values[i]);
  } else {
    const std::uint16_t* places = impacts_->entries(*term.impacts) + first;
    const std::uint8_t* codes = impacts_->codes(*term.impacts) + first;
    const std::uint16_t* values = bounds_->values(t);
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {  // loads first: a store in between could be to what they read
      const std::uint64_t p = four_places(places + i);
      std::uint32_t c;
      std::memcpy(&c, codes + i, sizeof c);
      const std::uint16_t v[4] = {values[c & 255], values[c >> 8 & 255], values[c >> 16 & 255], values[c >> 24]};
      add_to(p & 0xFFFF, v[0]);
      add_to(p >> 16 & 0xFFFF, v[1]);
      add_to(p >> 32 & 0xFFFF, v[2]);
      add_to(p >> 48, v[3]);
    }
    for (; i < count; ++i) add_to(PlaceAndTf::place(places[i]), values[codes[i]]);
  }
}

// Takes the sums of a term's documents, where they are few: cheaper than reading the whole window.
void WindowScan::visit(std::size_t t, std::uint32_t least) {
  const BoundedTerm& term = bounds_->terms()[t];
  const auto [first, count] = slices_[t];
  const auto take = [&](std::uint32_t place) {
    const std::uint32_t sum = sums_[place];
    sums_[place] = 0;
    found_[n_found_] = sum << 16 | place;
    n_found_ += sum >= least ? 1 : 0;
  };
  if (term.impacts->form == ImpactForm::kRare) {
    for (std::size_t i = 0; i < count; ++i) take(term.postings.docs[first + i] - first_);
  } else {
    const std::uint16_t* places = impacts_->entries(*term.impacts) + first;
    for (std::size_t i = 0; i < count; ++i) take(PlaceAndTf::place(places[i]));
  }
}

// Adds value_of(i, place) to the i-th document found and keeps those that then have at least `least`.
template <class Value>
void WindowScan::keep_if(std::uint32_t least, Value&& value_of) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n_found_; ++i) {
    const std::uint32_t value = value_of(i, found_[i] & 0xFFFF);
    counts_->postings_scored += value != 0 ? 1 : 0;
    const std::uint32_t pair = found_[i] + (value << 16);
    found_[kept] = pair;
    kept += pair >> 16 >= least ? 1 : 0;
  }
  n_found_ = kept;
}

void WindowScan::look_up(std::size_t t, std::uint32_t least) {
  const BoundedTerm& term = bounds_->terms()[t];
  if (slices_[t].count == 0) return keep_if(least, [](std::size_t, std::uint32_t) { return 0u; });
  if (term.impacts->form == ImpactForm::kRare) return look_up_rare(t, least);
  if (term.impacts->form == ImpactForm::kList) return look_up_in_list(t, least);
  const std::uint8_t* column = impacts_->column(*term.impacts) + first_;
  const std::uint16_t* values = bounds_->values(t);
  keep_if(least, [=](std::size_t, std::uint32_t place) { return std::uint32_t{values[column[place]]}; });
}

void WindowScan::look_up_rare(std::size_t t, std::uint32_t least) {
  const auto docs = bounds_->terms()[t].postings.docs.subspan(slices_[t].first, slices_[t].count);
  const std::uint16_t* values = bounds_->rare_values(t) + slices_[t].first;
  keep_if(least, [=, this](std::size_t, std::uint32_t place) {
    const auto at = std::ranges::lower_bound(docs, first_ + place);
    return at != docs.end() && *at == first_ + place ? std::uint32_t{values[at - docs.begin()]} : 0u;
  });
}

void WindowScan::look_up_in_list(std::size_t t, std::uint32_t least) {
  const ImpactTerm& impacts = *bounds_->terms()[t].impacts;
  const std::uint16_t* places = impacts_->entries(impacts) + slices_[t].first;
  const std::uint8_t* codes = impacts_->codes(impacts) + slices_[t].first;
  const std::uint16_t* values = bounds_->values(t);
  if (impacts.has_blocks()) {
    const std::uint16_t* blocks = impacts_->blocks(impacts, first_ >> kWindowBits);
    kernels::active().lexical.find_entries(places, blocks, found_.data(), n_found_, entries_.data());
    return keep_if(least, [&](std::size_t i, std::uint32_t) -> std::uint32_t {
      return entries_[i] != kernels::kNoEntry ? values[codes[entries_[i]]] : 0;
    });
  }
  std::uint32_t wanted[kSearches], at[kSearches];
  keep_if(least, [&](std::size_t i, std::uint32_t place) -> std::uint32_t {
    if (i % kSearches == 0) {  // entries from i on are still as they were: at most i of them were kept
      for (std::size_t j = 0; j < kSearches; ++j) wanted[j] = i + j < n_found_ ? found_[i + j] & 0xFFFF : 0;
      find_places(places, slices_[t].count, wanted, at);
    }
    const std::uint32_t posting = at[i % kSearches];
    return PlaceAndTf::place(places[posting]) == place ? values[codes[posting]] : 0;
  });
}

void WindowScan::hand_over(const DocFilter* filter) {
  if (n_found_ == 0) return;
  counts_->candidates += n_found_;
  if (filter == nullptr) {
    candidates_->offer(found_.data(), n_found_, first_, [](DocId) { return true; });
  } else {
    candidates_->offer(found_.data(), n_found_, first_, [filter](DocId doc) { return filter->allows(doc); });
  }
}

}  // namespace twotower
