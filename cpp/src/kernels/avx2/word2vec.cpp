// AVX2: word vectors. See kernels/word2vec.h for the contracts and scalar/ for the meaning.
#include "kernels/word2vec.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

constexpr std::size_t kWidth = 8;  // floats of a vector; two make the 16 lanes

float fold(__m256 low, __m256 high) noexcept {
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

float inner_product(const float* a, const float* b, std::size_t dim) noexcept {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  std::size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    low = _mm256_add_ps(low, _mm256_mul_ps(_mm256_loadu_ps(a + d), _mm256_loadu_ps(b + d)));
    high = _mm256_add_ps(high, _mm256_mul_ps(_mm256_loadu_ps(a + d + kWidth), _mm256_loadu_ps(b + d + kWidth)));
  }
  if (d < dim) {  // the rest through lanes in memory: at most 15 numbers
    float rest[kLanes] = {};
    for (std::size_t j = 0; d + j < dim; ++j) rest[j] = a[d + j] * b[d + j];
    low = _mm256_add_ps(low, _mm256_loadu_ps(rest));
    high = _mm256_add_ps(high, _mm256_loadu_ps(rest + kWidth));
  }
  return fold(low, high);
}

void row_scores(const float* input, const float* table, const std::uint32_t* rows, std::size_t n_rows, std::size_t dim,
                float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) scores[r] = inner_product(input, table + rows[r] * dim, dim);
}

// Moves dimensions [first, first + 8 kVectors) of all rows: input and error stay in registers meanwhile.
template <std::size_t kVectors>
void step(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
          std::size_t dim, std::size_t first, float* error) noexcept {
  __m256 in[kVectors], err[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    in[v] = _mm256_loadu_ps(input + first + v * kWidth);
    err[v] = _mm256_loadu_ps(error + first + v * kWidth);
  }
  for (std::size_t r = 0; r < n_rows; ++r) {
    float* row = table + rows[r] * dim + first;
    const __m256 by = _mm256_set1_ps(steps[r]);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m256 old = _mm256_loadu_ps(row + v * kWidth);
      err[v] = _mm256_add_ps(err[v], _mm256_mul_ps(by, old));
      _mm256_storeu_ps(row + v * kWidth, _mm256_add_ps(old, _mm256_mul_ps(by, in[v])));
    }
  }
  for (std::size_t v = 0; v < kVectors; ++v) _mm256_storeu_ps(error + first + v * kWidth, err[v]);
}

void step_rows(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
               std::size_t dim, float* error) noexcept {
  std::size_t d = 0;
  for (; d + 4 * kWidth <= dim; d += 4 * kWidth) step<4>(input, table, rows, steps, n_rows, dim, d, error);
  for (; d + kWidth <= dim; d += kWidth) step<1>(input, table, rows, steps, n_rows, dim, d, error);
  for (std::size_t r = 0; r < n_rows && d < dim; ++r) {
    float* row = table + rows[r] * dim;
    for (std::size_t e = d; e < dim; ++e) {
      error[e] += steps[r] * row[e];
      row[e] += steps[r] * input[e];
    }
  }
}

}  // namespace

const Word2VecKernels kWord2Vec{row_scores, step_rows};

}  // namespace twotower::kernels::avx2
