// exact_scores: see twotower/dense.h.
#include <algorithm>
#include <limits>
#include <vector>

#include "dense/default_float_environment.h"
#include "dense/exact_scorer.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kDocsAtOnce = 512;

}  // namespace

void exact_scores(const DenseView& view, const float* queries, std::size_t n_queries, const std::int64_t* docs,
                  std::size_t n_docs, unsigned threads, float* scores) {
  const kernels::Kernels& kernels = kernels::active();
  const std::size_t lots = (n_docs + kDocsAtOnce - 1) / kDocsAtOnce;
  parallel_for(n_queries * lots, threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    const std::size_t q = task / lots, begin = task % lots * kDocsAtOnce;
    const std::size_t size = std::min(kDocsAtOnce, n_docs - begin);
    const std::int64_t* wanted = docs + q * n_docs + begin;
    float* out = scores + q * n_docs + begin;
    std::uint32_t known[kDocsAtOnce];
    float exact[kDocsAtOnce];
    std::size_t n = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (wanted[i] >= 0) known[n++] = static_cast<std::uint32_t>(wanted[i]);
    }
    ExactScorer(kernels, view, queries + q * view.vectors.dim).score(known, n, exact);
    n = 0;
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = wanted[i] >= 0 ? exact[n++] : -std::numeric_limits<float>::infinity();
    }
  });
}

}  // namespace twotower
