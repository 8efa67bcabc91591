// Which fused kernel a search takes: by the elements that are stored, and by how wide its tiles are.
#pragma once

#include <cstdint>

#include "cuda/multiply_tile.h"
#include "cuda/scan_tiles.h"
#include "cuda/tile_shape.h"

namespace twotower::cuda {

enum class TileWidth : std::uint8_t { kNarrow, kMiddle, kWide, kGroup };

/// Narrow tiles are bound by memory whatever they multiply; groups of warps have the fastest products of 16 bits.
inline TileWidth tile_width(std::uint32_t n_queries, Storage storage, bool has_groups) {
  if (n_queries <= NarrowTile::kQueries) return TileWidth::kNarrow;
  if (n_queries <= MiddleTile::kQueries) return TileWidth::kMiddle;
  const bool grouped = has_groups && element_bytes(storage) == 2;
  return grouped && n_queries > WideTile::kQueries ? TileWidth::kGroup : TileWidth::kWide;
}

/// Calls launch(kernel) with the warps' kernel of one kind of products.
template <class Kind, class Launch>
void for_warp_scan(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (width == TileWidth::kNarrow) return launch(ScanTiles<WarpMultiply<Kind, NarrowTile>>(arguments));
  if (width == TileWidth::kMiddle) return launch(ScanTiles<WarpMultiply<Kind, MiddleTile>>(arguments));
  launch(ScanTiles<WarpMultiply<Kind, WideTile>>(arguments));
}

template <class Launch>
void for_lane_scan(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (width == TileWidth::kNarrow) return launch(ScanTiles<LaneMultiply<NarrowTile>>(arguments));
  if (width == TileWidth::kMiddle) return launch(ScanTiles<LaneMultiply<MiddleTile>>(arguments));
  launch(ScanTiles<LaneMultiply<WideTile>>(arguments));
}

/// REQUIRES elements of 16 bits.
template <class Launch>
void for_group_scan(const ScanArguments& arguments, Launch&& launch) {
  if (arguments.window.storage == Storage::kBfloat16) {
    return launch(ScanTiles<GroupMultiply<Bfloat16Products, GroupTile>>(arguments));
  }
  launch(ScanTiles<GroupMultiply<Float16Products, GroupTile>>(arguments));
}

/// Any of them: for a machine whose kernels are all in one place.
template <class Launch>
void for_scan(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (width == TileWidth::kGroup) return for_group_scan(arguments, launch);
  switch (arguments.window.storage) {
    case Storage::kBfloat16:
      return for_warp_scan<Bfloat16Products>(arguments, width, launch);
    case Storage::kFloat16:
      return for_warp_scan<Float16Products>(arguments, width, launch);
    case Storage::kInt8:
      return for_warp_scan<Int8Products>(arguments, width, launch);
    case Storage::kFloat32:
      return for_lane_scan(arguments, width, launch);
  }
}

}  // namespace twotower::cuda
