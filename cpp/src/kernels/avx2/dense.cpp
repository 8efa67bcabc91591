// AVX2, FMA and SSE 4.2: inner products and their selection. See kernels/dense.h for the contracts and scalar/ for the
// meaning.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

// ---------------------------------------------------------------- inner products, float32

float sum_lanes(__m256 v) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// Four rows at once: four streams keep the memory busy, and their four chains hide half of the FMA's latency; the
// second set of accumulators hides the rest.
void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) {
    const float* row = rows + r * dim;
    __m256 low[4], high[4];
    for (int i = 0; i < 4; ++i) low[i] = high[i] = _mm256_setzero_ps();
    std::size_t d = 0;
    for (; d + 16 <= dim; d += 16) {
      const __m256 q0 = _mm256_loadu_ps(query + d);
      const __m256 q1 = _mm256_loadu_ps(query + d + 8);
      for (std::size_t i = 0; i < 4; ++i) {
        low[i] = _mm256_fmadd_ps(q0, _mm256_loadu_ps(row + i * dim + d), low[i]);
        high[i] = _mm256_fmadd_ps(q1, _mm256_loadu_ps(row + i * dim + d + 8), high[i]);
      }
    }
    for (std::size_t i = 0; i < 4; ++i) {
      float sum = sum_lanes(_mm256_add_ps(low[i], high[i]));
      for (std::size_t t = d; t < dim; ++t) sum += query[t] * row[i * dim + t];
      scores[r + i] = sum;
    }
  }
  for (; r < n_rows; ++r) {
    __m256 acc = _mm256_setzero_ps();
    std::size_t d = 0;
    for (; d + 8 <= dim; d += 8) {
      acc = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), _mm256_loadu_ps(rows + r * dim + d), acc);
    }
    float sum = sum_lanes(acc);
    for (; d < dim; ++d) sum += query[d] * rows[r * dim + d];
    scores[r] = sum;
  }
}

constexpr std::size_t kPanel = 16;

// kRows x 16 outputs in registers: 6 x 2 accumulators, 2 query vectors and 1 broadcast are 15 of the 16 registers.
template <std::size_t kRows>
void panel_tile(const float* queries, const float* rows, std::size_t dim, float* scores) noexcept {
  __m256 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm256_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    const __m256 q0 = _mm256_loadu_ps(queries + d * kPanel);
    const __m256 q1 = _mm256_loadu_ps(queries + d * kPanel + 8);
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m256 value = _mm256_broadcast_ss(rows + i * dim + d);
      low[i] = _mm256_fmadd_ps(q0, value, low[i]);
      high[i] = _mm256_fmadd_ps(q1, value, high[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm256_storeu_ps(scores + i * kPanel, low[i]);
    _mm256_storeu_ps(scores + i * kPanel + 8, high[i]);
  }
}

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 6 <= n_rows; r += 6) panel_tile<6>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r < n_rows; ++r) panel_tile<1>(queries, rows + r * dim, dim, scores + r * kPanel);
}

// ---------------------------------------------------------------- exact inner products, float64

// Eight rows at once, one lane each: every lane adds its own products in the order of the definition, and eight chains
// hide the latency of the addition. A product of two floats is exact in float64, so FMA would change nothing.
void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    const float* const* row = rows + r;
    __m256d low = _mm256_setzero_pd(), high = _mm256_setzero_pd();
    for (std::size_t d = 0; d < dim; ++d) {
      const __m256d value = _mm256_set1_pd(static_cast<double>(query[d]));
      const __m128 a = _mm_setr_ps(row[0][d], row[1][d], row[2][d], row[3][d]);
      const __m128 b = _mm_setr_ps(row[4][d], row[5][d], row[6][d], row[7][d]);
      low = _mm256_fmadd_pd(value, _mm256_cvtps_pd(a), low);
      high = _mm256_fmadd_pd(value, _mm256_cvtps_pd(b), high);
    }
    _mm_storeu_ps(scores + r, _mm256_cvtpd_ps(low));
    _mm_storeu_ps(scores + r + 4, _mm256_cvtpd_ps(high));
  }
  for (; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

// ---------------------------------------------------------------- selection

// Bit i is set where lane i is not finite or its upper bound is not <= threshold. No FMA: the oracle rounds twice.
unsigned passing(__m256 score, __m256 norm, __m256 factor, __m256 absolute, __m256 threshold) noexcept {
  const __m256 error = _mm256_add_ps(_mm256_mul_ps(factor, norm), absolute);
  const __m256 above = _mm256_cmp_ps(_mm256_add_ps(score, error), threshold, _CMP_NLE_UQ);
  const __m256 odd = _mm256_cmp_ps(_mm256_sub_ps(score, score), _mm256_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_or_ps(above, odd)));
}

std::size_t put(unsigned mask, std::size_t base, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (; mask != 0; mask &= mask - 1) {
    found[n++] = static_cast<std::uint32_t>(base + static_cast<std::size_t>(__builtin_ctz(mask)));
  }
  return n;
}

std::size_t select_rows(const float* scores, const float* norms, std::size_t n_rows, float factor, float absolute,
                        float threshold, std::uint32_t* found) noexcept {
  const __m256 f = _mm256_set1_ps(factor), a = _mm256_set1_ps(absolute), t = _mm256_set1_ps(threshold);
  std::size_t n = 0;
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    n += put(passing(_mm256_loadu_ps(scores + r), _mm256_loadu_ps(norms + r), f, a, t), r, found + n);
  }
  for (; r < n_rows; ++r) {
    n += put(passing(_mm256_set1_ps(scores[r]), _mm256_set1_ps(norms[r]), f, a, t) & 1u, r, found + n);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const __m256 norm = _mm256_set1_ps(norms[r]);
    for (std::size_t p = 0; p < kPanel; p += 8) {
      const unsigned mask = passing(_mm256_loadu_ps(scores + r * kPanel + p), norm, _mm256_loadu_ps(factor + p),
                                    _mm256_loadu_ps(absolute + p), _mm256_loadu_ps(threshold + p));
      n += put(mask, r * kPanel + p, found + n);
    }
  }
  return n;
}

}  // namespace

const DenseKernels kDense{kPanel, dot_rows, dot_panel, dot_exact, select_rows, select_panel};

}  // namespace twotower::kernels::avx2
