// Where sorted numbers stand in a sorted list: many at once, because one search alone waits for its own loads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower {

inline constexpr std::size_t kSearches = 8;  ///< made in step, so that their loads overlap

/// found[i] = the number of the last entry of places[0, n) that is <= wanted[i], or 0 if none is.
/// O(log n) without a branch on the data. REQUIRES n >= 1, ascending places.
inline void find_places(const std::uint16_t* places, std::size_t n, const std::uint32_t (&wanted)[kSearches],
                        std::uint32_t (&found)[kSearches]) noexcept {
  for (std::uint32_t& at : found) at = 0;
  for (auto rest = static_cast<std::uint32_t>(n); rest > 1;) {
    const std::uint32_t half = rest / 2;
    for (std::size_t i = 0; i < kSearches; ++i) found[i] += places[found[i] + half] <= wanted[i] ? half : 0;
    rest -= half;
  }
}

}  // namespace twotower
