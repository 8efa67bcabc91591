// Where things lie in a tile of documents times queries: chunks of rows in shared memory, parts of warps, and the
// sums that a lane owns. Index arithmetic alone.
//
// Legend: granule 16 bytes, the unit of copies; chunk 128 bytes of a row, what is in shared memory at once.
#pragma once

#include <cstdint>

#include "cuda/qualifiers.h"

namespace twotower::cuda {

inline constexpr int kLanes = 32;
inline constexpr int kTileDocs = 128;
inline constexpr int kChunkBytes = 128;
inline constexpr int kGranuleBytes = 16;
inline constexpr int kGranules = kChunkBytes / kGranuleBytes;
inline constexpr int kStepBytes = 32;  ///< of a row that one matrix instruction takes
inline constexpr int kSteps = kChunkBytes / kStepBytes;

/// Where a granule of a row lies in a tile of chunks. Eight rows in a row put the same granule into eight different
/// groups of banks; this is also the 128-byte swizzle that wgmma's matrix descriptors know.
TWOTOWER_BOTH constexpr std::uint32_t swizzled(std::uint32_t row, std::uint32_t granule) {
  return row * kChunkBytes + ((granule ^ (row & 7u)) * kGranuleBytes);
}

/// What wgmma reads a matrix by whose rows are chunks at `address` of shared memory (PTX ISA, "Matrix Descriptor
/// Format"): the start in units of 16 bytes, 1024 bytes from eight rows to the next eight, 128-byte swizzle. The
/// distance in bits 16 to 29 means nothing with this swizzle. REQUIRES tiles that begin at multiples of 1024.
TWOTOWER_BOTH constexpr std::uint64_t matrix_descriptor(std::uint32_t address) {
  return std::uint64_t{(address & 0x3FFFFu) >> 4} | std::uint64_t{1} << 16 | std::uint64_t{1024 >> 4} << 32 |
         std::uint64_t{1} << 62;
}

/// kTileDocs documents times Q queries, cut into parts of warps. A lane owns sums [i][j][e]: of documents
/// 16 i + lane / 4 (+ 8 for e >= 2) and queries 8 j + 2 (lane % 4) + e % 2 of its warp's part, as the accumulators of
/// mma.m16n8 and wgmma.m64 do (PTX ISA, "Matrix Fragments for mma.m16n8k16", "Register Fragments for wgmma").
template <int kQueries_, int kWarpDocs_, int kWarpQueries_, int kStages_, int kListed_>
struct TileShape {
  static constexpr int kQueries = kQueries_;
  static constexpr int kWarpDocs = kWarpDocs_;
  static constexpr int kWarpQueries = kWarpQueries_;
  static constexpr int kStages = kStages_;  ///< chunks of the tile that are in shared memory at once
  static constexpr int kListed = kListed_;  ///< survivors of a tile that shared memory has room for
  static constexpr int kWarpsAcross = kQueries / kWarpQueries;
  static constexpr int kWarps = kTileDocs / kWarpDocs * kWarpsAcross;
  static constexpr int kThreads = kWarps * kLanes;
  static constexpr int kDocParts = kWarpDocs / 16;
  static constexpr int kQueryParts = kWarpQueries / 8;
  static constexpr int kRows = kTileDocs + kQueries;
  static constexpr int kStageBytes = kRows * kChunkBytes;
  /// Behind the stages: a cut and a unit a query, two lists of survivors (place and number), their lengths.
  static constexpr int kSharedBytes = kStages * kStageBytes + 2 * 4 * kQueries + 2 * 8 * kListed + 2 * 4;
  static_assert(kThreads % (8 * kGranules) == 0, "the threads copy whole groups of eight rows at once");

  static TWOTOWER_BOTH constexpr int warp_doc(int warp) { return warp / kWarpsAcross * kWarpDocs; }
  static TWOTOWER_BOTH constexpr int warp_query(int warp) { return warp % kWarpsAcross * kWarpQueries; }
  static TWOTOWER_BOTH constexpr int doc(int thread, int i, int e) {
    return warp_doc(thread / kLanes) + 16 * i + thread % kLanes / 4 + e / 2 * 8;
  }
  static TWOTOWER_BOTH constexpr int query(int thread, int j, int e) {
    return warp_query(thread / kLanes) + 8 * j + thread % 4 * 2 + e % 2;
  }
};

using NarrowTile = TileShape<8, 16, 8, 3, 96>;
using MiddleTile = TileShape<64, 32, 32, 3, 96>;
using WideTile = TileShape<128, 64, 32, 3, 96>;
// Of wgmma, four warps in a row own 64 documents. The fewer queries, the more chunks have to be on their way.
using NarrowGroupTile = TileShape<64, 16, 64, 8, 1024>;
using MiddleGroupTile = TileShape<128, 16, 128, 6, 1024>;
using WideGroupTile = TileShape<256, 16, 256, 4, 1024>;

/// The sums of one thread.
template <class Sum, class Shape>
struct Sums {
  Sum at[Shape::kDocParts][Shape::kQueryParts][4];
};

/// Tiles of a window in an order that spreads any range of positions over all of it, so that a range is a sample.
struct TileOrder {
  std::uint32_t n_tiles = 0;
  std::uint32_t step = 1;  ///< has no divisor in common with n_tiles

  TWOTOWER_BOTH std::uint32_t tile(std::uint32_t position) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(position) * step % n_tiles);
  }
};

}  // namespace twotower::cuda
