// Sums and greatest values over the threads of a block. The order of a sum is fixed, but not that of the dimensions.
#pragma once

#include "cuda/qualifiers.h"

namespace twotower::cuda {

template <int kThreads, class Block, class Combine>
TWOTOWER_DEVICE double block_reduce(Block& block, typename Block::template PerThread<double>& part, Combine combine) {
  auto* room = reinterpret_cast<double*>(block.shared());
  block.phase([&](int t) { room[t] = part[t]; });
  for (int half = kThreads / 2; half > 0; half /= 2) {
    block.phase([&](int t) {
      if (t < half) room[t] = combine(room[t], room[t + half]);
    });
  }
  typename Block::template PerThread<double> all;
  block.phase([&](int t) { all[t] = room[0]; });
  return block.uniform(all);
}

template <int kThreads, class Block>
TWOTOWER_DEVICE double block_sum(Block& block, typename Block::template PerThread<double>& part) {
  return block_reduce<kThreads>(block, part, [](double a, double b) { return a + b; });
}

template <int kThreads, class Block>
TWOTOWER_DEVICE double block_greatest(Block& block, typename Block::template PerThread<double>& part) {
  return block_reduce<kThreads>(block, part, [](double a, double b) { return a > b ? a : b; });
}

}  // namespace twotower::cuda
