// The fused kernel: products of tiles of documents and queries, compared where they are, survivors appended. Scores
// never reach memory. Knows no order and no exact score.
//
// A block takes every n_blocks-th item, an item being a tile of documents and one of queries. Chunks of the next item
// are on their way while the last products of an item are compared. The comparison is cheap for what does not survive:
// one number a query and item, the cut, below which no document of the tile can be a hit. What is above is tested with
// its own limits, listed in shared memory, and appended while the products of the next item run.
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

  TWOTOWER_BOTH std::uint32_t across() const { return (queries.n + Shape::kQueries - 1) / Shape::kQueries; }
  TWOTOWER_BOTH std::uint32_t n_items() const { return range.n * across(); }

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t items = n_items(), n_chunks = (window.pitch + kChunkBytes - 1) / kChunkBytes;
    const Room room(block.shared());
    typename Block::template PerThread<Sums<Sum, Shape>> sums;
    block.each([&](int t) {
      if (t < 2) room.n_listed[t] = 0;
    });
    Cursor ahead{block.x(), 0, place_of(block.x())};
    int filled = 0, read = 0, list = 0;
    TWOTOWER_UNROLL
    for (int c = 0; c < kAhead; ++c) fetch(block, room, filled, ahead, items, n_chunks);
    Place before{};
    for (std::uint32_t item = block.x(); item < items; item += block.n_blocks()) {
      const Place place = place_of(item);
      block.each([&](int t) { clear(sums[t]); });
      Multiply::begin(block, sums);
      for (std::uint32_t chunk = 0; chunk < n_chunks; ++chunk) {
        // The stage that is filled was read before the barrier of await_copies, kLag products before the last ones.
        block.template await_copies<kAhead - 1, Multiply::kAsyncReaders>();
        fetch(block, room, filled, ahead, items, n_chunks);
        const unsigned char* stage = room.stages + read * Shape::kStageBytes;
        Multiply::run(block, stage, stage + kTileDocs * kChunkBytes, sums);
        read = read + 1 == Shape::kStages ? 0 : read + 1;
        if (chunk == 0) append_listed(block, room, 1 - list, before);
      }
      compare(block, room, list, place, sums);
      before = place;
      list = 1 - list;
    }
    block.phase([](int) {});
    append_listed(block, room, 1 - list, before);
  }

 private:
  static constexpr int kAhead = Shape::kStages - 1 - Multiply::kLag;  ///< chunks that copies are ahead of products
  static constexpr int kRowsAtOnce = kThreads / kGranules;

  struct Place {
    std::uint32_t doc, query, slot;  ///< the first of the tile; a sample's slot of the first document
  };
  struct Cursor {
    std::uint32_t item, chunk;
    Place place;
  };
  struct RowTerms {
    float scale[Shape::kDocParts][2], offset[Shape::kDocParts][2];
  };
  struct Room {
    unsigned char* stages;
    float *cuts, *units;                         ///< [kQueries]
    std::uint32_t *places, *numbers, *n_listed;  ///< [2][kListed], [2][kListed], [2]
    TWOTOWER_DEVICE explicit Room(unsigned char* shared)
        : stages(shared),
          cuts(reinterpret_cast<float*>(shared + Shape::kStages * Shape::kStageBytes)),
          units(cuts + Shape::kQueries),
          places(reinterpret_cast<std::uint32_t*>(units + Shape::kQueries)),
          numbers(places + 2 * Shape::kListed),
          n_listed(numbers + 2 * Shape::kListed) {}
  };

  TWOTOWER_DEVICE Place place_of(std::uint32_t item) const {
    const std::uint32_t position = item / across();
    return {order.tile(range.first + position) * kTileDocs, item % across() * Shape::kQueries, position * kTileDocs};
  }

  // A thread copies the same granule of every kRowsAtOnce-th row; rows are there up to the end of a tile.
  template <class Block>
  TWOTOWER_DEVICE void fetch(Block& block, const Room& room, int& filled, Cursor& ahead, std::uint32_t items,
                             std::uint32_t n_chunks) const {
    if (ahead.item < items) {
      unsigned char* stage = room.stages + filled * Shape::kStageBytes;
      block.each([&](int t) {
        const auto row = static_cast<std::uint32_t>(t / kGranules), granule = static_cast<std::uint32_t>(t % kGranules);
        const std::uint32_t byte = ahead.chunk * kChunkBytes + granule * kGranuleBytes;
        const bool there = byte < window.pitch;
        const std::uint64_t first = there ? byte : 0, step = std::uint64_t{kRowsAtOnce} * window.pitch;
        const unsigned char* from = window.rows + std::uint64_t{ahead.place.doc + row} * window.pitch + first;
        unsigned char* to = stage + swizzled(row, granule);
        TWOTOWER_UNROLL
        for (int i = 0; i < kTileDocs / kRowsAtOnce; ++i, from += step) {
          block.copy16(to + i * kRowsAtOnce * kChunkBytes, from, there);
        }
        from = queries.rows + std::uint64_t{ahead.place.query + row} * window.pitch + first;
        to += kTileDocs * kChunkBytes;
        TWOTOWER_UNROLL
        for (int i = 0; i < Shape::kQueries; i += kRowsAtOnce, from += step) {
          if (Shape::kQueries % kRowsAtOnce != 0 && static_cast<int>(row) + i >= Shape::kQueries) break;
          block.copy16(to + i * kChunkBytes, from, there);
        }
      });
      if (++ahead.chunk == n_chunks) {
        ahead.item += block.n_blocks();
        ahead = {ahead.item, 0, ahead.item < items ? place_of(ahead.item) : Place{}};
      }
      filled = filled + 1 == Shape::kStages ? 0 : filled + 1;
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

  // Lists what survives of an item. The last products may still run when it begins.
  template <class Block, class AllSums>
  TWOTOWER_DEVICE void compare(Block& block, const Room& room, int list, Place place, AllSums& sums) const {
    typename Block::template PerThread<RowTerms> terms;
    block.phase([&](int t) {
      if (t == 0) room.n_listed[list] = 0;
      for (int c = t; c < Shape::kQueries; c += kThreads) set_cut(room, c, place);
      load_terms(t, place, terms[t]);
    });
    Multiply::finish(block, sums);
    block.each([&](int t) {
      TWOTOWER_UNROLL
      for (int i = 0; i < Shape::kDocParts; ++i) {
        TWOTOWER_UNROLL
        for (int j = 0; j < Shape::kQueryParts; ++j) {
          const Sum* of = sums[t].at[i][j];
          if (!may_survive(block, room, t, i, j, of, terms[t])) continue;
          offer(block, list, place, Shape::doc(t, i, 0), Shape::query(t, j, 0), static_cast<float>(of[0]),
                static_cast<float>(of[1]), static_cast<float>(of[2]), static_cast<float>(of[3]));
        }
      }
    });
  }

  // With the greatest norm of the tile, mid <= cut says mid + factor norm <= threshold for each of its documents, as
  // rounding is monotone. The first test of a sample lets everything pass.
  TWOTOWER_DEVICE void set_cut(const Room& room, int c, Place place) const {
    const std::uint32_t q = place.query + static_cast<std::uint32_t>(c);
    const bool there = q < queries.n;
    const float reach = there ? queries.limits[q].factor * window.tile_norm[place.doc / kTileDocs] : 0.0f;
    const double threshold = static_cast<double>(there ? found.thresholds[q] : infinity());
    room.cuts[c] = range.direct ? not_a_number() : round_down(threshold - static_cast<double>(reach));
    room.units[c] = there ? queries.limits[q].unit : 0.0f;
  }

  TWOTOWER_DEVICE void load_terms(int t, Place place, RowTerms& terms) const {
    TWOTOWER_UNROLL
    for (int i = 0; i < Shape::kDocParts; ++i) {
      TWOTOWER_UNROLL
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t doc = place.doc + static_cast<std::uint32_t>(Shape::doc(t, i, 2 * half));
        const bool there = doc < window.n_docs;
        terms.scale[i][half] = there ? window.scale[doc] : 0.0f;
        terms.offset[i][half] = there ? window.offset[doc] : -infinity();
      }
    }
  }

  // Whether one of a lane's four sums in a row is above its query's cut, or no number.
  template <class Block>
  TWOTOWER_DEVICE bool may_survive(Block& block, const Room& room, int t, int i, int j, const Sum* sums,
                                   const RowTerms& terms) const {
    bool all_below = true;
    TWOTOWER_UNROLL
    for (int e = 0; e < 4; ++e) {
      const int c = Shape::query(t, j, e);
      float product = static_cast<float>(sums[e]);
      if constexpr (Multiply::Kind::kUnits) product *= room.units[c];
      all_below = all_below & (block.fused(product, terms.scale[i][e / 2], terms.offset[i][e / 2]) <= room.cuts[c]);
    }
    return !all_below;
  }

  // Documents r and r + 8 of the tile, queries c and c + 1.
  template <class Block>
  TWOTOWER_DEVICE_CALLED void offer(Block& block, int list, Place place, int r, int c, float first, float second,
                                    float third, float fourth) const {
    const Room room(block.shared());
    const float products[4] = {first, second, third, fourth};
    TWOTOWER_UNROLL
    for (int e = 0; e < 4; ++e) test(block, room, list, place, r + e / 2 * 8, c + e % 2, products[e]);
  }

  template <class Block>
  TWOTOWER_DEVICE void test(Block& block, const Room& room, int list, Place place, int r, int c, float product) const {
    const std::uint32_t q = place.query + static_cast<std::uint32_t>(c),
                        doc = place.doc + static_cast<std::uint32_t>(r);
    if (q >= queries.n || (range.wanted != nullptr && range.wanted[q] == 0)) return;
    const bool allowed = doc < window.n_docs && is_allowed(window.first_doc + doc);
    const float mid =
        allowed ? block.fused(product * queries.limits[q].unit, window.scale[doc], window.offset[doc]) : 0.0f;
    if (range.direct) return put(q, place.slot + static_cast<std::uint32_t>(r), allowed ? doc : kNoDoc, mid);
    if (!allowed || mid + queries.limits[q].factor * window.norm[doc] <= found.thresholds[q]) return;
    const std::uint32_t at = block.add(&room.n_listed[list], 1u);
    if (at >= Shape::kListed) return append(block, q, doc, mid);
    room.places[list * Shape::kListed + static_cast<int>(at)] = static_cast<std::uint32_t>(r * Shape::kQueries + c);
    room.numbers[list * Shape::kListed + static_cast<int>(at)] = bits_of(mid);
  }

  // Waiting for the counters of a list is one wait for all of it.
  template <class Block>
  TWOTOWER_DEVICE void append_listed(Block& block, const Room& room, int list, Place place) const {
    block.each([&](int t) {
      const std::uint32_t n = room.n_listed[list] < Shape::kListed ? room.n_listed[list] : Shape::kListed;
      for (std::uint32_t i = static_cast<std::uint32_t>(t); i < n; i += kThreads) {
        const std::uint32_t at = static_cast<std::uint32_t>(list * Shape::kListed) + i, from = room.places[at];
        append(block, place.query + from % Shape::kQueries, place.doc + from / Shape::kQueries,
               float_of(room.numbers[at]));
      }
    });
  }

  template <class Block>
  TWOTOWER_DEVICE void append(Block& block, std::uint32_t q, std::uint32_t doc, float mid) const {
    const std::uint32_t slot = block.add(&found.counts[q], 1u);
    if (slot < found.capacity) put(q, slot, doc, mid);
  }

  TWOTOWER_DEVICE void put(std::uint32_t q, std::uint32_t slot, std::uint32_t doc, float mid) const {
    const std::uint64_t at = static_cast<std::uint64_t>(q) * found.capacity + slot;
    found.docs[at] = doc;
    found.mids[at] = mid;
  }

  TWOTOWER_DEVICE bool is_allowed(std::uint32_t doc) const {
    return where == nullptr || (where[doc / 64] >> (doc % 64) & 1u) != 0;
  }
};

}  // namespace twotower::cuda
