// AVX-512 F, VL, DQ: word vectors. See kernels/word2vec.h for the contracts and scalar/ for the meaning.
#include "kernels/word2vec.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

constexpr std::size_t kStep = 4;  // rows scored at once, vectors of a row moved at once: enough to hide an addition

// The lanes of the last vector of a row; no memory behind a row is touched.
__mmask16 tail_of(std::size_t dim) noexcept { return static_cast<__mmask16>((1u << dim % kLanes) - 1); }

float fold(__m512 lanes) noexcept {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

template <std::size_t kRows>
void score(const float* input, const float* table, const std::uint32_t* rows, std::size_t dim, float* scores) noexcept {
  const float* at[kRows];
  __m512 lanes[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    at[r] = table + rows[r] * dim;
    lanes[r] = _mm512_setzero_ps();
  }
  std::size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    const __m512 in = _mm512_loadu_ps(input + d);
    for (std::size_t r = 0; r < kRows; ++r) {
      lanes[r] = _mm512_add_ps(lanes[r], _mm512_mul_ps(in, _mm512_loadu_ps(at[r] + d)));
    }
  }
  if (d < dim) {
    const __mmask16 tail = tail_of(dim);
    const __m512 in = _mm512_maskz_loadu_ps(tail, input + d);
    for (std::size_t r = 0; r < kRows; ++r) {
      lanes[r] = _mm512_add_ps(lanes[r], _mm512_mul_ps(in, _mm512_maskz_loadu_ps(tail, at[r] + d)));
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) scores[r] = fold(lanes[r]);
}

void row_scores(const float* input, const float* table, const std::uint32_t* rows, std::size_t n_rows, std::size_t dim,
                float* scores) noexcept {
  std::size_t r = 0;
  for (; r + kStep <= n_rows; r += kStep) score<kStep>(input, table, rows + r, dim, scores + r);
  for (; r < n_rows; ++r) score<1>(input, table, rows + r, dim, scores + r);
}

// Moves dimensions [first, first + 16 kVectors) of all rows: input and error stay in registers meanwhile.
template <std::size_t kVectors>
void step(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
          std::size_t dim, std::size_t first, float* error) noexcept {
  __m512 in[kVectors], err[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    in[v] = _mm512_loadu_ps(input + first + v * kLanes);
    err[v] = _mm512_loadu_ps(error + first + v * kLanes);
  }
  for (std::size_t r = 0; r < n_rows; ++r) {
    float* row = table + rows[r] * dim + first;
    const __m512 by = _mm512_set1_ps(steps[r]);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512 old = _mm512_loadu_ps(row + v * kLanes);
      err[v] = _mm512_add_ps(err[v], _mm512_mul_ps(by, old));
      _mm512_storeu_ps(row + v * kLanes, _mm512_add_ps(old, _mm512_mul_ps(by, in[v])));
    }
  }
  for (std::size_t v = 0; v < kVectors; ++v) _mm512_storeu_ps(error + first + v * kLanes, err[v]);
}

void step_tail(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
               std::size_t dim, std::size_t first, float* error) noexcept {
  const __mmask16 tail = tail_of(dim);
  const __m512 in = _mm512_maskz_loadu_ps(tail, input + first);
  __m512 err = _mm512_maskz_loadu_ps(tail, error + first);
  for (std::size_t r = 0; r < n_rows; ++r) {
    float* row = table + rows[r] * dim + first;
    const __m512 by = _mm512_set1_ps(steps[r]);
    const __m512 old = _mm512_maskz_loadu_ps(tail, row);
    err = _mm512_add_ps(err, _mm512_mul_ps(by, old));
    _mm512_mask_storeu_ps(row, tail, _mm512_add_ps(old, _mm512_mul_ps(by, in)));
  }
  _mm512_mask_storeu_ps(error + first, tail, err);
}

void step_rows(const float* input, float* table, const std::uint32_t* rows, const float* steps, std::size_t n_rows,
               std::size_t dim, float* error) noexcept {
  std::size_t d = 0;
  for (; d + kStep * kLanes <= dim; d += kStep * kLanes) {
    step<kStep>(input, table, rows, steps, n_rows, dim, d, error);
  }
  for (; d + kLanes <= dim; d += kLanes) step<1>(input, table, rows, steps, n_rows, dim, d, error);
  if (d < dim) step_tail(input, table, rows, steps, n_rows, dim, d, error);
}

}  // namespace

const Word2VecKernels kWord2Vec{row_scores, step_rows};

}  // namespace twotower::kernels::avx512
