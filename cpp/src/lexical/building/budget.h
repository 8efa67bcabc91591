// How a memory limit is shared out between what a build holds. Knows numbers only.
#pragma once

#include <algorithm>
#include <cstddef>

namespace twotower::build {

/// Bytes for each term id of a block while it is inverted: the id, its posting twice, and growth.
inline constexpr std::size_t kBytesPerId = 20;
inline constexpr std::size_t kMaxBlockIds = std::size_t{1} << 21;  ///< fits caches and is long enough to be worth it
inline constexpr std::size_t kMinBlockIds = std::size_t{1} << 12;  ///< below it a limit is refused

/// What is left of a limit after the tables that grow with documents and terms.
class Budget {
 public:
  /// limit 0: no limit.
  Budget(std::size_t limit, std::size_t workers) noexcept : limit_(limit), workers_(workers) {}

  bool limited() const noexcept { return limit_ != 0; }

  /// The least limit that works with tables of so many bytes.
  std::size_t least(std::size_t tables) const noexcept { return tables + 2 * workers_ * kBytesPerId * kMinBlockIds; }

  /// Term ids of a block: half of what is left goes to the blocks that are being inverted, one for each worker.
  std::size_t block_ids(std::size_t tables) const noexcept {
    if (!limited()) return kMaxBlockIds;
    return std::clamp(left(tables) / 2 / (workers_ * kBytesPerId), kMinBlockIds, kMaxBlockIds);
  }

  /// Bytes of blocks that may wait in memory.
  std::size_t waiting_bytes(std::size_t tables) const noexcept {
    if (!limited()) return ~std::size_t{0};
    return left(tables + workers_ * kBytesPerId * block_ids(tables));
  }

 private:
  std::size_t left(std::size_t taken) const noexcept { return taken < limit_ ? limit_ - taken : 0; }

  std::size_t limit_;
  std::size_t workers_;
};

}  // namespace twotower::build
