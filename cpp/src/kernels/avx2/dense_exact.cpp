// AVX2, FMA, F16C: the float64 sums that dense scores are defined by, and stored elements as float32.
// See kernels/dense.h for the contracts and scalar/ for the meaning.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"

namespace twotower::kernels::avx2 {
namespace {

// A product of two floats is exact in float64, so FMA rounds exactly where the definition does.
struct Dot {
  static __m256d add(__m256d sum, __m256d query, __m256d row) noexcept { return _mm256_fmadd_pd(query, row, sum); }
  static double add(double sum, double query, double row) noexcept { return sum + query * row; }
};

// A difference has more bits than half of a float64: its square rounds, so no FMA.
struct SquaredDistance {
  static __m256d add(__m256d sum, __m256d query, __m256d row) noexcept {
    const __m256d difference = _mm256_sub_pd(query, row);
    return _mm256_add_pd(sum, _mm256_mul_pd(difference, difference));
  }
  static double add(double sum, double query, double row) noexcept {
    const double difference = query - row;
    return sum + difference * difference;
  }
};

// One lane a row: every lane adds its own terms in the order of the definition. Two groups of four rows hide a part of
// the latency of each other's additions.
template <class Term>
void sum_rows(const float* query, const float* const* rows, std::size_t dim, double* sums) noexcept {
  __m256d sum[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  std::size_t d = 0;
  for (; d + 4 <= dim; d += 4) {
#pragma GCC unroll 2
    for (std::size_t g = 0; g < 2; ++g) {
      __m128 v0 = _mm_loadu_ps(rows[g * 4] + d), v1 = _mm_loadu_ps(rows[g * 4 + 1] + d);
      __m128 v2 = _mm_loadu_ps(rows[g * 4 + 2] + d), v3 = _mm_loadu_ps(rows[g * 4 + 3] + d);
      _MM_TRANSPOSE4_PS(v0, v1, v2, v3);
      const __m128 columns[4] = {v0, v1, v2, v3};
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        const __m256d value = _mm256_set1_pd(static_cast<double>(query[d + j]));
        sum[g] = Term::add(sum[g], value, _mm256_cvtps_pd(columns[j]));
      }
    }
  }
  for (std::size_t i = 0; i < 8; ++i) {
    double partial[8];
    _mm256_storeu_pd(partial, sum[0]);
    _mm256_storeu_pd(partial + 4, sum[1]);
    double rest = partial[i];
    for (std::size_t t = d; t < dim; ++t) {
      rest = Term::add(rest, static_cast<double>(query[t]), static_cast<double>(rows[i][t]));
    }
    sums[i] = rest;
  }
}

template <class Term>
void sum_all(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim, double* sums) noexcept {
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) sum_rows<Term>(query, rows + r, dim, sums + r);
  if (r == n_rows) return;
  const float* last[8];  // repeated, so that the remainder runs at the same speed
  double extra[8];
  const std::size_t left = n_rows - r;
  for (std::size_t i = 0; i < 8; ++i) last[i] = rows[r + (i < left ? i : left - 1)];
  sum_rows<Term>(query, last, dim, extra);
  for (std::size_t i = 0; i < left; ++i) sums[r + i] = extra[i];
}

// Rows may begin anywhere.
std::uint16_t half_at(const void* row, std::size_t d) noexcept {
  std::uint16_t bits;
  __builtin_memcpy(&bits, static_cast<const char*>(row) + d * sizeof bits, sizeof bits);
  return bits;
}

void widen_bfloat16(const void* row, std::size_t dim, float* values) noexcept {
  auto* out = reinterpret_cast<unsigned char*>(values);
  for (std::size_t d = 0; d < dim; ++d) {
    const std::uint32_t wide = static_cast<std::uint32_t>(half_at(row, d)) << 16;
    __builtin_memcpy(out + d * sizeof wide, &wide, sizeof wide);
  }
}

void widen_float16(const void* row, std::size_t dim, float* values) noexcept {
  const auto* bits = static_cast<const std::uint16_t*>(row);
  std::size_t d = 0;
  for (; d + 8 <= dim; d += 8) {
    _mm256_storeu_ps(values + d, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bits + d))));
  }
  for (; d < dim; ++d) values[d] = _cvtsh_ss(half_at(row, d));
}

void widen_int8(const void* row, std::size_t dim, float* values) noexcept {
  const auto* bytes = static_cast<const std::int8_t*>(row);
  for (std::size_t d = 0; d < dim; ++d) values[d] = static_cast<float>(bytes[d]);
}

}  // namespace

const ExactKernels kDenseExact{sum_all<Dot>, sum_all<SquaredDistance>, widen_bfloat16, widen_float16, widen_int8};

}  // namespace twotower::kernels::avx2
