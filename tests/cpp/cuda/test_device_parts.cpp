// Parts of the CUDA kernels that stand alone: bits of numbers, keys, selection, the layouts of tiles and of matrix
// instructions, the order of tiles.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "cuda/emulation/host_block.h"
#include "cuda/kth_largest.h"
#include "cuda/numbers.h"
#include "cuda/tile_shape.h"
#include "cuda/top_k_plan.h"

using namespace twotower;
using namespace twotower::cuda;

TEST_CASE("cuda: steps of float32 equal nextafter") {
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float value : {0.0f, -0.0f, 1.0f, -1.0f, 0x1p-149f, -0x1p-149f, 3.4028235e38f, -3.4028235e38f, infinite,
                            -infinite, 0x1p-126f}) {
    CHECK(next_up(value) == std::nextafter(value, infinite));
    CHECK(next_down(value) == std::nextafter(value, -infinite));
  }
}

TEST_CASE("cuda: float16 of every magnitude up to 1 is the nearest, ties to even") {
  for (std::uint32_t bits = 0; bits <= 0x3C00; ++bits) {
    const float value = widen_float16(bits);
    CHECK(to_float16(value) == bits);
    CHECK(to_float16(-value) == (bits | 0x8000));
    if (bits == 0x3C00) break;
    const float next = widen_float16(bits + 1), middle = 0.5f * value + 0.5f * next;
    CHECK(to_float16(middle) == (bits % 2 == 0 ? bits : bits + 1));
    CHECK(to_float16(next_up(middle)) == bits + 1);
    CHECK(to_float16(next_down(middle)) == bits);
  }
}

TEST_CASE("cuda: keys sort as results do") {
  std::vector<float> scores{-std::numeric_limits<float>::infinity(), -1.5f, -0x1p-149f, -0.0f, 0.0f, 0x1p-149f, 2.0f,
                            std::numeric_limits<float>::infinity()};
  for (const float a : scores) {
    CHECK(score_of(key_of(a, 5)) == a);
    CHECK(doc_of(key_of(a, 5)) == 5);
    CHECK(key_of(a, 0xFFFFFFFEu) > 0);
    for (const float b : scores) {
      CHECK((key_of(a, 1) > key_of(b, 2)) == (a >= b));
      CHECK((key_of(a, 2) > key_of(b, 1)) == (a > b));
    }
  }
}

TEST_CASE("cuda: the k-th largest") {
  std::mt19937_64 generator(3);
  for (const std::uint32_t n : {1u, 2u, 17u, 300u, 2000u}) {
    for (const bool few : {false, true}) {
      std::vector<std::uint64_t> keys(n);
      for (std::uint64_t& key : keys) key = few ? (generator() % 5) << 40 | generator() % 3 : generator();
      std::vector<std::uint64_t> sorted(keys);
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      for (const std::uint32_t k : {1u, n / 2 + 1, n}) {
        HostBlock<256> block(0, 1, sizeof(SelectRoom), ThreadOrder::kBackward);
        auto& room = *reinterpret_cast<SelectRoom*>(block.shared());
        CHECK(kth_largest<256, 8>(block, room, n, k, [&](std::uint32_t i) { return keys[i]; }) == sorted[k - 1]);
        const std::uint64_t upper = kth_largest<256, 4>(block, room, n, k, [&](std::uint32_t i) { return keys[i]; });
        CHECK(upper == (sorted[k - 1] >> 32 << 32));
      }
    }
  }
}

TEST_CASE("cuda: places of a tile are each taken once") {
  std::set<std::uint32_t> places;
  for (std::uint32_t row = 0; row < 256; ++row) {
    for (std::uint32_t granule = 0; granule < 8; ++granule) places.insert(swizzled(row, granule));
  }
  CHECK(places.size() == 256 * 8);
  CHECK(*places.rbegin() == 256 * 128 - 16);
  // Eight rows of the same granule lie in eight different groups of four banks.
  for (std::uint32_t granule = 0; granule < 8; ++granule) {
    std::set<std::uint32_t> groups;
    for (std::uint32_t row = 40; row < 48; ++row) groups.insert(swizzled(row, granule) % 128);
    CHECK(groups.size() == 8);
  }
}

