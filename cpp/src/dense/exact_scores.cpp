// norm_bounds and exact_scores: see twotower/dense.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dense/default_float_environment.h"
#include "dense/error_bound.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kRowsAtOnce = 4096;
constexpr std::size_t kDocsAtOnce = 512;

// A float32 sum of squares is within gamma of the exact one while neither overflow nor underflow can have touched it;
// the float64 sum always is within 2^-30 of it, up to 2^22 dimensions.
float norm_bound(const kernels::Kernels& kernels, const float* row, std::size_t dim) {
  float fast;
  kernels.dense.dot_rows(row, row, 1, dim, &fast);
  const double gamma = gamma32(dim);
  if (fast > 1e-20f && fast < std::numeric_limits<float>::infinity() && gamma < 0.25) {
    return round_up(std::sqrt(static_cast<double>(fast) * (1.0 + 2.0 * gamma) + static_cast<double>(dim) * 0x1p-148));
  }
  double sum = 0.0;
  for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(row[d]) * static_cast<double>(row[d]);
  if (!std::isfinite(sum)) return std::numeric_limits<float>::quiet_NaN();
  return round_up(std::sqrt(sum) * (1.0 + 0x1p-30));
}

}  // namespace

void norm_bounds(const VectorsView& vectors, unsigned threads, float* bounds) {
  const kernels::Kernels& kernels = kernels::active();
  parallel_for((vectors.n_docs + kRowsAtOnce - 1) / kRowsAtOnce, threads, [&](std::size_t block) {
    const DefaultFloatEnvironment environment;
    const std::size_t end = std::min(vectors.n_docs, (block + 1) * kRowsAtOnce);
    for (std::size_t n = block * kRowsAtOnce; n < end; ++n)
      bounds[n] = norm_bound(kernels, vectors.row(n), vectors.dim);
  });
}

void exact_scores(const VectorsView& vectors, const float* queries, std::size_t n_queries, const std::int64_t* docs,
                  std::size_t n_docs, unsigned threads, float* scores) {
  const kernels::Kernels& kernels = kernels::active();
  const std::size_t lots = (n_docs + kDocsAtOnce - 1) / kDocsAtOnce;
  parallel_for(n_queries * lots, threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    const std::size_t q = task / lots, begin = task % lots * kDocsAtOnce;
    const std::size_t size = std::min(kDocsAtOnce, n_docs - begin);
    const std::int64_t* wanted = docs + q * n_docs + begin;
    float* out = scores + q * n_docs + begin;
    const float* rows[kDocsAtOnce];
    float exact[kDocsAtOnce];
    std::size_t n = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (wanted[i] >= 0) rows[n++] = vectors.row(static_cast<std::size_t>(wanted[i]));
    }
    kernels.dense.dot_exact(queries + q * vectors.dim, rows, n, vectors.dim, exact);
    n = 0;
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = wanted[i] >= 0 ? exact[n++] : -std::numeric_limits<float>::infinity();
    }
  });
}

}  // namespace twotower
