// How often a term is kept as a word of a text, and drawn as a negative one. Knows no vector.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "word2vec/chance.h"

namespace twotower {

/// The chance that an occurrence is kept: min(1, sqrt(t / f) + t / f) for a term that is a share f of all words
/// (Mikolov et al. 2013b, section 2.3, as their program has it); 1 for all terms where t is 0.
class Subsampling {
 public:
  Subsampling(std::span<const std::uint64_t> counts, double t);

  /// Draws only for terms that may be left out.
  bool keeps(std::int32_t term, Chance& chance) const {
    const std::uint64_t limit = limits_[static_cast<std::size_t>(term)];
    return limit == kAlways || chance.next() >> 32 < limit;
  }

 private:
  static constexpr std::uint64_t kAlways = std::uint64_t{1} << 32;
  std::vector<std::uint64_t> limits_;  // chance times 2^32
};

/// Draws terms with chances proportional to count^power by the alias method (Walker 1977; Vose 1991): one draw and one
/// place in memory, whatever the number of terms.
class NegativeTerms {
 public:
  /// REQUIRES some count above 0.
  NegativeTerms(std::span<const std::uint64_t> counts, double power);

  std::uint32_t draw(Chance& chance) const {
    const std::uint64_t drawn = chance.next();
    const std::uint32_t place = Chance::below(drawn, static_cast<std::uint32_t>(places_.size()));
    return static_cast<std::uint32_t>(drawn) < places_[place].limit ? place : places_[place].other;
  }

 private:
  struct Place {
    std::uint32_t limit;  // of 2^32, this term itself
    std::uint32_t other;  // else this one
  };
  std::vector<Place> places_;
};

}  // namespace twotower
