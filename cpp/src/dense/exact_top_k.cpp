// exact_top_k: tiles of queries, each against blocks of rows that threads take in turn. See twotower/dense.h for the
// promise.
//
// Legend: N documents, D dimensions, Q queries, K results.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "dense/default_float_environment.h"
#include "dense/prepared_queries.h"
#include "dense/scan.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"
#include "twotower/interrupt.h"
#include "util/parallel_for.h"
#include "util/worker_pool.h"

namespace twotower {
namespace {

constexpr std::size_t kTileQueries = 1024;        // queries that share one pass over the rows
constexpr std::size_t kPanelQueries = 8;          // from so many queries on, a panel beats single queries
constexpr std::size_t kCodedQueries = 5;          // from so many on, coding the rows pays
constexpr std::size_t kBlockElements = 1u << 18;  // of rows a thread takes at once: a millisecond of a large tile
constexpr std::size_t kBlockAlign = 192;          // rows: whole batches of either kind
constexpr std::size_t kBlocksOfThread = 8;        // at least, so that threads end together

std::size_t block_rows(const StoredVectors& vectors, unsigned workers) {
  const std::size_t even = vectors.n_docs / (workers * kBlocksOfThread);
  const std::size_t rows = std::min(even, kBlockElements / vectors.dim);
  return std::max(kBlockAlign, rows / kBlockAlign * kBlockAlign);
}

// Rows that threads take in turn: long runs first, so that what a thread fetches ahead is what it reads next, and short
// ones at the end, so that threads end together.
class Runs {
 public:
  struct Run {
    std::size_t begin, end;  // equal: none is left
  };

  Runs(std::size_t n_docs, std::size_t step, unsigned workers) : n_docs_(n_docs), step_(step), share_(2 * workers) {}

  Run take() noexcept {
    std::size_t begin = next_.load();
    while (begin < n_docs_) {
      const std::size_t wanted = std::max(step_, (n_docs_ - begin) / share_ / step_ * step_);
      const std::size_t end = std::min(n_docs_, begin + wanted);
      if (next_.compare_exchange_weak(begin, end)) return {begin, end};
    }
    return {n_docs_, n_docs_};
  }

  void stop() noexcept { is_stopped_ = true; }
  bool is_stopped() const noexcept { return is_stopped_; }

 private:
  const std::size_t n_docs_, step_, share_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> is_stopped_{false};
};

// One tile of queries against all rows.
class Tile {
 public:
  Tile(const DenseView& view, const float* queries, std::size_t n_queries, std::size_t k, const std::uint64_t* where,
       unsigned threads)
      : view_(view),
        queries_(queries),
        k_(k),
        where_(where),
        is_coded_(n_queries >= kCodedQueries && code_row_of(kernels::active(), view.vectors) != nullptr),
        prepared_(scan_kernels(kernels::active(), view.vectors), view, queries, n_queries,
                  is_coded_ || n_queries >= kPanelQueries, threads) {
    if (is_coded_)
      coded_.emplace(kernels::active().dense.int8, view, queries, n_queries, true, threads, RowForm::kCoded);
  }

  void search(unsigned threads, float* scores, std::int64_t* docs) {
    const std::size_t n_docs = view_.vectors.n_docs;
    const unsigned most = resolve_threads(threads);
    const std::size_t step = block_rows(view_.vectors, most);
    const auto workers = static_cast<unsigned>(std::clamp<std::size_t>(n_docs / step, 1, most));
    SharedFloors floors(prepared_.size(), workers);
    std::vector<std::unique_ptr<Scan>> scans(workers);
    Runs runs(n_docs, step, workers);
    run_workers(workers, [&](unsigned worker) {
      const DefaultFloatEnvironment environment;
      auto scan = std::make_unique<Scan>(kernels::active(), view_, prepared_, coded_ ? &*coded_ : nullptr, queries_,
                                         std::min(k_, n_docs), where_, floors, worker);
      try {
        for (Runs::Run run = runs.take(); run.begin < run.end; run = runs.take()) {
          for (; run.begin < run.end && !runs.is_stopped(); run.begin += step) {
            scan->scan(run.begin, std::min(run.end, run.begin + step));
            if (worker == 0) check_interrupt();
          }
        }
      } catch (...) {
        runs.stop();
        throw;
      }
      scans[worker] = std::move(scan);
    });
    parallel_for(prepared_.size(), k_ * prepared_.size() < kSmallMerge ? 1 : threads, [&](std::size_t q) {
      const DefaultFloatEnvironment environment;  // comparisons, too, take denormals for zeros without it
      std::vector<ScoredDoc> merged;
      for (const auto& scan : scans) {
        if (scan == nullptr) continue;
        const std::vector<ScoredDoc> part = scan->take(q);
        merged.insert(merged.end(), part.begin(), part.end());
      }
      write_best(merged, k_, scores + q * k_, docs + q * k_);
    });
  }

 private:
  static constexpr std::size_t kSmallMerge = 64;  // hits: fewer are scored before another thread wakes

  const DenseView& view_;
  const float* queries_;
  std::size_t k_;
  const std::uint64_t* where_;
  bool is_coded_;
  PreparedQueries prepared_;
  std::optional<PreparedQueries> coded_;
};

}  // namespace

void exact_top_k(const DenseView& view, const float* queries, std::size_t n_queries, std::size_t k, unsigned threads,
                 const std::uint64_t* where, float* scores, std::int64_t* docs) {
  if (k == 0) return;
  for (std::size_t q = 0; q < n_queries; q += kTileQueries) {
    const DefaultFloatEnvironment environment;
    Tile tile(view, queries + q * view.vectors.dim, std::min(kTileQueries, n_queries - q), k, where, threads);
    tile.search(threads, scores + q * k, docs + q * k);
  }
}

}  // namespace twotower
