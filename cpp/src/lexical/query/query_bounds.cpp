// Chooses the unit of a query and turns codes into values. The names of docs/math.md, section 2: W the weight of a
// term, s its step, U the unit, M the most that sums of values may reach.
#include "lexical/query/query_bounds.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/dispatch.h"

namespace twotower {
namespace {

constexpr double kMost = 65000.0;           // M
constexpr double kUpwards = 1.0 + 0x1p-40;  // exceeds all roundings of float64 on the way
constexpr double kLeastUnit = 0x1p-120;     // so that two units never vanish in float32

constexpr std::array<std::uint8_t, 256> kAllCodes = [] {
  std::array<std::uint8_t, 256> codes{};
  for (std::size_t code = 0; code < codes.size(); ++code) codes[code] = static_cast<std::uint8_t>(code);
  return codes;
}();

std::size_t rank_at_least(std::size_t k) noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(kStoredRanks, k) - kStoredRanks.begin());
}

}  // namespace

void QueryBounds::set(const Scorer& scorer, const ImpactIndex& impacts, std::span<const QueryTerm> query) {
  collect(scorer, impacts, query);
  const double magnitudes = sum_of_magnitudes(scorer, query);
  unit_ = std::max(magnitudes / (kMost - 3.0 * static_cast<double>(terms_.size())), kLeastUnit);
  slack_ = 1.0;
  rare_values_.resize(rare_parts_.size());
  if (tables_.size() < terms_.size()) tables_.resize(terms_.size());
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    if (terms_[t].impacts->form == ImpactForm::kRare) {
      set_rare(t);
    } else {
      set_kept(t);
    }
  }
  error_ = static_cast<std::uint32_t>(std::ceil(slack_));
}

void QueryBounds::collect(const Scorer& scorer, const ImpactIndex& impacts, std::span<const QueryTerm> query) {
  terms_.clear();
  occurrences_.clear();
  has_negative_ = false;
  for (const QueryTerm& term : query) {
    const auto known = std::ranges::find(terms_, term.term, &BoundedTerm::id);
    occurrences_.push_back(static_cast<std::uint32_t>(known - terms_.begin()));
    has_negative_ |= term.weight < 0.0;
    if (known != terms_.end()) {
      known->weight += term.weight;
      ++known->times;
    } else {
      terms_.push_back(
          {term.term, &impacts.term(term.term), scorer.index().postings(term.term), term.weight, 1, 0, 0, 0});
    }
  }
}

double QueryBounds::sum_of_magnitudes(const Scorer& scorer, std::span<const QueryTerm> query) {
  rare_parts_.clear();
  double sum = 0.0;
  for (BoundedTerm& term : terms_) {
    if (term.impacts->form != ImpactForm::kRare) {
      sum += std::abs(term.weight) * 255.0 * term.impacts->step;
      continue;
    }
    term.rare_values = rare_parts_.size();
    rare_parts_.resize(rare_parts_.size() + term.postings.size());
    double* parts = &rare_parts_[term.rare_values];
    scorer.contributions(*std::ranges::find(query, term.id, &QueryTerm::term), term.postings, parts);
    double greatest = 0.0;
    for (std::size_t i = 0; i < term.postings.size(); ++i) {
      parts[i] *= static_cast<double>(term.times);
      greatest = std::max(greatest, std::abs(parts[i]));
    }
    sum += greatest;
  }
  return sum;
}

void QueryBounds::set_kept(std::size_t t) {
  BoundedTerm& term = terms_[t];
  const double in_units = std::abs(term.weight) * term.impacts->step / unit_;  // of one step of the codes
  const bool positive = term.weight > 0.0;
  term.multiplier = positive ? static_cast<std::uint16_t>(256.0 * in_units * kUpwards + 1.0) : std::uint16_t{0};
  tables_[t].fill(0);
  kernels::active().lexical.add_column(tables_[t].data(), kAllCodes.data(), kAllCodes.size(), term.multiplier);
  term.greatest = tables_[t][255];
  slack_ += (positive ? in_units : 255.0 * in_units) + 2.0;
}

void QueryBounds::set_rare(std::size_t t) {
  BoundedTerm& term = terms_[t];
  std::uint16_t greatest = 0;
  double lowest = 0.0;
  for (std::size_t i = 0; i < term.postings.size(); ++i) {
    const double part = rare_parts_[term.rare_values + i];
    const auto value = static_cast<std::uint16_t>(std::max(part, 0.0) / unit_ * kUpwards + 1.0);
    rare_values_[term.rare_values + i] = value;
    greatest = std::max(greatest, value);
    lowest = std::min(lowest, part);
  }
  term.greatest = greatest;
  slack_ += 2.0 - lowest / unit_;
  has_negative_ |= lowest < 0.0;
}

std::uint32_t QueryBounds::least_sum(std::size_t k) {
  if (has_negative_) return 1;  // another term could take from what a document has for sure
  double least = 1.0;
  const std::size_t rank = rank_at_least(k);
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const BoundedTerm& term = terms_[t];
    if (term.impacts->form != ImpactForm::kRare) {
      if (rank == kStoredRanks.size() || term.impacts->kth_codes[rank] == 0) continue;
      least = std::max(least, (term.impacts->kth_codes[rank] - 1) * (term.weight * term.impacts->step / unit_) - 3.0);
    } else if (term.postings.size() >= k) {
      sorted_.assign(rare_values(t), rare_values(t) + term.postings.size());
      const auto kth = sorted_.begin() + static_cast<std::ptrdiff_t>(k - 1);
      std::ranges::nth_element(sorted_, kth, std::greater<>());
      least = std::max(least, static_cast<double>(*kth) - 4.0);
    }
  }
  return static_cast<std::uint32_t>(least);
}

}  // namespace twotower
