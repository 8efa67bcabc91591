// The search of one tile of queries: ranges of tiles scanned, cut down, scored and merged, until every document was in
// a range that lost nothing. Runs on any machine; knows no Python and no CUDA call.
//
// Exactness. A range lost nothing if its documents found slots. Then each of them is in one, or was left out because
// its upper end is at or below a threshold: one that follows from k documents whose scores are above, one float32 step
// apart at least (bounds.h). So the order in which ranges are searched, and how often one is repeated for the queries
// that lost something, decide only how many documents are scored twice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
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
        width_(tile_width(n_queries, layout.storage, machine.has_groups())),
        rows_(machine, padded(n_queries) * layout.pitch),
        widened_(machine, storage == Storage::kFloat32 ? 0 : std::size_t{n_queries} * layout.dim),
        limits_(machine, n_queries),
        slots_(machine, 2 * std::size_t{n_queries} * capacity),
        keys_(machine, std::size_t{n_queries} * room(k, capacity)),
        numbers_(machine, 4 * std::size_t{n_queries} + 2) {
    std::uint32_t* status = numbers_.get() + 4 * std::size_t{n_queries};
    queries_.given = given;
    queries_.storage = storage;
    queries_.exact = storage == Storage::kFloat32 ? static_cast<const float*>(given) : widened_.get();
    queries_.widened = storage == Storage::kFloat32 ? nullptr : widened_.get();
    queries_.rows = rows_.get();
    queries_.limits = limits_.get();
    queries_.odd = status;
    queries_.n = n_queries;
    found_.docs = slots_.get();
    found_.mids = reinterpret_cast<float*>(slots_.get() + std::size_t{n_queries} * capacity);
    found_.counts = numbers_.get();
    found_.kept = numbers_.get() + n_queries;
    found_.n_best = numbers_.get() + 2 * std::size_t{n_queries};
    found_.thresholds = reinterpret_cast<float*>(numbers_.get() + 3 * std::size_t{n_queries});
    found_.lost = status + 1;
    found_.keys = keys_.get();
    found_.capacity = capacity;
    found_.room = room(k, capacity);
    found_.k = k;
    machine.fill(status, 0xFF, 2 * sizeof(std::uint32_t));
    machine.launch(PrepareQueries{queries_, layout, found_}, static_cast<std::uint32_t>(padded(n_queries)));
  }

  static std::uint32_t room(std::uint32_t k, std::uint32_t capacity) { return std::max(power_of_two(k), k + capacity); }
  static std::size_t bytes_of_query(std::uint32_t k, std::uint32_t capacity, std::uint32_t pitch, std::uint32_t dim) {
    return 8 * std::size_t{capacity} + 8 * std::size_t{room(k, capacity)} + pitch + 4 * std::size_t{dim} +
           sizeof(QueryLimits) + 32;
  }

  /// Begins to search the documents of a window as well. Nothing is waited for.
  void start(const Window& window) {
    if (window.n_docs == 0 || found_.k == 0) return;
    const TileOrder order = tile_order(n_tiles(window.n_docs));
    std::vector<Range> ranges;
    for (std::uint32_t first = 0; first < order.n_tiles;) {
      Range range;
      range.first = first;
      range.n = range_tiles(seen_, order.n_tiles - first, found_.capacity, found_.k, many());
      range.direct = seen_ == 0;
      ranges.push_back(range);
      first += range.n;
      seen_ += std::uint64_t{range.n} * kTileDocs;
    }
    pass_ = begin(window, order, std::move(ranges));
  }

  /// Waits for what was started, and repeats the ranges that lost documents. Returns whether there were any: then what
  /// was written before is not the answer.
  bool complete() {
    const bool repeated = finish(pass_);
    pass_ = {};
    return repeated;
  }

  /// After complete(): the first query that is not finite, or kNoDoc.
  std::uint32_t odd_query() const { return odd_; }

  /// Writes scores and docs [Q, width] on the machine.
  void write(std::uint32_t width, float* scores, std::int64_t* docs) {
    const Results results{width, scores, docs};
    const std::uint32_t n = power_of_two(found_.k);
    if (n <= kSortedInBlock) return machine_.launch(SortInBlock{found_, n, results}, queries_.n);
    sort_in_memory(n);
    machine_.launch(WriteResults{found_, results}, queries_.n * blocks<WriteResults>(width));
  }

 private:
  // Ranges of a window that were put on their way together.
  struct Pass {
    Window window;
    TileOrder order;
    std::vector<Range> ranges;
    Buffer<std::uint8_t, Machine> missed;
  };

  template <class Body>
  static std::uint32_t blocks(std::uint32_t n) {
    return (n + Body::kThreads - 1) / Body::kThreads;
  }

  bool many() const { return queries_.n > MiddleTile::kQueries; }

  // Queries filled up to whole tiles.
  std::size_t padded(std::uint32_t n_queries) const {
    const std::size_t of_tile = tile_queries(width_);
    return (n_queries + of_tile - 1) / of_tile * of_tile;
  }

  // Searches ranges one after another without waiting, and scores what is left in the slots, which are empty then.
  Pass begin(const Window& window, const TileOrder& order, std::vector<Range> ranges) {
    const std::size_t n = ranges.size();
    Pass pass{window, order, std::move(ranges), {machine_, n * queries_.n}};
    for (std::size_t i = 0; i < n; ++i) {
      Range& range = pass.ranges[i];
      range.missed = pass.missed.get() + i * queries_.n;
      machine_.scan({window, queries_, found_, range, order, where_}, width_);
      machine_.launch(ReduceFound{window, queries_, found_, range, range.n * kTileDocs}, queries_.n);
    }
    score(window);
    return pass;
  }

  bool finish(const Pass& pass) {
    std::uint32_t status[2];  // the first odd query, whether documents were lost
    machine_.copy(status, queries_.odd, sizeof status);
    machine_.wait();
    check_interrupt();
    odd_ = status[0];
    if (status[1] == kNoDoc) return false;
    machine_.fill(found_.lost, 0xFF, sizeof(std::uint32_t));
    std::vector<std::uint8_t> missed(pass.ranges.size() * queries_.n);
    machine_.copy(missed.data(), pass.missed.get(), missed.size());
    machine_.wait();
    auto of_range = missed.begin();
    for (const Range& range : pass.ranges) {
      const auto next = of_range + queries_.n;
      if (std::find(of_range, next, 1) != next) repeat(pass, range);
      of_range = next;
    }
    return true;
  }

  // The queries that lost documents in a range search its halves, with the thresholds they have by now, and with empty
  // slots: a range that has no more documents than slots loses none.
  void repeat(const Pass& pass, const Range& range) {
    const std::uint32_t half = range.n / 2;
    for (const auto& [first, n] : {std::pair{range.first, half}, std::pair{range.first + half, range.n - half}}) {
      Range part;
      part.first = first;
      part.n = n;
      part.wanted = range.missed;
      finish(begin(pass.window, pass.order, {part}));
    }
  }

  void score(const Window& window) {
    const std::uint32_t most = (found_.capacity + kRescoreThreads - 1) / kRescoreThreads;
    const std::uint32_t each = std::min(most, std::max(1u, kRescoreBlocks / queries_.n));
    switch (window.storage) {
      case Storage::kBfloat16:
        rescore<Storage::kBfloat16>(window, each);
        break;
      case Storage::kFloat16:
        rescore<Storage::kFloat16>(window, each);
        break;
      case Storage::kInt8:
        rescore<Storage::kInt8>(window, each);
        break;
      case Storage::kFloat32:
        rescore<Storage::kFloat32>(window, each);
        break;
    }
    machine_.launch(MergeBest{window, queries_, found_}, queries_.n);
  }

  template <Storage kStorage>
  void rescore(const Window& window, std::uint32_t each) {
    machine_.launch(Rescore<kStorage>{window, queries_, found_, each}, queries_.n * each);
  }

  void sort_in_memory(std::uint32_t n) {
    const std::uint32_t n_blocks = queries_.n * blocks<SortStep>(n);
    machine_.launch(PadKeys{found_, n}, n_blocks);
    for (std::uint32_t size = 2; size <= n && size != 0; size *= 2) {
      for (std::uint32_t stride = size / 2; stride > 0; stride /= 2) {
        machine_.launch(SortStep{found_, n, size, stride}, n_blocks);
      }
    }
  }

  static constexpr std::uint32_t kRescoreBlocks = 8192;

  const Machine& machine_;
  const std::uint64_t* where_;
  TileWidth width_;
  Buffer<unsigned char, Machine> rows_;
  Buffer<float, Machine> widened_;
  Buffer<QueryLimits, Machine> limits_;
  Buffer<std::uint32_t, Machine> slots_;
  Buffer<std::uint64_t, Machine> keys_;
  Buffer<std::uint32_t, Machine> numbers_;
  Queries queries_;
  Found found_;
  Pass pass_;
  std::uint64_t seen_ = 0;
  std::uint32_t odd_ = kNoDoc;
};

}  // namespace twotower::cuda
