// The scores of some documents for one query, by the definition. Knows storage and metric; knows no bound and no order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "twotower/dense.h"

namespace twotower {

/// Fills `values` [n, D] with the float32 numbers that stored rows stand for.
void widen_rows(const kernels::Kernels& kernels, const StoredVectors& vectors, const std::uint32_t* docs, std::size_t n,
                float* values);

class ExactScorer {
 public:
  /// `query` [D] is not copied.
  ExactScorer(const kernels::Kernels& kernels, const DenseView& view, const float* query);

  /// scores[i] = the score of docs[i].
  void score(const std::uint32_t* docs, std::size_t n, float* scores);

 private:
  void score_lot(const std::uint32_t* docs, std::size_t n, float* scores);

  const kernels::Kernels& kernels_;
  DenseView view_;
  const float* query_;
  double query_root_ = 0.0;  // of its sum of squares, for cosine
};

}  // namespace twotower
