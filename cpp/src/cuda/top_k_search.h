// The search of one tile of queries: ranges of tiles scanned, cut down, scored and merged, until every document was in
// a range that lost nothing. Runs on any machine; knows no Python and no CUDA call.
//
// Exactness. A range lost nothing if it offered at most C documents. Then each of its documents is merged, or was left
// out because its upper end is at or below a threshold: one that follows from k documents whose scores are above, one
// float32 step apart at least (bounds.h). So the order in which ranges are searched, and how often one is repeated for
// the queries that lost something, decide only how many documents are scored twice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/buffer.h"
#include "cuda/merge_best.h"
#include "cuda/prepare.h"
#include "cuda/reduce_found.h"
#include "cuda/rescore.h"
#include "cuda/scan_choice.h"
#include "cuda/sort_best.h"
#include "cuda/top_k_plan.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower::cuda {

template <class Machine>
class TopKSearch {
 public:
  /// Queries `given` [Q, D] on the machine; `where` there too, or nullptr. Rows `layout` of the windows to come.
  TopKSearch(const Machine& machine, const Window& layout, const void* given, Storage storage, std::uint32_t n_queries,
             std::uint32_t k, std::uint32_t capacity, const std::uint64_t* where)
      : machine_(machine),
        where_(where),
        rows_(machine, std::size_t{n_queries} * layout.pitch),
        limits_(machine, n_queries),
        slots_(machine, 2 * std::size_t{n_queries} * capacity),
        keys_(machine, std::size_t{n_queries} * room(k, capacity)),
        numbers_(machine, 4 * std::size_t{n_queries} + 1) {
    queries_ = {given, storage, rows_.get(), limits_.get(), numbers_.get() + 4 * std::size_t{n_queries}, n_queries};
    found_.docs = slots_.get();
    found_.mids = reinterpret_cast<float*>(slots_.get() + std::size_t{n_queries} * capacity);
    found_.counts = numbers_.get();
    found_.n_best = numbers_.get() + n_queries;
    found_.n_new = numbers_.get() + 2 * n_queries;
    found_.thresholds = reinterpret_cast<float*>(numbers_.get() + 3 * std::size_t{n_queries});
    found_.keys = keys_.get();
    found_.capacity = capacity;
    found_.room = room(k, capacity);
    found_.k = k;
    width_ = tile_width(n_queries, layout.storage, machine.has_groups());
    machine.fill(queries_.odd, 0xFF, sizeof(std::uint32_t));
    machine.launch(PrepareQueries{queries_, layout}, n_queries);
    machine.launch(BeginSearch{found_, n_queries}, blocks<BeginSearch>(n_queries));
  }

  static std::uint32_t room(std::uint32_t k, std::uint32_t capacity) { return std::max(power_of_two(k), k + capacity); }
  static std::size_t bytes_of_query(std::uint32_t k, std::uint32_t capacity, std::uint32_t pitch) {
    return 8 * std::size_t{capacity} + 8 * std::size_t{room(k, capacity)} + pitch + sizeof(QueryLimits) + 32;
  }

  /// The first query that is not finite, or kNoDoc. Waits.
  std::uint32_t odd_query() const {
    std::uint32_t odd = kNoDoc;
    machine_.copy(&odd, queries_.odd, sizeof odd);
    machine_.wait();
    return odd;
  }

  /// Searches the documents of a window as well. Waits.
  void search(const Window& window) {
    if (window.n_docs == 0 || found_.k == 0) return;
    const TileOrder order = tile_order(n_tiles(window.n_docs));
    std::vector<Range> ranges;
    for (std::uint32_t first = 0; first < order.n_tiles;) {
      const std::uint32_t n = range_tiles(seen_, order.n_tiles - first, found_.capacity, found_.k);
      Range range;
      range.first = first;
      range.n = n;
      range.direct = seen_ == 0;
      ranges.push_back(range);
      first += n;
      seen_ += std::uint64_t{n} * kTileDocs;
    }
    pass(window, order, ranges);
  }

  /// Writes scores and docs [Q, width] on the machine.
  void write(std::uint32_t width, float* scores, std::int64_t* docs) {
    sort();
    machine_.launch(WriteResults{found_, width, scores, docs}, queries_.n * blocks<WriteResults>(width));
  }

 private:
  template <class Body>
  static std::uint32_t blocks(std::uint32_t n) {
    return (n + Body::kThreads - 1) / Body::kThreads;
  }

  // Runs ranges one after another without waiting, then looks which of them lost documents, for which queries.
  void pass(const Window& window, const TileOrder& order, std::vector<Range>& ranges) {
    Buffer<std::uint8_t, Machine> missed(machine_, ranges.size() * queries_.n);
    Buffer<std::uint32_t, Machine> any(machine_, ranges.size());
    machine_.fill(any.get(), 0, ranges.size() * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ranges[i].missed = missed.get() + i * queries_.n;
      ranges[i].any_missed = any.get() + i;
      run(window, order, ranges[i]);
    }
    std::vector<std::uint32_t> lost(ranges.size());
    machine_.copy(lost.data(), any.get(), lost.size() * sizeof(std::uint32_t));
    machine_.wait();
    check_interrupt();
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      if (lost[i] != 0) repeat(window, order, ranges[i]);
    }
  }

  // The queries that lost documents in a range search its halves, with the thresholds they have by now. A range that
  // has no more documents than slots loses none.
  void repeat(const Window& window, const TileOrder& order, const Range& range) {
    std::vector<Range> halves(2);
    halves[0].first = range.first;
    halves[0].n = range.n / 2;
    halves[1].first = range.first + halves[0].n;
    halves[1].n = range.n - halves[0].n;
    for (Range& half : halves) half.wanted = range.missed;
    ++repeats_;
    pass(window, order, halves);
  }

  void run(const Window& window, const TileOrder& order, const Range& range) {
    machine_.scan({window, queries_, found_, range, order, where_}, width_);
    machine_.launch(ReduceFound{window, queries_, found_, range, range.n * kTileDocs}, queries_.n);
    const std::uint32_t most = blocks<Rescore>(found_.capacity);
    const std::uint32_t each = std::min(most, std::max(1u, kRescoreBlocks / queries_.n));
    machine_.launch(Rescore{window, queries_, found_, each}, queries_.n * each);
    machine_.launch(MergeBest{window, queries_, found_}, queries_.n);
  }

  void sort() {
    const std::uint32_t n = power_of_two(found_.k);
    if (n <= kSortedInBlock) return machine_.launch(SortInBlock{found_, n}, queries_.n);
    const std::uint32_t n_blocks = queries_.n * blocks<SortStep>(n);
    machine_.launch(PadKeys{found_, n}, n_blocks);
    for (std::uint32_t size = 2; size <= n && size != 0; size *= 2) {
      for (std::uint32_t stride = size / 2; stride > 0; stride /= 2) {
        machine_.launch(SortStep{found_, n, size, stride}, n_blocks);
      }
    }
  }

  static constexpr std::uint32_t kRescoreBlocks = 4096;

  const Machine& machine_;
  const std::uint64_t* where_;
  Buffer<unsigned char, Machine> rows_;
  Buffer<QueryLimits, Machine> limits_;
  Buffer<std::uint32_t, Machine> slots_;
  Buffer<std::uint64_t, Machine> keys_;
  Buffer<std::uint32_t, Machine> numbers_;
  Queries queries_;
  Found found_;
  TileWidth width_ = TileWidth::kNarrow;
  std::uint64_t seen_ = 0;
  std::uint32_t repeats_ = 0;
};

}  // namespace twotower::cuda
