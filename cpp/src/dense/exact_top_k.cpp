// exact_top_k: blocks of rows times tiles of queries over threads. See twotower/dense.h for the promise.
//
// Legend: N documents, D dimensions, Q queries, K results, R rows of a block, P queries of a panel.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "dense/default_float_environment.h"
#include "dense/error_bound.h"
#include "dense/top_k.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kTileQueries = 128;        // queries that share one pass over the rows
constexpr std::size_t kBlockBytes = 256 * 1024;  // rows of a block: they stay in the L2 cache while a tile passes
constexpr std::size_t kMaxBlockRows = 1008;
constexpr std::size_t kMinChunkRows = 8192;  // below it a thread costs more than it brings
constexpr double kMaxChunkProducts = 1e10;   // some tenths of a second: how long Ctrl-C may wait
constexpr double kMaxChunkFloats = 2.5e8;

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const noexcept { return end - begin; }
};

std::vector<Range> split(std::size_t n, std::size_t step) {
  std::vector<Range> ranges;
  for (std::size_t begin = 0; begin < n; begin += step) ranges.push_back({begin, std::min(n, begin + step)});
  return ranges;
}

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// Rows of one task: enough tasks for the threads, each short enough to be interrupted, none too small to be worth it.
std::size_t chunk_rows(std::size_t n_docs, std::size_t dim, std::size_t n_tiles, std::size_t tile, unsigned threads) {
  const double d = static_cast<double>(dim);
  const double most = std::min(kMaxChunkProducts / (d * static_cast<double>(tile)), kMaxChunkFloats / d);
  const std::size_t chunks_a_tile = ceil_div(resolve_threads(threads), n_tiles);
  const std::size_t even = ceil_div(n_docs, chunks_a_tile);
  return std::max(kMinChunkRows, std::min(even, static_cast<std::size_t>(most)));
}

double norm_of(const float* query, std::size_t dim) {
  double sum = 0.0;
  for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(query[d]);
  return std::sqrt(sum) * (1.0 + 0x1p-30);  // not below the norm, however the sum was rounded
}

// One task: a tile of queries against a chunk of rows.
class Scan {
 public:
  Scan(const VectorsView& vectors, const float* bounds, const float* queries, std::size_t n_queries, std::size_t k)
      : kernels_(kernels::active()), vectors_(vectors), bounds_(bounds), queries_(queries) {
    for (std::size_t q = 0; q < n_queries; ++q) {
      const float* query = queries + q * vectors.dim;
      best_.emplace_back(kernels_, vectors, query, k);
      errors_.push_back(error_bound(norm_of(query, vectors.dim), vectors.dim));
    }
    // A panel costs as much as about P / 4 single queries.
    if (n_queries * 4 > kernels_.dense.panel) pack_panels();
  }

  std::vector<std::vector<ScoredDoc>> run(Range rows) {
    const std::size_t block =
        std::clamp<std::size_t>(kBlockBytes / (vectors_.dim * sizeof(float)) / 12 * 12, 12, kMaxBlockRows);
    scores_.resize(block * kernels::kMaxPanel);
    found_.resize(scores_.size());
    for (const Range& part : split(rows.size(), block)) {
      const Range r{rows.begin + part.begin, rows.begin + part.end};
      if (panels_.empty()) {
        for (std::size_t q = 0; q < best_.size(); ++q) scan_query(r, q);
      } else {
        for (std::size_t q = 0; q < best_.size(); q += kernels_.dense.panel) scan_panel(r, q);
      }
    }
    std::vector<std::vector<ScoredDoc>> results;
    for (TopK& best : best_) results.push_back(best.take());
    return results;
  }

 private:
  // Panels [D, P], one after another; the last is filled up with zeros.
  void pack_panels() {
    const std::size_t dim = vectors_.dim, panel = kernels_.dense.panel;
    panels_.assign(ceil_div(best_.size(), panel) * panel * dim, 0.0f);
    for (std::size_t q = 0; q < best_.size(); ++q) {
      float* out = panels_.data() + (q / panel) * panel * dim + q % panel;
      for (std::size_t d = 0; d < dim; ++d) out[d * panel] = queries_[q * dim + d];
    }
  }

