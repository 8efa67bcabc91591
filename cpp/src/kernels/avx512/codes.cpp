// AVX-512 BW: integer inner products of quantised vectors. See kernels/codes.h for the contracts and scalar/ for
// the meaning.
#include "kernels/codes.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

// Four dimensions of a query in every lane of 32 bits.
__m512i four(const std::int8_t* query) noexcept {
  std::int32_t word;
  __builtin_memcpy(&word, query, sizeof word);
  return _mm512_set1_epi32(word);
}

__m512i low_half(__m512i bytes) noexcept { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }
__m512i high_half(__m512i bytes) noexcept { return low_half(_mm512_srli_epi16(bytes, 4)); }

// Adds the products of 64 bytes of a plane, 16 rows, to their sums. A number is below 16, so that four products stay
// below 4 * 15 * 127: VPMADDUBSW never saturates.
__m512i add_group(__m512i sums, __m512i bytes, __m512i q0, __m512i q1) noexcept {
  const __m512i pairs =
      _mm512_add_epi16(_mm512_maddubs_epi16(low_half(bytes), q0), _mm512_maddubs_epi16(high_half(bytes), q1));
  return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

void plane_sums(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* plane, std::size_t n_blocks,
                std::int32_t* sums) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
    std::size_t g = 0;
    for (; g + 2 <= n_groups; g += 2, plane += 2 * kGroupBytes) {
      const std::int8_t* q = query + g * kCodeGroup;
      even = add_group(even, _mm512_loadu_si512(plane), four(q), four(q + 4));
      odd = add_group(odd, _mm512_loadu_si512(plane + kGroupBytes), four(q + 8), four(q + 12));
    }
    if (g < n_groups) {
      const std::int8_t* q = query + g * kCodeGroup;
      even = add_group(even, _mm512_loadu_si512(plane), four(q), four(q + 4));
      plane += kGroupBytes;
    }
    _mm512_storeu_si512(sums + b * kCodeRows, _mm512_add_epi32(even, odd));
  }
}

// One block against a panel: both planes are read and taken apart once for all of its queries.
void block_sums(const std::int8_t* panel, std::size_t n_groups, const std::uint8_t* high, const std::uint8_t* low,
                std::int32_t* sums, std::size_t stride) noexcept {
  __m512i of_high[kCodePanel], of_low[kCodePanel];
  for (std::size_t q = 0; q < kCodePanel; ++q) of_high[q] = of_low[q] = _mm512_setzero_si512();
  for (std::size_t g = 0; g < n_groups; ++g, panel += 8 * kCodePanel) {
    const __m512i h = _mm512_loadu_si512(high + g * kGroupBytes), l = _mm512_loadu_si512(low + g * kGroupBytes);
    for (std::size_t q = 0; q < kCodePanel; ++q) {
      const __m512i q0 = four(panel + q * 4), q1 = four(panel + q * 4 + 4 * kCodePanel);
      of_high[q] = add_group(of_high[q], h, q0, q1);
      of_low[q] = add_group(of_low[q], l, q0, q1);
    }
  }
  for (std::size_t q = 0; q < kCodePanel; ++q) {
    _mm512_storeu_si512(sums + q * stride, _mm512_add_epi32(_mm512_slli_epi32(of_high[q], 4), of_low[q]));
  }
}

std::size_t put(unsigned mask, std::size_t base, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (; mask != 0; mask &= mask - 1) {
    found[n++] = static_cast<std::uint32_t>(base + static_cast<std::size_t>(__builtin_ctz(mask)));
  }
  return n;
}

}  // namespace

void byte_sums(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
               const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept {
  const std::size_t panel_bytes = kCodePanel * n_groups * kCodeGroup;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    const std::size_t at = b * n_groups * kGroupBytes;
    for (std::size_t p = 0; p < n_panels; ++p) {
      block_sums(panels + p * panel_bytes, n_groups, high + at, low + at,
                 sums + p * kCodePanel * stride + b * kCodeRows, stride);
    }
  }
}

std::size_t select_sums(const std::int32_t* sums, const float* scales, const float* radii, std::size_t n_rows,
                        CodeLine line, float threshold, std::uint32_t* found) noexcept {
  const __m512 unit = _mm512_set1_ps(line.unit), factor = _mm512_set1_ps(line.factor), t = _mm512_set1_ps(threshold);
  const __m512i offset = _mm512_set1_epi32(line.offset), least = _mm512_set1_epi32(line.least);
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; r += 16) {
    __mmask16 lanes = static_cast<__mmask16>(n_rows - r >= 16 ? 0xFFFFu : (1u << (n_rows - r)) - 1u);
    const __m512i sum = _mm512_maskz_loadu_epi32(lanes, sums + r);
    lanes = _mm512_mask_cmpge_epi32_mask(lanes, sum, least);
    if (lanes == 0) continue;
    const __m512 scale = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, scales + r), unit);
    const __m512 score = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offset)), scale);
    const __m512 upper = _mm512_add_ps(score, _mm512_mul_ps(factor, _mm512_maskz_loadu_ps(lanes, radii + r)));
    const unsigned mask = _mm512_mask_cmp_ps_mask(lanes, upper, t, _CMP_NLT_UQ);
    if (mask != 0) n += put(mask, r, found + n);
  }
  return n;
}

const CodesKernels kCodes{plane_sums, byte_sums, select_sums};

}  // namespace twotower::kernels::avx512
