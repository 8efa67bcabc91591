// The meaning of the kernels of word vectors: every other instruction set is compared with this file.
#include "kernels/word2vec.h"

namespace twotower::kernels::scalar {
namespace {

float inner_product(const float* a, const float* b, std::size_t dim) noexcept {
  float lanes[kLanes] = {};
  for (std::size_t d = 0; d < dim; ++d) lanes[d % kLanes] += a[d] * b[d];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

void row_scores(const float* input, const float* table, const std::uint32_t* rows, std::size_t n_rows, std::size_t dim,
                float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) scores[r] = inner_product(input, table + rows[r] * dim, dim);
}

void step_rows(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
               std::size_t dim, float* error) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    float* row = table + rows[r] * dim;
    for (std::size_t d = 0; d < dim; ++d) {
      error[d] += steps[r] * row[d];
      row[d] += steps[r] * input[d];
    }
  }
}

}  // namespace

const Word2VecKernels kWord2Vec{row_scores, step_rows};

}  // namespace twotower::kernels::scalar
