// Adds the products of one chunk of a tile's rows to the sums of its threads: with matrix instructions of warps, with
// those of groups of four warps, or with float32 lanes. Knows where rows lie in shared memory; knows no limits.
#pragma once

#include <cstdint>

#include "cuda/multiply_kinds.h"
#include "cuda/tile_shape.h"

namespace twotower::cuda {

/// mma.sync: each warp loads fragments and multiplies them.
template <class Kind_, class Shape_>
struct WarpMultiply {
  using Kind = Kind_;
  using Shape = Shape_;
  using Sum = typename Kind::Sum;
  static constexpr int kLag = 0;  ///< chunks whose products may still be under way when run() returns
  static constexpr int kMinBlocks = Shape::kQueries <= 8 ? 4 : 2;  ///< of a multiprocessor, as registers allow
  static constexpr bool kAsyncReaders = false;

  struct Fragments {
    std::uint32_t docs[Shape::kDocParts][4];
    std::uint32_t queries[Shape::kQueryParts][2];
  };

  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void run(Block& block, const unsigned char* docs, const unsigned char* queries,
                                  AllSums& sums) {
    typename Block::template PerThread<Fragments> fragments;
    block.warps([&](int warp) {
      TWOTOWER_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        load(block, warp, step, docs, queries, fragments);
        TWOTOWER_UNROLL
        for (int i = 0; i < Shape::kDocParts; ++i) {
          TWOTOWER_UNROLL
          for (int j = 0; j < Shape::kQueryParts; ++j) {
            block.multiply(
                Kind{}, warp, [&](int t) { return fragments[t].docs[i]; },
                [&](int t) { return fragments[t].queries[j]; }, [&](int t) { return sums[t].at[i][j]; });
          }
        }
      }
    });
  }

  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void begin(Block&, AllSums&) {}
  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void finish(Block&, AllSums&) {}

 private:
  // Lanes 0 to 15 name the first 16 bytes of a step of 16 documents, lanes 16 to 31 the other 16 bytes: the order of
  // the four words of a fragment. Queries likewise with lanes 0 to 7 and 8 to 15.
  template <class Block, class AllFragments>
  static TWOTOWER_DEVICE void load(Block& block, int warp, int step, const unsigned char* docs,
                                   const unsigned char* queries, AllFragments& fragments) {
    const int first_doc = Shape::warp_doc(warp), first_query = Shape::warp_query(warp);
    TWOTOWER_UNROLL
    for (int i = 0; i < Shape::kDocParts; ++i) {
      block.template load_matrices<4>(
          warp,
          [&](int t) {
            const auto row = static_cast<std::uint32_t>(first_doc + 16 * i + t % 16);
            return docs + swizzled(row, static_cast<std::uint32_t>(2 * step + t % kLanes / 16));
          },
          [&](int t) { return fragments[t].docs[i]; });
    }
    TWOTOWER_UNROLL
    for (int j = 0; j < Shape::kQueryParts; ++j) {
      block.template load_matrices<2>(
          warp,
          [&](int t) {
            const auto row = static_cast<std::uint32_t>(first_query + 8 * j + t % 8);
            return queries + swizzled(row, static_cast<std::uint32_t>(2 * step + t % 16 / 8));
          },
          [&](int t) { return fragments[t].queries[j]; });
    }
  }
};

/// wgmma: four warps read both matrices from shared memory while the next chunk is fetched.
template <class Kind_, class Shape_>
struct GroupMultiply {
  using Kind = Kind_;
  using Shape = Shape_;
  using Sum = typename Kind::Sum;
  static constexpr int kLag = 1;
  static constexpr int kMinBlocks = 1;
  static constexpr bool kAsyncReaders = true;
  static_assert(Shape::kWarpDocs == 16 && Shape::kWarpQueries == Shape::kQueries, "the parts that wgmma's sums have");

  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void run(Block& block, const unsigned char* docs, const unsigned char* queries,
                                  AllSums& sums) {
    block.group_begin();
    block.groups([&](int group) {
      TWOTOWER_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        block.template group_multiply<Shape::kQueries>(
            Kind{}, group, docs + group * 64 * kChunkBytes + step * kStepBytes, queries + step * kStepBytes,
            [&](int t) { return sums[t].at[0]; });
      }
    });
    block.group_commit();
    block.template group_await<kLag>();
  }

  // The products are given by name of registers: the compiler must neither write these later than they are read, nor
  // read them sooner than they are awaited.
  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void begin(Block& block, AllSums& sums) {
    block.each([&](int t) { block.template pin<Shape::kQueryParts>(sums[t].at[0]); });
  }
  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void finish(Block& block, AllSums& sums) {
    block.template group_await<0>();
    begin(block, sums);
  }
};

/// Fused multiply-adds of float32, each sum in the order of the dimensions.
template <class Shape_>
struct LaneMultiply {
  using Kind = Float32Products;
  using Shape = Shape_;
  using Sum = float;
  static constexpr int kLag = 0;
  static constexpr int kMinBlocks = Shape::kQueries <= 8 ? 2 : 1;
  static constexpr bool kAsyncReaders = false;

  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void run(Block& block, const unsigned char* docs, const unsigned char* queries,
                                  AllSums& sums) {
    block.each([&](int t) {
      TWOTOWER_UNROLL
      for (int granule = 0; granule < kGranules; ++granule) {
        Words4 of_docs[Shape::kDocParts][2];
        TWOTOWER_UNROLL
        for (int i = 0; i < Shape::kDocParts; ++i) {
          of_docs[i][0] = at(docs, Shape::doc(t, i, 0), granule);
          of_docs[i][1] = at(docs, Shape::doc(t, i, 2), granule);
        }
        TWOTOWER_UNROLL
        for (int j = 0; j < Shape::kQueryParts; ++j) {
          const Words4 even = at(queries, Shape::query(t, j, 0), granule),
                       odd = at(queries, Shape::query(t, j, 1), granule);
          TWOTOWER_UNROLL
          for (int i = 0; i < Shape::kDocParts; ++i) {
            TWOTOWER_UNROLL
            for (int w = 0; w < 4; ++w) {
              float* of = sums[t].at[i][j];
              const float first = float_of(of_docs[i][0].word[w]), second = float_of(of_docs[i][1].word[w]);
              of[0] = block.fused(first, float_of(even.word[w]), of[0]);
              of[1] = block.fused(first, float_of(odd.word[w]), of[1]);
              of[2] = block.fused(second, float_of(even.word[w]), of[2]);
              of[3] = block.fused(second, float_of(odd.word[w]), of[3]);
            }
          }
        }
      }
    });
  }

  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void begin(Block&, AllSums&) {}
  template <class Block, class AllSums>
  static TWOTOWER_DEVICE void finish(Block&, AllSums&) {}

 private:
  static TWOTOWER_DEVICE Words4 at(const unsigned char* rows, int row, int granule) {
    return *reinterpret_cast<const Words4*>(
        rows + swizzled(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(granule)));
  }
};

}  // namespace twotower::cuda
