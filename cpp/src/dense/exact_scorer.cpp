#include "dense/exact_scorer.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace twotower {
namespace {

constexpr std::size_t kLot = 32;

void widen(const kernels::Kernels& kernels, const StoredVectors& vectors, std::size_t doc, float* values) {
  const kernels::ExactKernels& exact = kernels.dense.exact;
  switch (vectors.storage) {
    case Storage::kFloat32:
      std::copy_n(static_cast<const float*>(vectors.row(doc)), vectors.dim, values);
      return;
    case Storage::kBfloat16:
      exact.widen_bfloat16(vectors.row(doc), vectors.dim, values);
      return;
    case Storage::kFloat16:
      exact.widen_float16(vectors.row(doc), vectors.dim, values);
      return;
    case Storage::kInt8:
      exact.widen_int8(vectors.row(doc), vectors.dim, values);
      for (std::size_t d = 0; d < vectors.dim; ++d) values[d] *= vectors.scales[doc];
      return;
  }
}

}  // namespace

void widen_rows(const kernels::Kernels& kernels, const StoredVectors& vectors, const std::uint32_t* docs, std::size_t n,
                float* values) {
  for (std::size_t i = 0; i < n; ++i) widen(kernels, vectors, docs[i], values + i * vectors.dim);
}

ExactScorer::ExactScorer(const kernels::Kernels& kernels, const DenseView& view, const float* query)
    : kernels_(kernels), view_(view), query_(query) {
  if (view.metric == Metric::kCosine) {
    double squares = 0.0;
    kernels.dense.exact.dot(query, &query, 1, view.vectors.dim, &squares);
    query_root_ = std::sqrt(squares);
  }
}

void ExactScorer::score(const std::uint32_t* docs, std::size_t n, float* scores) {
  for (std::size_t i = 0; i < n; i += kLot) score_lot(docs + i, std::min(kLot, n - i), scores + i);
}

void ExactScorer::score_lot(const std::uint32_t* docs, std::size_t n, float* scores) {
  const StoredVectors& vectors = view_.vectors;
  const float* rows[kLot] = {};
  double sums[kLot];
  if (vectors.storage == Storage::kFloat32) {
    for (std::size_t i = 0; i < n; ++i) rows[i] = static_cast<const float*>(vectors.row(docs[i]));
  } else {
    // One room for all scorers of a thread: thousands of queries would else touch as many fresh pages.
    static thread_local std::vector<float> values;
    values.resize(kLot * vectors.dim);
    widen_rows(kernels_, vectors, docs, n, values.data());
    for (std::size_t i = 0; i < n; ++i) rows[i] = values.data() + i * vectors.dim;
  }
  const kernels::ExactKernels& exact = kernels_.dense.exact;
  (view_.metric == Metric::kL2 ? exact.squared_distance : exact.dot)(query_, rows, n, vectors.dim, sums);
  for (std::size_t i = 0; i < n; ++i) {
    if (view_.metric == Metric::kL2) {
      scores[i] = 0.0f - static_cast<float>(sums[i]);
    } else if (view_.metric == Metric::kCosine) {
      const double roots = query_root_ * std::sqrt(view_.limits.squares[docs[i]]);
      scores[i] = roots == 0.0 ? 0.0f : static_cast<float>(sums[i] / roots);
    } else {
      scores[i] = static_cast<float>(sums[i]);
    }
  }
}

}  // namespace twotower
