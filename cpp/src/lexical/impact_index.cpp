// Quantises document sides upwards. Invariant of every code c of a term: (c - 1) * step < side <= c * step, or c == 1
// and 0 <= side <= step. Products of a code and a float step are exact in float64, so the comparisons are too.
#include "lexical/impact_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::size_t kColumnShare = 8;   // a term in more than 1/8 of the documents is a column
constexpr std::size_t kBlockShare = 256;  // a list with a posting for so many documents has blocks

// The least float with 255 * step >= greatest.
float step_for(double greatest) noexcept {
  auto step = static_cast<float>(greatest / 255.0);
  while (255.0 * step < greatest) step = std::nextafter(step, std::numeric_limits<float>::infinity());
  return step;
}

std::uint8_t code_of(double side, float step) noexcept {
  if (!(side > 0.0)) return 1;
  double code = std::clamp(std::ceil(side / step), 1.0, 255.0);
  while (code * step < side) ++code;
  while (code > 1.0 && (code - 1.0) * step >= side) --code;
  return static_cast<std::uint8_t>(code);
}

std::array<std::uint8_t, 4> kth_codes(std::span<const std::uint8_t> codes) noexcept {
  std::array<std::size_t, 256> count{};
  for (const std::uint8_t code : codes) ++count[code];
  std::array<std::uint8_t, 4> kth{};
  for (std::size_t r = 0; r < kStoredRanks.size(); ++r) {
    std::size_t code = 256, seen = 0;
    while (code > 1 && seen < kStoredRanks[r]) seen += count[--code];
    kth[r] = seen >= kStoredRanks[r] ? static_cast<std::uint8_t>(code) : std::uint8_t{0};
  }
  return kth;
}

}  // namespace

std::size_t least_kept_df(std::size_t n_docs) noexcept {
  return std::max<std::size_t>(16, 4 * ((n_docs + kWindow - 1) >> kWindowBits));
}

ImpactIndex::ImpactIndex(const Scorer& scorer)
    : n_windows_((scorer.index().n_docs() + kWindow - 1) >> kWindowBits),
      n_padded_docs_((scorer.index().n_docs() + 63) / 64 * 64),
      numbers_(scorer.index().n_terms(), 0),
      terms_(1) {
  const InvertedIndex& index = scorer.index();
  const std::size_t least = least_kept_df(index.n_docs());
  std::size_t n_listed = 0;
  for (std::size_t t = 0; t < index.n_terms(); ++t) {
    const std::size_t df = index.df(static_cast<TermId>(t));
    if (df >= least && df * kColumnShare <= index.n_docs()) n_listed += df;
  }
  places_.reserve(n_listed + kernels::kEntryPadding);
  codes_.reserve(n_listed);
  for (std::size_t t = 0; t < index.n_terms(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    if (index.df(static_cast<TermId>(t)) >= least) add_term(scorer, static_cast<TermId>(t));
  }
  places_.resize(places_.size() + kernels::kEntryPadding, 0);
}

void ImpactIndex::add_term(const Scorer& scorer, TermId id) {
  const Postings postings = scorer.index().postings(id);
  QueryTerm unit = scorer.weigh(std::span(&id, 1)).front();
  unit.weight = 1.0;
  std::vector<double> sides(postings.size());
  scorer.contributions(unit, postings, sides.data());
  if (*std::ranges::min_element(sides) < 0.0) return;  // codes are of sides from 0 up: this term stays a rare one
  ImpactTerm term;
  term.step = step_for(*std::ranges::max_element(sides));
  std::vector<std::uint8_t> codes(sides.size());
  std::ranges::transform(sides, codes.begin(), [&](double side) { return code_of(side, term.step); });
  term.kth_codes = kth_codes(codes);
  term.windows = window_starts_.size();
  std::size_t posting = 0;
  for (std::size_t w = 0; w <= n_windows_; ++w) {
    while (posting < postings.size() && postings.docs[posting] >> kWindowBits < w) ++posting;
    window_starts_.push_back(static_cast<std::uint32_t>(posting));
  }
  if (postings.size() * kColumnShare > scorer.index().n_docs()) {
    add_column(postings, codes, term);
  } else {
    add_list(postings, codes, term);
  }
  numbers_[static_cast<std::size_t>(id)] = static_cast<std::uint32_t>(terms_.size());
  terms_.push_back(term);
}

void ImpactIndex::add_list(const Postings& postings, std::span<const std::uint8_t> codes, ImpactTerm& term) {
  term.form = ImpactForm::kList;
  term.first = places_.size();
  for (std::size_t i = 0; i < postings.size(); ++i) {
    places_.push_back(PlaceAndTf::pack(postings.docs[i] % kWindow, postings.tfs[i]));
  }
  codes_.insert(codes_.end(), codes.begin(), codes.end());
  if (postings.size() * kBlockShare >= n_padded_docs_) add_blocks(postings, term);
}

void ImpactIndex::add_blocks(const Postings& postings, ImpactTerm& term) {
  term.blocks = block_starts_.size();
  for (std::size_t w = 0; w < n_windows_; ++w) {
    const std::size_t first = window_starts_[term.windows + w], end = window_starts_[term.windows + w + 1];
    std::size_t posting = first;
    for (std::size_t block = 0; block <= kBlocks; ++block) {
      const std::size_t first_doc = (w << kWindowBits) + (block << kernels::kBlockBits);
      while (posting < end && postings.docs[posting] < first_doc) ++posting;
      block_starts_.push_back(static_cast<std::uint16_t>(posting - first));
    }
  }
}

void ImpactIndex::add_column(const Postings& postings, std::span<const std::uint8_t> codes, ImpactTerm& term) {
  term.form = ImpactForm::kColumn;
  term.first = columns_.size();
  columns_.resize(columns_.size() + n_windows_ * kWindow, 0);
  column_tfs_.resize(columns_.size(), 0);
  for (std::size_t i = 0; i < postings.size(); ++i) {
    columns_[term.first + postings.docs[i]] = codes[i];
    column_tfs_[term.first + postings.docs[i]] =
        static_cast<std::uint8_t>(std::min<std::uint32_t>(postings.tfs[i], kManyTimes));
  }
}

void ImpactIndex::prefetch(std::span<const TermId> query) const noexcept {
  constexpr std::size_t kLine = 64;
  for (const TermId id : query) {
    if (id == kUnknownTerm || term(id).form != ImpactForm::kList) continue;
    const ImpactTerm& list = term(id);
    __builtin_prefetch(&window_starts_[list.windows]);
    const auto* first_places = reinterpret_cast<const char*>(entries(list));
    for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(first_places + line * kLine);
    for (std::size_t line = 0; line < 2; ++line) __builtin_prefetch(codes(list) + line * kLine);
  }
}

std::size_t ImpactIndex::n_bytes() const noexcept {
  return numbers_.size() * sizeof(std::uint32_t) + terms_.size() * sizeof(ImpactTerm) +
         window_starts_.size() * sizeof(std::uint32_t) + block_starts_.size() * sizeof(std::uint16_t) +
         places_.size() * sizeof(std::uint16_t) + codes_.size() + columns_.size() + column_tfs_.size();
}

}  // namespace twotower
