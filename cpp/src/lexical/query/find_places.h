// Where places stand in sorted lists: many at once, because one search alone waits for its own loads.
//
// Both functions give the number of the last entry that is not above the wanted place, or 0 if none is, in O(log n)
// without a branch on the data. REQUIRE lists of at least one entry, ascending (ImpactIndex::entries).
#pragma once

#include <cstddef>
#include <cstdint>

#include "lexical/impact_index.h"

namespace twotower {

inline constexpr std::size_t kSearches = 8;  ///< made in step, so that their loads overlap

/// The greatest entry that a posting at `place` can have.
inline std::uint32_t last_entry(std::uint32_t place) noexcept {
  return place << PlaceAndTf::kTfBits | PlaceAndTf::kTfMask;
}

/// Eight places in one list.
inline void find_places(const std::uint16_t* list, std::size_t n, const std::uint32_t (&places)[kSearches],
                        std::uint32_t (&found)[kSearches]) noexcept {
  std::uint32_t last[kSearches];
  for (std::size_t i = 0; i < kSearches; ++i) last[i] = last_entry(places[i]);
  for (std::uint32_t& at : found) at = 0;
  for (auto rest = static_cast<std::uint32_t>(n); rest > 1;) {
    const std::uint32_t half = rest / 2;
    for (std::size_t i = 0; i < kSearches; ++i) found[i] += list[found[i] + half] <= last[i] ? half : 0;
    rest -= half;
  }
}

/// One search of find_places_apart.
struct PlaceSearch {
  const std::uint16_t* list;
  std::uint32_t n;
  std::uint32_t place;
};

/// Eight places in a list each.
inline void find_places_apart(const PlaceSearch (&searches)[kSearches], std::uint32_t (&found)[kSearches]) noexcept {
  std::uint32_t rest[kSearches], longest = 1;
  for (std::size_t i = 0; i < kSearches; ++i) {
    found[i] = 0;
    rest[i] = searches[i].n;
    longest = longest < rest[i] ? rest[i] : longest;
  }
  for (; longest > 1; longest -= longest / 2) {
    for (std::size_t i = 0; i < kSearches; ++i) {
      const std::uint32_t half = rest[i] / 2;
      found[i] += searches[i].list[found[i] + half] <= last_entry(searches[i].place) ? half : 0;
      rest[i] -= half;
    }
  }
}

}  // namespace twotower
