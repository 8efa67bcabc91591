// AVX-512 F, BW, VL, DQ: inner products and their selection. See kernels/dense.h for the contracts and scalar/ for the
// meaning.
#include "kernels/dense.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

// ---------------------------------------------------------------- inner products, float32

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>((1u << n) - 1u); }  // n < 16

// Four rows at once: four streams keep the memory busy, and their chains hide the latency of the FMA. The masked load
// of the tail reads nothing past the row.
template <std::size_t kRows>
void row_tile(const float* query, const float* rows, std::size_t dim, float* scores) noexcept {
  __m512 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const __m512 q0 = _mm512_loadu_ps(query + d);
    const __m512 q1 = _mm512_loadu_ps(query + d + 16);
    for (std::size_t i = 0; i < kRows; ++i) {
      low[i] = _mm512_fmadd_ps(q0, _mm512_loadu_ps(rows + i * dim + d), low[i]);
      high[i] = _mm512_fmadd_ps(q1, _mm512_loadu_ps(rows + i * dim + d + 16), high[i]);
    }
  }
  for (; d < dim; d += 16) {
    const __mmask16 mask = dim - d >= 16 ? static_cast<__mmask16>(0xFFFF) : first_lanes(dim - d);
    const __m512 q = _mm512_maskz_loadu_ps(mask, query + d);
    for (std::size_t i = 0; i < kRows; ++i) {
      low[i] = _mm512_fmadd_ps(q, _mm512_maskz_loadu_ps(mask, rows + i * dim + d), low[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) scores[i] = _mm512_reduce_add_ps(_mm512_add_ps(low[i], high[i]));
}

void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) row_tile<4>(query, rows + r * dim, dim, scores + r);
  for (; r < n_rows; ++r) row_tile<1>(query, rows + r * dim, dim, scores + r);
}

constexpr std::size_t kPanel = 32;

// kRows x 32 outputs in registers: 12 x 2 accumulators, 2 query vectors and 1 broadcast are 27 of the 32 registers.
template <std::size_t kRows>
void panel_tile(const float* queries, const float* rows, std::size_t dim, float* scores) noexcept {
  __m512 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm512_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    const __m512 q0 = _mm512_loadu_ps(queries + d * kPanel);
    const __m512 q1 = _mm512_loadu_ps(queries + d * kPanel + 16);
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m512 value = _mm512_set1_ps(rows[i * dim + d]);
      low[i] = _mm512_fmadd_ps(q0, value, low[i]);
      high[i] = _mm512_fmadd_ps(q1, value, high[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm512_storeu_ps(scores + i * kPanel, low[i]);
    _mm512_storeu_ps(scores + i * kPanel + 16, high[i]);
  }
}

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 12 <= n_rows; r += 12) panel_tile<12>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r + 4 <= n_rows; r += 4) panel_tile<4>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r < n_rows; ++r) panel_tile<1>(queries, rows + r * dim, dim, scores + r * kPanel);
}

// ---------------------------------------------------------------- exact inner products, float64

// Eight rows at once, one lane each: every lane adds its own products in the order of the definition. A product of two
// floats is exact in float64, so FMA rounds exactly where the definition does.
void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    const float* const* row = rows + r;
    __m512d sum = _mm512_setzero_pd();
    for (std::size_t d = 0; d < dim; ++d) {
      const __m512d value = _mm512_set1_pd(static_cast<double>(query[d]));
      const __m256 column =
          _mm256_setr_ps(row[0][d], row[1][d], row[2][d], row[3][d], row[4][d], row[5][d], row[6][d], row[7][d]);
      sum = _mm512_fmadd_pd(value, _mm512_cvtps_pd(column), sum);
    }
    _mm256_storeu_ps(scores + r, _mm512_cvtpd_ps(sum));
  }
  for (; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

// ---------------------------------------------------------------- selection

// Bit i is set where lane i is not finite or its upper bound is not <= threshold. No FMA: the oracle rounds twice.
unsigned passing(__m512 score, __m512 norm, __m512 factor, __m512 absolute, __m512 threshold) noexcept {
  const __m512 error = _mm512_add_ps(_mm512_mul_ps(factor, norm), absolute);
  const __mmask16 above = _mm512_cmp_ps_mask(_mm512_add_ps(score, error), threshold, _CMP_NLE_UQ);
  const __mmask16 odd = _mm512_cmp_ps_mask(_mm512_sub_ps(score, score), _mm512_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<unsigned>(above) | static_cast<unsigned>(odd);
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
  const __m512 f = _mm512_set1_ps(factor), a = _mm512_set1_ps(absolute), t = _mm512_set1_ps(threshold);
  std::size_t n = 0;
  std::size_t r = 0;
  for (; r + 16 <= n_rows; r += 16) {
    n += put(passing(_mm512_loadu_ps(scores + r), _mm512_loadu_ps(norms + r), f, a, t), r, found + n);
  }
  if (r < n_rows) {
    const __mmask16 mask = first_lanes(n_rows - r);
    const __m512 score = _mm512_maskz_loadu_ps(mask, scores + r);
    n += put(passing(score, _mm512_maskz_loadu_ps(mask, norms + r), f, a, t) & mask, r, found + n);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const __m512 norm = _mm512_set1_ps(norms[r]);
    for (std::size_t p = 0; p < kPanel; p += 16) {
      const unsigned mask = passing(_mm512_loadu_ps(scores + r * kPanel + p), norm, _mm512_loadu_ps(factor + p),
                                    _mm512_loadu_ps(absolute + p), _mm512_loadu_ps(threshold + p));
      n += put(mask, r * kPanel + p, found + n);
    }
  }
  return n;
}

}  // namespace

const DenseKernels kDense{kPanel, dot_rows, dot_panel, dot_exact, select_rows, select_panel};

}  // namespace twotower::kernels::avx512
