// How a search is cut: room for survivors, ranges of tiles, tiles of queries. Numbers alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "cuda/tile_shape.h"

namespace twotower::cuda {

inline constexpr std::uint32_t kLeastCapacity = 8192;
inline constexpr std::uint32_t kCapacityOfHit = 16;     ///< slots for each wanted hit
inline constexpr std::uint32_t kExpectedShare = 4;      ///< a range may be expected to fill this part of the slots
inline constexpr std::uint32_t kGrowthOfMany = 4;       ///< of ranges, where each survivor costs time of matrix units
inline constexpr std::uint32_t kMaxTileQueries = 4096;  ///< queries that share a pass

inline std::uint32_t n_tiles(std::uint64_t n_docs) {
  return static_cast<std::uint32_t>((n_docs + kTileDocs - 1) / kTileDocs);
}

/// Slots of a query, whole tiles, enough for k documents at once; `wanted` (0: none) overrides the usual number.
inline std::uint32_t capacity_for(std::uint64_t n_docs, std::uint64_t k, std::uint32_t wanted) {
  std::uint64_t slots = wanted != 0 ? wanted : std::max<std::uint64_t>(kLeastCapacity, kCapacityOfHit * k);
  slots = std::min(std::max(slots, k), std::max<std::uint64_t>(n_docs, 1));
  const std::uint64_t most = 0xFFFFFFFFu / kTileDocs * kTileDocs;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>((slots + kTileDocs - 1) / kTileDocs * kTileDocs, most));
}

/// Tiles of the next range, when `seen` documents were searched. The first is a sample, as many as have slots; then k /
/// seen of those to come are expected to reach the threshold. Few queries have time for survivors, `many` for one more
/// range.
inline std::uint32_t range_tiles(std::uint64_t seen, std::uint32_t left, std::uint32_t capacity, std::uint64_t k,
                                 bool many) {
  const std::uint64_t fits = std::max<std::uint64_t>(1, capacity / (kExpectedShare * k));
  const std::uint64_t growth = many ? std::min<std::uint64_t>(fits, kGrowthOfMany) : fits;
  const std::uint64_t sample = many ? capacity / kExpectedShare : capacity;
  const std::uint64_t docs = seen == 0 ? sample : seen * growth;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(docs / kTileDocs, 1, left));
}

/// Positions a golden section apart, so that any range of them is spread evenly.
inline TileOrder tile_order(std::uint32_t n) {
  auto step = static_cast<std::uint32_t>(std::max(1.0, 0.6180339887498949 * n));
  while (std::gcd(step, n) != 1) ++step;
  return {n, step};
}

inline std::uint32_t power_of_two(std::uint32_t n) {
  std::uint32_t power = 1;
  while (power < n) power *= 2;
  return power;
}

}  // namespace twotower::cuda
