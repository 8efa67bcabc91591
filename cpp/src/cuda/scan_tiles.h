// The fused kernel: products of a tile of documents and queries, compared where they are, survivors appended. Scores
// never reach memory. Knows no order and no exact score.
#pragma once

#include <cstdint>

#include "cuda/multiply_tile.h"
#include "cuda/tile_shape.h"
#include "cuda/window.h"

namespace twotower::cuda {

struct ScanArguments {
  Window window;
  Queries queries;
  Found found;
  Range range;
  TileOrder order;
  const std::uint64_t* where;  ///< one bit a DocId, or nullptr
};

template <class Multiply>
struct ScanTiles : ScanArguments {
  using Shape = typename Multiply::Shape;
  using Sum = typename Multiply::Sum;
  static constexpr int kThreads = Shape::kThreads;
  static constexpr int kMinBlocks = Multiply::kMinBlocks;
  static constexpr std::uint32_t kSharedBytes = Shape::kSharedBytes;

  explicit ScanTiles(const ScanArguments& arguments) : ScanArguments(arguments) {}

  std::uint32_t n_blocks() const { return range.n * ((queries.n + Shape::kQueries - 1) / Shape::kQueries); }

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t across = (queries.n + Shape::kQueries - 1) / Shape::kQueries;
    const std::uint32_t position = block.x() / across;
    const std::uint32_t first_doc = order.tile(range.first + position) * kTileDocs;
    const std::uint32_t first_query = block.x() % across * Shape::kQueries;
    unsigned char* stages = block.shared();
    auto* limits = reinterpret_cast<float*>(stages + Shape::kStages * Shape::kStageBytes);
    typename Block::template PerThread<Sums<Sum, Shape>> sums;
    block.each([&](int t) { clear(sums[t]); });
    load_limits(block, limits, first_doc, first_query);
    add_products(block, stages, first_doc, first_query, sums);
    block.each([&](int t) {
      TWOTOWER_UNROLL
      for (int i = 0; i < Shape::kDocParts; ++i) {
        TWOTOWER_UNROLL
        for (int e = 0; e < 4; e += 2) {
          compare(block, t, i, e, sums[t], limits, first_doc, first_query, position);
        }
      }
    });
  }

 private:
  // Six arrays: scale, norm, offset by document of the tile; unit, factor, threshold by query.
  template <class Block>
  TWOTOWER_DEVICE void load_limits(Block& block, float* limits, std::uint32_t first_doc,
                                   std::uint32_t first_query) const {
    block.phase([&](int t) {
      for (int r = t; r < kTileDocs; r += kThreads) {
        const std::uint32_t doc = first_doc + static_cast<std::uint32_t>(r);
        const bool there = doc < window.n_docs;
        limits[r] = there ? window.scale[doc] : 0.0f;
        limits[kTileDocs + r] = there ? window.norm[doc] : 0.0f;
        limits[2 * kTileDocs + r] = there ? window.offset[doc] : -infinity();
      }
      float* of_queries = limits + 3 * kTileDocs;
      for (int c = t; c < Shape::kQueries; c += kThreads) {
        const std::uint32_t q = first_query + static_cast<std::uint32_t>(c);
        const bool there = q < queries.n && (range.wanted == nullptr || range.wanted[q] != 0);
        of_queries[c] = there ? queries.limits[q].unit : 0.0f;
        of_queries[Shape::kQueries + c] = there ? queries.limits[q].factor : 0.0f;
        of_queries[2 * Shape::kQueries + c] = there ? found.thresholds[q] : infinity();
      }
    });
  }

  // Chunks travel kAhead ahead of the products. The stage that is filled was read before the barrier of await_copies,
  // kLag products earlier than the last ones.
  template <class Block, class AllSums>
  TWOTOWER_DEVICE void add_products(Block& block, unsigned char* stages, std::uint32_t first_doc,
                                    std::uint32_t first_query, AllSums& sums) const {
    constexpr int kAhead = Shape::kStages - 1 - Multiply::kLag;
    const std::uint32_t n_chunks = (window.pitch + kChunkBytes - 1) / kChunkBytes;
    TWOTOWER_UNROLL
    for (int c = 0; c < kAhead; ++c) {
      fetch(block, stages, static_cast<std::uint32_t>(c), n_chunks, first_doc, first_query);
    }
    for (std::uint32_t c = 0; c < n_chunks; ++c) {
      block.template await_copies<kAhead - 1, Multiply::kAsyncReaders>();
      fetch(block, stages, c + kAhead, n_chunks, first_doc, first_query);
      const unsigned char* stage = stages + c % Shape::kStages * Shape::kStageBytes;
      Multiply::run(block, stage, stage + kTileDocs * kChunkBytes, sums);
    }
    Multiply::finish(block);
  }

