// How far apart rows are copied, so that the caches keep them.
#pragma once

#include <cstddef>

namespace twotower {

/// Whether rows that begin `stride` bytes apart would share a few lines of the L1 cache: at the same place of many
/// pages.
inline bool collides(std::size_t stride) noexcept { return stride % 2048 == 0; }

/// Bytes from one copied row to the next: whole cache lines, without collisions.
inline std::size_t row_stride(std::size_t bytes) noexcept {
  const std::size_t stride = (bytes + 63) / 64 * 64;
  return collides(stride) ? stride + 64 : stride;
}

}  // namespace twotower
