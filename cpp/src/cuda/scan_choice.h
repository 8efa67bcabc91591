// Which fused kernel a search takes: by the elements that are stored, and by how wide its tiles are.
#pragma once

#include <cstdint>

#include "cuda/multiply_tile.h"
#include "cuda/scan_tiles.h"
#include "cuda/tile_shape.h"

namespace twotower::cuda {

enum class TileWidth : std::uint8_t { kNarrow, kMiddle, kWide, kNarrowGroup, kMiddleGroup, kWideGroup };

/// Narrow tiles are bound by memory whatever they multiply; groups of warps have the fastest products of 16 bits.
inline TileWidth tile_width(std::uint32_t n_queries, Storage storage, bool has_groups) {
  const bool grouped = has_groups && element_bytes(storage) == 2;
  if (n_queries <= NarrowTile::kQueries) return TileWidth::kNarrow;
  if (n_queries <= MiddleTile::kQueries) return grouped ? TileWidth::kNarrowGroup : TileWidth::kMiddle;
  if (n_queries <= WideTile::kQueries) return grouped ? TileWidth::kMiddleGroup : TileWidth::kWide;
  return grouped ? TileWidth::kWideGroup : TileWidth::kWide;
}

/// Queries of a tile.
inline std::uint32_t tile_queries(TileWidth width) {
  switch (width) {
    case TileWidth::kNarrow:
      return NarrowTile::kQueries;
    case TileWidth::kMiddle:
    case TileWidth::kNarrowGroup:
      return MiddleTile::kQueries;
    case TileWidth::kWide:
    case TileWidth::kMiddleGroup:
      return WideTile::kQueries;
    default:
      return WideGroupTile::kQueries;
  }
}
static_assert(NarrowGroupTile::kQueries == MiddleTile::kQueries && MiddleGroupTile::kQueries == WideTile::kQueries);

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

template <class Kind, class Launch>
void for_group_scan_of(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (width == TileWidth::kNarrowGroup) return launch(ScanTiles<GroupMultiply<Kind, NarrowGroupTile>>(arguments));
  if (width == TileWidth::kMiddleGroup) return launch(ScanTiles<GroupMultiply<Kind, MiddleGroupTile>>(arguments));
  launch(ScanTiles<GroupMultiply<Kind, WideGroupTile>>(arguments));
}

inline bool is_group(TileWidth width) { return width >= TileWidth::kNarrowGroup; }

/// REQUIRES is_group(width) and elements of 16 bits.
template <class Launch>
void for_group_scan(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (arguments.window.storage == Storage::kBfloat16) {
    return for_group_scan_of<Bfloat16Products>(arguments, width, launch);
  }
  for_group_scan_of<Float16Products>(arguments, width, launch);
}

/// Any of them: for a machine whose kernels are all in one place.
template <class Launch>
void for_scan(const ScanArguments& arguments, TileWidth width, Launch&& launch) {
  if (is_group(width)) return for_group_scan(arguments, width, launch);
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
