// The best k of the best so far and of what was scored from the slots, which are empty then, and the threshold that
// follows: one block a query. No order yet.
#pragma once

#include <cstdint>

#include "cuda/kth_largest.h"
#include "cuda/window.h"

namespace twotower::cuda {

struct MergeBest {
  static constexpr int kThreads = 256;
  static constexpr int kMinBlocks = 2;
  static constexpr std::uint32_t kSharedBytes = sizeof(SelectRoom) + 16;

  Window window;
  Queries queries;
  Found found;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x(), n_best = found.n_best[q], n_new = found.counts[q];
    if (n_new == 0) return;  // of the whole block
    auto& room = *reinterpret_cast<SelectRoom*>(block.shared());
    auto* n_free = reinterpret_cast<std::uint32_t*>(block.shared() + sizeof(SelectRoom));
    std::uint64_t* best = found.keys + static_cast<std::uint64_t>(q) * found.room;
    const std::uint64_t* fresh = best + found.k;
    const std::uint32_t n = n_best + n_new;
    std::uint64_t least = 0;
    if (n >= found.k) {
      least = kth_largest<kThreads, 8>(block, room, n, found.k,
                                       [&](std::uint32_t i) { return i < n_best ? best[i] : fresh[i - n_best]; });
    }
    replace(block, q, best, n_best, n_new, least, n_free);
    block.each([&](int t) {
      if (t != 0) return;
      found.n_best[q] = n < found.k ? n : found.k;
      found.counts[q] = found.kept[q] = 0;
      if (n < found.k) return;
      // One step below the k-th best score: a document of an earlier place in the order may equal it.
      const float threshold = fast_threshold(queries.limits[q], window.metric, window.dim, next_down(score_of(least)));
      if (threshold > found.thresholds[q]) found.thresholds[q] = threshold;
    });
  }

 private:
  // Places whose keys are below `least`, or empty, take the new keys that are not. There are as many of these as of
  // those at most. The list of places lies in the slots.
  template <class Block>
  TWOTOWER_DEVICE void replace(Block& block, std::uint32_t q, std::uint64_t* best, std::uint32_t n_best,
                               std::uint32_t n_new, std::uint64_t least, std::uint32_t* n_free) const {
    std::uint32_t* places = found.docs + static_cast<std::uint64_t>(q) * found.capacity;
    const std::uint64_t* fresh = best + found.k;
    block.phase([&](int t) {
      if (t < 2) n_free[t] = 0;
    });
    // Only the first empty places are needed, and these beyond n_best are taken in any case.
    const std::uint32_t n_places = n_best + n_new < found.k ? n_best + n_new : found.k;
    block.phase([&](int t) {
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n_places; i += kThreads) {
        if (i >= n_best || best[i] < least) places[block.add(&n_free[0], 1u)] = i;
      }
    });
    block.phase([&](int t) {
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n_new; i += kThreads) {
        if (fresh[i] >= least) best[places[block.add(&n_free[1], 1u)]] = fresh[i];
      }
    });
  }
};

}  // namespace twotower::cuda
