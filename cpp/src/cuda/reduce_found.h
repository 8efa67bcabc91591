// What a range offered, cut down to what may still be among the best: one block a query. Where more was offered than
// there is room for, nothing is taken, the threshold is raised by what was stored, and the range is told to be
// repeated.
#pragma once

#include <cstdint>

#include "cuda/kth_largest.h"
#include "cuda/window.h"

namespace twotower::cuda {

struct ReduceFound {
  static constexpr int kThreads = 512;  // a sample of one query has thousands of slots
  static constexpr int kMinBlocks = 2;
  static constexpr std::uint32_t kSharedBytes = sizeof(SelectRoom) + 16;

  Window window;
  Queries queries;
  Found found;
  Range range;
  std::uint32_t n_direct;  ///< slots of a direct range

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x();
    auto& room = *reinterpret_cast<SelectRoom*>(block.shared());
    auto* n_kept = reinterpret_cast<std::uint32_t*>(block.shared() + sizeof(SelectRoom));
    const bool wanted = range.wanted == nullptr || range.wanted[q] != 0;
    const std::uint32_t offered = !wanted ? 0 : range.direct ? n_direct : found.counts[q];
    const bool missed = offered > found.capacity;
    const std::uint32_t n = missed ? found.capacity : offered;
    float limit = -infinity();
    if (n >= found.k) {
      const std::uint64_t key = kth_largest<kThreads, 4>(block, room, n, found.k, [&](std::uint32_t i) {
        return static_cast<std::uint64_t>(order_of(low(q, i))) << 32;
      });
      limit = below_all(queries.limits[q], window.metric, score_of(key));
    }
    block.phase([&](int t) {
      if (t == 0) *n_kept = 0;
    });
    block.phase([&](int t) {
      for (std::uint32_t i = static_cast<std::uint32_t>(t); !missed && i < n; i += kThreads)
        keep(block, q, i, limit, n_kept);
    });
    block.each([&](int t) {
      if (t != 0) return;
      found.n_new[q] = *n_kept;
      found.counts[q] = 0;
      if (range.missed != nullptr) range.missed[q] = missed ? 1 : 0;
      if (missed) block.add(range.any_missed, 1u);
      if (missed && limit > found.thresholds[q]) found.thresholds[q] = limit;
    });
  }

 private:
  TWOTOWER_DEVICE std::uint64_t slot(std::uint32_t q, std::uint32_t i) const {
    return static_cast<std::uint64_t>(q) * found.capacity + i;
  }

  // A number below all where there is no document, or no bound.
  TWOTOWER_DEVICE float low(std::uint32_t q, std::uint32_t i) const {
    const std::uint32_t doc = found.docs[slot(q, i)];
    if (doc == kNoDoc) return -infinity();
    const float reach = queries.limits[q].factor * window.norm[doc];
    const float value = lower_end(found.mids[slot(q, i)], reach, window.offset[doc]);
    return value == value ? value : -infinity();
  }

  template <class Block>
  TWOTOWER_DEVICE void keep(Block& block, std::uint32_t q, std::uint32_t i, float limit, std::uint32_t* n_kept) const {
    const std::uint32_t doc = found.docs[slot(q, i)];
    if (doc == kNoDoc) return;
    if (found.mids[slot(q, i)] + queries.limits[q].factor * window.norm[doc] <= limit) return;
    const std::uint64_t to = static_cast<std::uint64_t>(q) * found.room + found.k + block.add(n_kept, 1u);
    found.keys[to] = doc;
  }
};

}  // namespace twotower::cuda