  void scan_query(Range rows, std::size_t q) {
    TopK& best = best_[q];
    kernels_.dense.dot_rows(queries_ + q * vectors_.dim, vectors_.row(rows.begin), rows.size(), vectors_.dim,
                            scores_.data());
    const std::size_t n =
        kernels_.dense.select_rows(scores_.data(), bounds_ + rows.begin, rows.size(), errors_[q].factor,
                                   errors_[q].absolute, best.threshold(), found_.data());
    for (std::size_t i = 0; i < n; ++i) best.offer(static_cast<std::uint32_t>(rows.begin + found_[i]));
  }

  void scan_panel(Range rows, std::size_t first_query) {
    const std::size_t panel = kernels_.dense.panel;
    const std::size_t used = std::min(panel, best_.size() - first_query);
    float factor[kernels::kMaxPanel] = {}, absolute[kernels::kMaxPanel] = {}, threshold[kernels::kMaxPanel];
    for (std::size_t p = 0; p < panel; ++p) {
      // An unused lane scores 0 with error 0, so this threshold selects nothing there.
      threshold[p] = p < used ? best_[first_query + p].threshold() : std::numeric_limits<float>::infinity();
      if (p < used) factor[p] = errors_[first_query + p].factor;
      if (p < used) absolute[p] = errors_[first_query + p].absolute;
    }
    const float* packed = panels_.data() + first_query * vectors_.dim;
    kernels_.dense.dot_panel(packed, vectors_.row(rows.begin), rows.size(), vectors_.dim, scores_.data());
    const std::size_t n = kernels_.dense.select_panel(scores_.data(), bounds_ + rows.begin, rows.size(), factor,
                                                      absolute, threshold, found_.data());
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t p = found_[i] % panel;
      if (p < used) best_[first_query + p].offer(static_cast<std::uint32_t>(rows.begin + found_[i] / panel));
    }
  }

  const kernels::Kernels& kernels_;
  VectorsView vectors_;
  const float* bounds_;
  const float* queries_;
  std::vector<TopK> best_;
  std::vector<ErrorBound> errors_;
  std::vector<float> panels_;
  std::vector<float> scores_;
  std::vector<std::uint32_t> found_;
};

void write_result(std::vector<ScoredDoc>& merged, std::size_t k, float* scores, std::int64_t* docs) {
  const std::size_t n = std::min(k, merged.size());
  std::partial_sort(merged.begin(), merged.begin() + static_cast<std::ptrdiff_t>(n), merged.end(), ranks_before);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = merged[i].score;
    docs[i] = merged[i].doc;
  }
  std::fill(scores + n, scores + k, -std::numeric_limits<float>::infinity());
  std::fill(docs + n, docs + k, -1);
}

}  // namespace

void exact_top_k(const VectorsView& vectors, const float* bounds, const float* queries, std::size_t n_queries,
                 std::size_t k, unsigned threads, float* scores, std::int64_t* docs) {
  if (k == 0 || n_queries == 0) return;
  const std::size_t n_best = std::min(k, vectors.n_docs);
  const std::vector<Range> tiles = split(n_queries, kTileQueries);
  const std::vector<Range> chunks =
      split(vectors.n_docs, chunk_rows(vectors.n_docs, vectors.dim, tiles.size(), tiles[0].size(), threads));
  std::vector<std::vector<std::vector<ScoredDoc>>> found(tiles.size() * chunks.size());
  parallel_for(found.size(), threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    const Range tile = tiles[task / chunks.size()];
    Scan scan(vectors, bounds, queries + tile.begin * vectors.dim, tile.size(), n_best);
    found[task] = scan.run(chunks[task % chunks.size()]);
  });
  parallel_for(n_queries, threads, [&](std::size_t q) {
    const DefaultFloatEnvironment environment;  // comparisons, too, take denormals for zeros without it
    std::vector<ScoredDoc> merged;
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      const auto& part = found[q / kTileQueries * chunks.size() + c][q % kTileQueries];
      merged.insert(merged.end(), part.begin(), part.end());
    }
    write_result(merged, k, scores + q * k, docs + q * k);
  });
}

}  // namespace twotower