  template <class Block>
  TWOTOWER_DEVICE void fetch(Block& block, unsigned char* stages, std::uint32_t chunk, std::uint32_t n_chunks,
                             std::uint32_t first_doc, std::uint32_t first_query) const {
    unsigned char* stage = stages + chunk % Shape::kStages * Shape::kStageBytes;
    if (chunk < n_chunks) {
      block.each([&](int t) {
        TWOTOWER_UNROLL
        for (int i = t; i < Shape::kRows * kGranules; i += kThreads) {
          const auto row = static_cast<std::uint32_t>(i / kGranules),
                     granule = static_cast<std::uint32_t>(i % kGranules);
          const bool is_doc = row < kTileDocs;
          const std::uint32_t line = is_doc ? first_doc + row : first_query + row - kTileDocs;
          const std::uint32_t byte = chunk * kChunkBytes + granule * kGranuleBytes;
          const bool there = line < (is_doc ? window.n_docs : queries.n) && byte < window.pitch;
          const unsigned char* from = is_doc ? window.rows : queries.rows;
          const std::uint64_t at = there ? static_cast<std::uint64_t>(line) * window.pitch + byte : 0;
          block.copy16(stage + swizzled(row, granule), from + at, there);
        }
      });
    }
    block.commit_copies();
  }

  static TWOTOWER_DEVICE void clear(Sums<Sum, Shape>& sums) {
    TWOTOWER_UNROLL
    for (int i = 0; i < Shape::kDocParts; ++i) {
      TWOTOWER_UNROLL
      for (int j = 0; j < Shape::kQueryParts; ++j) {
        TWOTOWER_UNROLL
        for (int e = 0; e < 4; ++e) sums.at[i][j][e] = Sum{0};
      }
    }
  }

  // One document (sums e and e + 1 of parts i) against the thread's queries.
  template <class Block>
  TWOTOWER_DEVICE void compare(Block& block, int t, int i, int e, const Sums<Sum, Shape>& sums, const float* limits,
                               std::uint32_t first_doc, std::uint32_t first_query, std::uint32_t position) const {
    const int r = Shape::doc(t, i, e);
    const float scale = limits[r], norm = limits[kTileDocs + r], offset = limits[2 * kTileDocs + r];
    const float* of_queries = limits + 3 * kTileDocs;
    TWOTOWER_UNROLL
    for (int j = 0; j < Shape::kQueryParts; ++j) {
      TWOTOWER_UNROLL
      for (int odd = 0; odd < 2; ++odd) {
        const int c = Shape::query(t, j, odd);
        const float mid = static_cast<float>(sums.at[i][j][e + odd]) * of_queries[c] * scale + offset;
        const float reach = of_queries[Shape::kQueries + c] * norm;
        if (range.direct || !(mid + reach <= of_queries[2 * Shape::kQueries + c])) {
          keep(block, first_query + static_cast<std::uint32_t>(c), first_doc, static_cast<std::uint32_t>(r), position,
               mid);
        }
      }
    }
  }

  template <class Block>
  TWOTOWER_DEVICE_CALLED void keep(Block& block, std::uint32_t q, std::uint32_t first_doc, std::uint32_t r,
                                   std::uint32_t position, float mid) const {
    if (q >= queries.n || (range.wanted != nullptr && range.wanted[q] == 0)) return;
    const std::uint32_t doc = first_doc + r;
    const bool allowed = doc < window.n_docs && is_allowed(window.first_doc + doc);
    if (!range.direct && !allowed) return;
    const std::uint32_t slot = range.direct ? position * kTileDocs + r : block.add(&found.counts[q], 1u);
    if (slot >= found.capacity) return;
    const std::uint64_t at = static_cast<std::uint64_t>(q) * found.capacity + slot;
    found.docs[at] = allowed ? doc : kNoDoc;
    found.mids[at] = mid;
  }

  TWOTOWER_DEVICE bool is_allowed(std::uint32_t doc) const {
    return where == nullptr || (where[doc / 64] >> (doc % 64) & 1u) != 0;
  }
};

}  // namespace twotower::cuda
