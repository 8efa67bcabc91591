// The k-th largest of n keys, by their bytes from the most significant down, within one block. Knows no document.
#pragma once

#include <cstdint>

#include "cuda/qualifiers.h"

namespace twotower::cuda {

inline constexpr int kBins = 256;
inline constexpr int kBinGroups = 16;

/// Shared memory of a selection.
struct SelectRoom {
  std::uint64_t prefix;  ///< the bytes of the k-th largest key that are known
  std::uint32_t left;    ///< its rank among the keys with that prefix, from 1
  std::uint32_t bins[kBins];
  std::uint32_t groups[kBinGroups];
};

/// The k-th largest of key_at(0 .. n - 1), of which the upper kBytes bytes count. REQUIRES 1 <= k <= n, kThreads >= 16.
template <int kThreads, int kBytes, class Block, class KeyAt>
TWOTOWER_DEVICE std::uint64_t kth_largest(Block& block, SelectRoom& room, std::uint32_t n, std::uint32_t k,
                                          KeyAt key_at) {
  block.phase([&](int t) {
    if (t == 0) {
      room.prefix = 0;
      room.left = k;
    }
  });
  for (int shift = 56; shift > 56 - 8 * kBytes; shift -= 8) {
    block.phase([&](int t) {
      for (int bin = t; bin < kBins; bin += kThreads) room.bins[bin] = 0;
    });
    block.phase([&](int t) {
      const std::uint64_t known = shift == 56 ? 0 : ~std::uint64_t{0} << (shift + 8);
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n; i += kThreads) {
        const std::uint64_t key = key_at(i);
        if ((key & known) == room.prefix) block.add(&room.bins[key >> shift & 0xFFu], 1u);
      }
    });
    block.phase([&](int t) {
      if (t >= kBinGroups) return;
      std::uint32_t sum = 0;
      for (int bin = 0; bin < kBins / kBinGroups; ++bin) sum += room.bins[t * (kBins / kBinGroups) + bin];
      room.groups[t] = sum;
    });
    block.phase([&](int t) {
      if (t != 0) return;
      std::uint32_t left = room.left;
      int group = kBinGroups - 1;
      for (; group > 0 && room.groups[group] < left; --group) left -= room.groups[group];
      int bin = (group + 1) * (kBins / kBinGroups) - 1;
      for (; bin > group * (kBins / kBinGroups) && room.bins[bin] < left; --bin) left -= room.bins[bin];
      room.left = left;
      room.prefix |= static_cast<std::uint64_t>(bin) << shift;
    });
  }
  typename Block::template PerThread<std::uint64_t> key;
  block.phase([&](int t) { key[t] = room.prefix; });
  return block.uniform(key);
}

}  // namespace twotower::cuda
