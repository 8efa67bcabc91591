// AVX-512 F, BW, VL, DQ: the float64 sums that dense scores are defined by, and stored elements as float32.
// See kernels/dense.h for the contracts and scalar/ for the meaning.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"

namespace twotower::kernels::avx512 {
namespace {

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }

// A product of two floats is exact in float64, so FMA rounds exactly where the definition does.
struct Dot {
  static __m512d add(__m512d sum, __m512d query, __m512d row) noexcept { return _mm512_fmadd_pd(query, row, sum); }
  static double add(double sum, double query, double row) noexcept { return sum + query * row; }
};

// A difference has more bits than half of a float64: its square rounds, so no FMA.
struct SquaredDistance {
  static __m512d add(__m512d sum, __m512d query, __m512d row) noexcept {
    const __m512d difference = _mm512_sub_pd(query, row);
    return _mm512_add_pd(sum, _mm512_mul_pd(difference, difference));
  }
  static double add(double sum, double query, double row) noexcept {
    const double difference = query - row;
    return sum + difference * difference;
  }
};

// Eight rows' dimensions d..d+7 become eight columns of eight rows.
void load_columns(const float* const* rows, std::size_t d, __m256* v) noexcept {
  __m256 t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) {  // rows i and i + 4 share a register, a half each
    const __m256 low =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + d)), _mm_loadu_ps(rows[i + 4] + d), 1);
    const __m256 high = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + d + 4)),
                                             _mm_loadu_ps(rows[i + 4] + d + 4), 1);
    t[i] = low;
    t[i + 4] = high;
  }
#pragma GCC unroll 8
  for (int h = 0; h < 8; h += 4) {
    const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(t[h], t[h + 1]));
    const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(t[h], t[h + 1]));
    const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(t[h + 2], t[h + 3]));
    const __m256d e = _mm256_castps_pd(_mm256_unpackhi_ps(t[h + 2], t[h + 3]));
    v[h] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
    v[h + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
    v[h + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, e));
    v[h + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, e));
  }
}

// One lane a row: every lane adds its own terms in the order of the definition. Two or more groups of eight rows hide
// the latency of each other's additions.
template <class Term, std::size_t kGroups>
void sum_rows(const float* query, const float* const* rows, std::size_t dim, double* sums) noexcept {
  __m512d sum[kGroups];
  for (std::size_t g = 0; g < kGroups; ++g) sum[g] = _mm512_setzero_pd();
  std::size_t d = 0;
  for (; d + 8 <= dim; d += 8) {
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g) {
      __m256 columns[8];
      load_columns(rows + g * 8, d, columns);
#pragma GCC unroll 8
      for (std::size_t j = 0; j < 8; ++j) {
        const __m512d value = _mm512_set1_pd(static_cast<double>(query[d + j]));
        sum[g] = Term::add(sum[g], value, _mm512_cvtps_pd(columns[j]));
      }
    }
  }
  for (std::size_t g = 0; g < kGroups; ++g) {
    alignas(64) double partial[8];
    _mm512_store_pd(partial, sum[g]);
    for (std::size_t i = 0; i < 8; ++i) {
      double rest = partial[i];
      for (std::size_t t = d; t < dim; ++t) {
        rest = Term::add(rest, static_cast<double>(query[t]), static_cast<double>(rows[g * 8 + i][t]));
      }
      sums[g * 8 + i] = rest;
    }
  }
}

template <class Term>
void sum_all(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim, double* sums) noexcept {
  std::size_t r = 0;
  for (; r + 16 <= n_rows; r += 16) sum_rows<Term, 2>(query, rows + r, dim, sums + r);
  if (r == n_rows) return;
  const float* last[16];  // repeated, so that the remainder runs at the same speed
  double extra[16];
  const std::size_t left = n_rows - r;
  for (std::size_t i = 0; i < 16; ++i) last[i] = rows[r + (i < left ? i : left - 1)];
  if (left > 8) {
    sum_rows<Term, 2>(query, last, dim, extra);
  } else {
    sum_rows<Term, 1>(query, last, dim, extra);
  }
  for (std::size_t i = 0; i < left; ++i) sums[r + i] = extra[i];
}

void widen_bfloat16(const void* row, std::size_t dim, float* values) noexcept {
  for (std::size_t d = 0; d < dim; d += 16) {
    const __mmask16 mask = first_lanes(dim - d);
    const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d);
    const __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
    _mm512_mask_storeu_ps(values + d, mask, _mm512_castsi512_ps(wide));
  }
}

void widen_float16(const void* row, std::size_t dim, float* values) noexcept {
  for (std::size_t d = 0; d < dim; d += 16) {
    const __mmask16 mask = first_lanes(dim - d);
    const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const std::uint16_t*>(row) + d);
    _mm512_mask_storeu_ps(values + d, mask, _mm512_cvtph_ps(bits));
  }
}

void widen_int8(const void* row, std::size_t dim, float* values) noexcept {
  for (std::size_t d = 0; d < dim; d += 16) {
    const __mmask16 mask = first_lanes(dim - d);
    const __m128i bytes = _mm_maskz_loadu_epi8(mask, static_cast<const std::int8_t*>(row) + d);
    _mm512_mask_storeu_ps(values + d, mask, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
  }
}

}  // namespace

const ExactKernels kDenseExact{sum_all<Dot>, sum_all<SquaredDistance>, widen_bfloat16, widen_float16, widen_int8};

}  // namespace twotower::kernels::avx512
