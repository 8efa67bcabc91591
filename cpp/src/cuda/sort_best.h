// The best keys in their order, and results written: bitonic sorting networks (Batcher 1968), in shared memory where a
// query's keys fit, else one pass over memory a step.
#pragma once

#include <cstdint>

#include "cuda/window.h"

namespace twotower::cuda {

inline constexpr std::uint32_t kSortedInBlock = 4096;

/// Whether places i < partner must change, so that keys descend in the end; `size` doubles up to the number of keys.
TWOTOWER_BOTH bool out_of_order(std::uint64_t first, std::uint64_t second, std::uint32_t i, std::uint32_t size) {
  return (i & size) == 0 ? first < second : first > second;
}

/// Where scores and DocIds [Q, width] go, padded with -infinity and -1.
struct Results {
  std::uint32_t width;  ///< K as it was asked, of which `Found::k` can be there
  float* scores;
  std::int64_t* docs;

  /// Place `i` of a query that found `n_best`; its key is read if it is there.
  template <class KeyAt>
  TWOTOWER_DEVICE void write(std::uint32_t q, std::uint32_t i, std::uint32_t n_best, KeyAt key_at) const {
    const std::uint64_t at = static_cast<std::uint64_t>(q) * width + i;
    const bool there = i < n_best;
    const std::uint64_t key = there ? key_at(i) : 0;
    scores[at] = there ? score_of(key) : -infinity();
    docs[at] = there ? static_cast<std::int64_t>(doc_of(key)) : -1;
  }
};

/// Sorts places [0, n) of each query and writes them, n a power of two of at most kSortedInBlock.
struct SortInBlock {
  static constexpr int kThreads = 256;
  static constexpr int kMinBlocks = 2;
  static constexpr std::uint32_t kSharedBytes = kSortedInBlock * 8;

  Found found;
  std::uint32_t n;
  Results results;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    auto* keys = reinterpret_cast<std::uint64_t*>(block.shared());
    const std::uint64_t* of_query = found.keys + static_cast<std::uint64_t>(block.x()) * found.room;
    const std::uint32_t n_best = found.n_best[block.x()];
    block.phase([&](int t) {
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n; i += kThreads)
        keys[i] = i < n_best ? of_query[i] : 0;
    });
    for (std::uint32_t size = 2; size <= n; size *= 2) {
      for (std::uint32_t stride = size / 2; stride > 0; stride /= 2) {
        block.phase([&](int t) {
          for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n; i += kThreads) step(keys, i, size, stride);
        });
      }
    }
    block.each([&](int t) {
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < results.width; i += kThreads) {
        results.write(block.x(), i, n_best, [&](std::uint32_t place) { return keys[place]; });
      }
    });
  }

  static TWOTOWER_DEVICE void step(std::uint64_t* keys, std::uint32_t i, std::uint32_t size, std::uint32_t stride) {
    const std::uint32_t partner = i ^ stride;
    if (partner < i) return;
    const std::uint64_t first = keys[i], second = keys[partner];
    if (out_of_order(first, second, i, size)) {
      keys[i] = second;
      keys[partner] = first;
    }
  }
};

/// Empties places [n_best, n) of each query; one thread a place.
struct PadKeys {
  static constexpr int kThreads = 256;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = 0;

  Found found;
  std::uint32_t n;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t of_query = (n + kThreads - 1) / kThreads, q = block.x() / of_query;
    block.each([&](int t) {
      const std::uint32_t i = block.x() % of_query * kThreads + static_cast<std::uint32_t>(t);
      if (i < n && i >= found.n_best[q]) found.keys[static_cast<std::uint64_t>(q) * found.room + i] = 0;
    });
  }
};

/// One step of the network over places [0, n) of each query; one thread a place.
struct SortStep {
  static constexpr int kThreads = 256;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = 0;

  Found found;
  std::uint32_t n, size, stride;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t of_query = (n + kThreads - 1) / kThreads, q = block.x() / of_query;
    block.each([&](int t) {
      const std::uint32_t i = block.x() % of_query * kThreads + static_cast<std::uint32_t>(t);
      if (i < n) SortInBlock::step(found.keys + static_cast<std::uint64_t>(q) * found.room, i, size, stride);
    });
  }
};

/// Writes keys that were sorted in memory; one thread a place.
struct WriteResults {
  static constexpr int kThreads = 256;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = 0;

  Found found;
  Results results;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t of_query = (results.width + kThreads - 1) / kThreads, q = block.x() / of_query;
    const std::uint64_t* keys = found.keys + static_cast<std::uint64_t>(q) * found.room;
    block.each([&](int t) {
      const std::uint32_t i = block.x() % of_query * kThreads + static_cast<std::uint32_t>(t);
      if (i >= results.width) return;
      results.write(q, i, found.n_best[q], [&](std::uint32_t place) { return keys[place]; });
    });
  }
};

}  // namespace twotower::cuda
