// The slots of a query after a range, cut down to what may still be among the best, and the threshold that follows: one
// block a query. Where more was offered than there are slots, nothing of the range is taken, the threshold is raised by
// what was stored, and the range is told to be repeated.
#pragma once

#include <cstdint>

#include "cuda/kth_largest.h"
#include "cuda/window.h"

namespace twotower::cuda {

struct ReduceFound {
  static constexpr int kThreads = 512;  // a sample of one query has thousands of slots
  static constexpr int kMinBlocks = 2;
  static constexpr std::uint32_t kHeld = 8192;  ///< lower ends that shared memory has room for
  static constexpr std::uint32_t kSharedBytes = sizeof(SelectRoom) + 16 + 4 * kHeld;

  Window window;
  Queries queries;
  Found found;
  Range range;
  std::uint32_t n_direct;  ///< slots of a direct range

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x(), before = found.kept[q];
    const bool wanted = range.wanted == nullptr || range.wanted[q] != 0;
    const std::uint32_t offered = !wanted ? before : range.direct ? n_direct : found.counts[q];
    const bool missed = offered > found.capacity;
    block.phase([&](int t) {  // all have read before one writes
      if (t == 0) tell(block, q, missed);
    });
    if (offered == before) return;  // of the whole block
    const std::uint32_t n = missed ? found.capacity : offered;
    const float limit = n >= found.k ? limit_of(block, q, n) : -infinity();
    const std::uint32_t kept = compact(block, q, missed ? before : n, limit);
    block.each([&](int t) {
      if (t != 0) return;
      found.counts[q] = found.kept[q] = kept;
      if (limit > found.thresholds[q]) found.thresholds[q] = limit;
    });
  }

 private:
  struct Slot {
    std::uint32_t doc;
    float mid;
    bool stays;
  };

  template <class Block>
  TWOTOWER_DEVICE void tell(Block& block, std::uint32_t q, bool missed) const {
    range.missed[q] = missed ? 1 : 0;
    if (missed) block.least(found.lost, 0u);
  }

  TWOTOWER_DEVICE std::uint64_t slot(std::uint32_t q, std::uint32_t i) const {
    return static_cast<std::uint64_t>(q) * found.capacity + i;
  }

  // What follows from the k-th largest lower end of n slots.
  template <class Block>
  TWOTOWER_DEVICE float limit_of(Block& block, std::uint32_t q, std::uint32_t n) const {
    auto& room = *reinterpret_cast<SelectRoom*>(block.shared());
    auto* held = reinterpret_cast<std::uint32_t*>(block.shared() + sizeof(SelectRoom) + 16);
    block.phase([&](int t) {
      TWOTOWER_UNROLL_BY_4
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n && i < kHeld; i += kThreads)
        held[i] = order_of(low(q, i));
    });
    const std::uint64_t key = kth_largest<kThreads, 4>(block, room, n, found.k, [&](std::uint32_t i) {
      return static_cast<std::uint64_t>(i < kHeld ? held[i] : order_of(low(q, i))) << 32;
    });
    return below_all(queries.limits[q], window.metric, score_of(key));
  }

  // A number below all where there is no document, or no bound.
  TWOTOWER_DEVICE float low(std::uint32_t q, std::uint32_t i) const {
    const std::uint32_t doc = found.docs[slot(q, i)];
    if (doc == kNoDoc) return -infinity();
    const float reach = queries.limits[q].factor * window.norm[doc];
    const float value = lower_end(found.mids[slot(q, i)], reach, window.offset[doc]);
    return value == value ? value : -infinity();
  }

  // Moves the slots below n that stay to the front, as many at once as there are threads: what is written was read
  // before. Returns their number.
  template <class Block>
  TWOTOWER_DEVICE std::uint32_t compact(Block& block, std::uint32_t q, std::uint32_t n, float limit) const {
    auto* n_kept = reinterpret_cast<std::uint32_t*>(block.shared() + sizeof(SelectRoom));
    typename Block::template PerThread<Slot> looked;
    block.phase([&](int t) {
      if (t == 0) *n_kept = 0;
    });
    for (std::uint32_t first = 0; first < n; first += kThreads) {
      block.phase([&](int t) { looked[t] = look(q, first + static_cast<std::uint32_t>(t), n, limit); });
      block.phase([&](int t) {
        if (!looked[t].stays) return;
        const std::uint64_t to = slot(q, block.add(n_kept, 1u));
        found.docs[to] = looked[t].doc;
        found.mids[to] = looked[t].mid;
      });
    }
    typename Block::template PerThread<std::uint32_t> kept;
    block.phase([&](int t) { kept[t] = *n_kept; });
    return block.uniform(kept);
  }

  TWOTOWER_DEVICE Slot look(std::uint32_t q, std::uint32_t i, std::uint32_t n, float limit) const {
    if (i >= n) return {kNoDoc, 0.0f, false};
    Slot found_there{found.docs[slot(q, i)], found.mids[slot(q, i)], false};
    if (found_there.doc == kNoDoc) return found_there;
    found_there.stays = !(found_there.mid + queries.limits[q].factor * window.norm[found_there.doc] <= limit);
    return found_there;
  }
};

}  // namespace twotower::cuda
