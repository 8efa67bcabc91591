// coded_top_k: ranges of rows times tiles of queries over threads. See twotower/dense_codes.h for the promise.
#include <algorithm>
#include <cmath>

#include "dense/codes/scan.h"
#include "dense/default_float_environment.h"
#include "dense/top_k.h"
#include "kernels/dispatch.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

using kernels::kCodeRows;

constexpr std::size_t kFewQueries = 3;  // up to here each query reads the plane of upper halves for itself
constexpr std::size_t kTileQueries = 256;
constexpr std::size_t kMinRangeRows = 8192;  // below it a thread costs more than it brings
constexpr double kMaxRangeProducts = 5e10;   // some tenths of a second: how long Ctrl-C may wait
constexpr double kMaxRangeBytes = 1e9;

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

std::vector<RowRange> split_rows(const VectorsView& vectors, std::size_t n_tiles, std::size_t tile, unsigned threads) {
  const double dim = static_cast<double>(vectors.dim);
  const double most = std::min(kMaxRangeProducts / (dim * static_cast<double>(tile)), kMaxRangeBytes / dim);
  const std::size_t even = ceil_div(vectors.n_docs, ceil_div(resolve_threads(threads), n_tiles));
  const std::size_t rows = std::max(kMinRangeRows, std::min(even, static_cast<std::size_t>(most)));
  const std::size_t step = ceil_div(rows, kCodeRows) * kCodeRows;
  std::vector<RowRange> ranges;
  for (std::size_t begin = 0; begin < vectors.n_docs; begin += step) {
    ranges.push_back({begin, std::min(vectors.n_docs, begin + step)});
  }
  return ranges;
}

void code_queries(CodedSearch& search, std::size_t n_queries, unsigned threads) {
  const Rotation rotation(search.vectors.dim);
  const std::size_t pitch = search.n_groups() * kernels::kCodeGroup;
  search.query_codes.resize(n_queries * pitch);
  search.coded.resize(n_queries);
  parallel_for(n_queries, n_queries < 32 ? 1 : threads, [&](std::size_t q) {
    const DefaultFloatEnvironment environment;
    search.coded[q] = code_query(rotation, search.queries + q * search.vectors.dim, search.codes.mean,
                                 search.vectors.dim, &search.query_codes[q * pitch]);
  });
}

// The zero query: every score is 0, and DocIds decide.
std::vector<ScoredDoc> first_allowed(const CodedSearch& search, std::size_t k) {
  std::vector<ScoredDoc> best;
  for (std::size_t n = 0; n < search.vectors.n_docs && best.size() < k; ++n) {
    if (search.is_allowed(n)) best.push_back({0.0f, static_cast<std::uint32_t>(n)});
  }
  return best;
}

}  // namespace

CodesReport coded_top_k(const VectorsView& vectors, const CodesView& codes, const std::uint64_t* allowed,
                        const float* queries, std::size_t n_queries, std::size_t k, unsigned threads, float* scores,
                        std::int64_t* docs) {
  if (k == 0 || n_queries == 0) return {};
  CodedSearch search{kernels::active(),
                     vectors,
                     codes,
                     allowed,
                     std::min(k, vectors.n_docs),
                     queries,
                     {},
                     {},
                     std::vector<SharedFloor>(n_queries)};
  code_queries(search, n_queries, threads);
  const std::size_t tile = n_queries <= kFewQueries ? 1 : std::min(kTileQueries, n_queries);
  const std::size_t n_tiles = ceil_div(n_queries, tile);
  const std::vector<RowRange> ranges = split_rows(vectors, n_tiles, tile, threads);
  std::vector<std::vector<std::vector<ScoredDoc>>> found(n_tiles * ranges.size());
  parallel_for(found.size(), threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    const std::size_t first = task / ranges.size() * tile;
    const RowRange rows = ranges[task % ranges.size()];
    if (tile == 1) {
      found[task].push_back(scan_one(search, first, rows));
    } else {
      found[task] = scan_many(search, first, std::min(tile, n_queries - first), rows);
    }
  });
  parallel_for(n_queries, 1, [&](std::size_t q) {
    const DefaultFloatEnvironment environment;  // comparisons, too, take denormals for zeros without it
    std::vector<ScoredDoc> merged;
    if (search.coded[q].zero) {
      merged = first_allowed(search, search.k);
    } else {
      for (std::size_t r = 0; r < ranges.size(); ++r) {
        const auto& part = found[q / tile * ranges.size() + r][q % tile];
        merged.insert(merged.end(), part.begin(), part.end());
      }
    }
    write_best(merged, k, scores + q * k, docs + q * k);
  });
  return {search.n_scanned, search.n_refined, search.n_rescored};
}

void score_intervals(const VectorsView& vectors, const CodesView& codes, const float* queries, std::size_t n_queries,
                     bool coarse, double* lower, double* upper) {
  CodedSearch search{
      kernels::active(), vectors, codes, nullptr, 0, queries, {}, {}, std::vector<SharedFloor>(n_queries)};
  code_queries(search, n_queries, 1);
  const DefaultFloatEnvironment environment;
  std::vector<std::int32_t> sums(ceil_div(vectors.n_docs, kCodeRows) * kCodeRows), low(sums.size());
  for (std::size_t q = 0; q < n_queries; ++q) {
    const CodedQuery& query = search.coded[q];
    const kernels::CodeLine line = coarse ? query.coarse : query.fine;
    const auto plane_sums = search.kernels.codes.plane_sums;
    plane_sums(search.codes_of(q), search.n_groups(), codes.high, sums.size() / kCodeRows, sums.data());
    if (!coarse) {
      plane_sums(search.codes_of(q), search.n_groups(), codes.low, sums.size() / kCodeRows, low.data());
      for (std::size_t n = 0; n < sums.size(); ++n) sums[n] = 16 * sums[n] + low[n];
    }
    for (std::size_t n = 0; n < vectors.n_docs; ++n) {
      const double radius =
          query.zero ? 0.0 : static_cast<double>(line.factor) * (coarse ? codes.coarse_radii : codes.fine_radii)[n];
      const double score = middle(line, sums[n], codes.scales[n]), spare = query.zero ? 0.0 : kUnderflow;
      lower[q * vectors.n_docs + n] = query.centre + std::ldexp(score - radius - spare, query.exponent);
      upper[q * vectors.n_docs + n] = query.centre + std::ldexp(score + radius + spare, query.exponent);
    }
  }
}

}  // namespace twotower
