// doc_limits and norm_bounds: see twotower/dense.h. The reasons are in docs/math.md, section 1.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "dense/default_float_environment.h"
#include "dense/error_bound.h"
#include "dense/exact_scorer.h"
#include "dense/query_limits.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kRowsAtOnce = 64;
constexpr std::size_t kRowsOfTask = 4096;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Not below the norm, however the sum of squares was rounded; NaN where an element was not finite.
float norm_bound(double squares) {
  if (!std::isfinite(squares)) return std::numeric_limits<float>::quiet_NaN();
  return round_up(std::sqrt(squares) * (1.0 + 0x1p-30));
}

// The sum of a row's integers: below 2^31 / 128 for the D that have fast products (kMaxInt8Dim).
std::int32_t sum_of(const StoredVectors& vectors, std::size_t doc) {
  if (vectors.dim > kMaxInt8Dim) return 0;
  const auto* row = static_cast<const std::int8_t*>(vectors.row(doc));
  return std::accumulate(row, row + vectors.dim, std::int32_t{0});
}

// Calls body(n, squares) for each row.
template <class Body>
void for_squares(const StoredVectors& vectors, unsigned threads, Body&& body) {
  const kernels::Kernels& kernels = kernels::active();
  const std::vector<float> zero(vectors.dim, 0.0f);
  parallel_for((vectors.n_docs + kRowsOfTask - 1) / kRowsOfTask, threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    const std::size_t end = std::min(vectors.n_docs, (task + 1) * kRowsOfTask);
    std::vector<float> values(kRowsAtOnce * vectors.dim);
    const float* rows[kRowsAtOnce];
    std::uint32_t docs[kRowsAtOnce];
    double sums[kRowsAtOnce];
    for (std::size_t n = task * kRowsOfTask; n < end; n += kRowsAtOnce) {
      const std::size_t size = std::min(kRowsAtOnce, end - n);
      std::iota(docs, docs + size, static_cast<std::uint32_t>(n));
      widen_rows(kernels, vectors, docs, size, values.data());
      for (std::size_t i = 0; i < size; ++i) rows[i] = values.data() + i * vectors.dim;
      kernels.dense.exact.squared_distance(zero.data(), rows, size, vectors.dim, sums);
      for (std::size_t i = 0; i < size; ++i) body(n + i, sums[i]);
    }
  });
}

}  // namespace

void doc_limits(const StoredVectors& vectors, Metric metric, unsigned threads, const DocLimits& limits) {
  for_squares(vectors, threads, [&](std::size_t n, double squares) {
    const float bound = norm_bound(squares);
    const float stored_scale = vectors.storage == Storage::kInt8 ? vectors.scales[n] : 1.0f;
    limits.squares[n] = squares;
    if (vectors.storage == Storage::kInt8) limits.start[n] = -128 * sum_of(vectors, n);
    limits.scale[n] = stored_scale;
    limits.offset[n] = 0.0f;
    limits.norm[n] = bound < kMaxFastNorm || std::isnan(bound) ? bound : kInfinity;
    if (metric == Metric::kL2 && bound < kMaxFastNorm) {
      limits.offset[n] = round_up(-0.5 * squares * (1.0 - kOffsetSlack));
    } else if (metric == Metric::kCosine && squares == 0.0) {
      limits.scale[n] = 0.0f;
    } else if (metric == Metric::kCosine && bound < kMaxFastNorm) {
      limits.scale[n] = static_cast<float>(static_cast<double>(stored_scale) / std::sqrt(squares));
      limits.norm[n] = bound > kMinCosineNorm ? 1.0f : kInfinity;
    }
  });
}

void norm_bounds(const VectorsView& vectors, unsigned threads, float* bounds) {
  for_squares(vectors, threads, [&](std::size_t n, double squares) { bounds[n] = norm_bound(squares); });
}

}  // namespace twotower