template <class Shape>
void check_owners() {
  std::vector<int> owners(static_cast<std::size_t>(kTileDocs * Shape::kQueries));
  for (int t = 0; t < Shape::kThreads; ++t) {
    for (int i = 0; i < Shape::kDocParts; ++i) {
      for (int j = 0; j < Shape::kQueryParts; ++j) {
        for (int e = 0; e < 4; ++e) {
          ++owners[static_cast<std::size_t>(Shape::doc(t, i, e) * Shape::kQueries + Shape::query(t, j, e))];
        }
      }
    }
  }
  CHECK(std::all_of(owners.begin(), owners.end(), [](int n) { return n == 1; }));
}

TEST_CASE("cuda: every product of a tile has one owner, and shared memory suffices") {
  check_owners<NarrowTile>();
  check_owners<MiddleTile>();
  check_owners<WideTile>();
  check_owners<NarrowGroupTile>();
  check_owners<MiddleGroupTile>();
  check_owners<WideGroupTile>();
  constexpr int kOfEveryDevice = 99 * 1024, kOfHopper = 227 * 1024;
  CHECK(NarrowTile::kSharedBytes <= kOfEveryDevice);
  CHECK(MiddleTile::kSharedBytes <= kOfEveryDevice);
  CHECK(WideTile::kSharedBytes <= kOfEveryDevice);
  CHECK(NarrowGroupTile::kSharedBytes <= kOfHopper);
  CHECK(MiddleGroupTile::kSharedBytes <= kOfHopper);
  CHECK(WideGroupTile::kSharedBytes <= kOfHopper);
}

TEST_CASE("cuda: the order of tiles visits each once and spreads ranges") {
  for (const std::uint32_t n : {1u, 2u, 3u, 10u, 64u, 7813u}) {
    const TileOrder order = tile_order(n);
    std::set<std::uint32_t> seen;
    for (std::uint32_t position = 0; position < n; ++position) seen.insert(order.tile(position));
    CHECK(seen.size() == n);
    CHECK(*seen.rbegin() == n - 1);
  }
  // A sample of 64 of 7,813 tiles leaves no part of 200 out.
  const TileOrder order = tile_order(7813);
  std::vector<std::uint32_t> sample;
  for (std::uint32_t position = 0; position < 64; ++position) sample.push_back(order.tile(position));
  std::sort(sample.begin(), sample.end());
  for (std::size_t i = 1; i < sample.size(); ++i) CHECK(sample[i] - sample[i - 1] < 250);
}

TEST_CASE("cuda: copies that are not awaited have not arrived") {
  HostBlock<32> block(0, 1, 64, ThreadOrder::kForward);
  const unsigned char from[16] = {1, 2, 3};
  block.each([&](int t) {
    if (t == 0) block.copy16(block.shared(), from, true);
  });
  block.commit_copies();
  block.each([&](int t) {
    if (t == 0) block.copy16(block.shared() + 16, from, false);
  });
  block.commit_copies();
  CHECK(block.shared()[0] == 0xFF);
  block.await_copies<1, false>();
  CHECK(block.shared()[0] == 1);
  CHECK(block.shared()[16] == 0xFF);
  block.await_copies<0, false>();
  CHECK(block.shared()[16] == 0);
}

TEST_CASE("cuda: backward, copies arrive at once and products are late") {
  HostBlock<128> block(0, 1, 8192, ThreadOrder::kBackward);
  std::vector<float> sums(128 * 8 * 4);
  std::memset(block.shared(), 0, 8192);
  block.group_multiply<64>(Bfloat16Products{}, 0, block.shared(), block.shared(),
                           [&](int t) { return reinterpret_cast<float (*)[4]>(sums.data() + t * 32); });
  block.group_commit();
  const std::uint16_t ones[8] = {0x3F80, 0x3F80, 0x3F80, 0x3F80, 0x3F80, 0x3F80, 0x3F80, 0x3F80};
  block.copy16(block.shared(), ones, true);
  block.group_await<1>();
  CHECK(sums[0] == 0.0f);
  block.group_await<0>();
  CHECK(sums[0] == 8.0f);  // of what came too early
  CHECK(sums[2] == 0.0f);
}
