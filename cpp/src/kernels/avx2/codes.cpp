// AVX2: integer inner products of quantised vectors. See kernels/codes.h for the contracts and scalar/ for the meaning.
#include "kernels/codes.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

// Four dimensions of a query in every lane of 32 bits.
__m256i four(const std::int8_t* query) noexcept {
  std::int32_t word;
  __builtin_memcpy(&word, query, sizeof word);
  return _mm256_set1_epi32(word);
}

// Adds the products of 32 bytes of a plane, 8 rows, to their sums. A number is below 16, so that two products stay
// below 15 * 127 * 2 = 3810 and eight of such pairs within 16 bits: VPMADDUBSW never saturates.
__m256i add_group(__m256i sums, __m256i bytes, __m256i q0, __m256i q1) noexcept {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i low = _mm256_and_si256(bytes, mask);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
  const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(low, q0), _mm256_maddubs_epi16(high, q1));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

__m256i load(const std::uint8_t* bytes) noexcept { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)); }

void store(std::int32_t* sums, __m256i value) noexcept { _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), value); }

void plane_sums(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* plane, std::size_t n_blocks,
                std::int32_t* sums) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    __m256i first = _mm256_setzero_si256(), second = _mm256_setzero_si256();
    for (std::size_t g = 0; g < n_groups; ++g, plane += kGroupBytes) {
      const __m256i q0 = four(query + g * kCodeGroup), q1 = four(query + g * kCodeGroup + 4);
      first = add_group(first, load(plane), q0, q1);
      second = add_group(second, load(plane + 32), q0, q1);
    }
    store(sums + b * kCodeRows, first);
    store(sums + b * kCodeRows + 8, second);
  }
}

// Half a block against two queries of a panel: both planes are read and taken apart once for the two.
void half_block(const std::int8_t* panel, std::size_t n_groups, const std::uint8_t* high, const std::uint8_t* low,
                std::int32_t* sums, std::size_t stride) noexcept {
  __m256i of_high[2], of_low[2];
  for (std::size_t q = 0; q < 2; ++q) of_high[q] = of_low[q] = _mm256_setzero_si256();
  for (std::size_t g = 0; g < n_groups; ++g, panel += 8 * kCodePanel) {
    const __m256i h = load(high + g * kGroupBytes), l = load(low + g * kGroupBytes);
    for (std::size_t q = 0; q < 2; ++q) {
      const __m256i q0 = four(panel + q * 4), q1 = four(panel + q * 4 + 4 * kCodePanel);
      of_high[q] = add_group(of_high[q], h, q0, q1);
      of_low[q] = add_group(of_low[q], l, q0, q1);
    }
  }
  for (std::size_t q = 0; q < 2; ++q) {
    store(sums + q * stride, _mm256_add_epi32(_mm256_slli_epi32(of_high[q], 4), of_low[q]));
  }
}

void byte_sums(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
               const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    for (std::size_t q = 0; q < n_panels * kCodePanel; q += 2) {
      const std::int8_t* pair = panels + q / kCodePanel * kCodePanel * n_groups * kCodeGroup + q % kCodePanel * 4;
      const std::size_t at = b * n_groups * kGroupBytes;
      std::int32_t* out = sums + q * stride + b * kCodeRows;
      half_block(pair, n_groups, high + at, low + at, out, stride);
      half_block(pair, n_groups, high + at + 32, low + at + 32, out + 8, stride);
    }
  }
}

std::size_t select_sums(const std::int32_t* sums, const float* scales, const float* radii, std::size_t n_rows,
                        CodeLine line, float threshold, std::uint32_t* found) noexcept {
  const __m256 unit = _mm256_set1_ps(line.unit), factor = _mm256_set1_ps(line.factor), t = _mm256_set1_ps(threshold);
  const __m256i offset = _mm256_set1_epi32(line.offset), least = _mm256_set1_epi32(line.least);
  std::size_t n = 0, r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    const __m256i sum = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + r));
    const __m256i low = _mm256_cmpgt_epi32(least, sum);
    if (_mm256_movemask_epi8(low) == -1) continue;
    const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(scales + r), unit);
    const __m256 score = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, offset)), scale);
    const __m256 upper = _mm256_add_ps(score, _mm256_mul_ps(factor, _mm256_loadu_ps(radii + r)));
    const __m256 reaches = _mm256_andnot_ps(_mm256_castsi256_ps(low), _mm256_cmp_ps(upper, t, _CMP_NLT_UQ));
    unsigned mask = static_cast<unsigned>(_mm256_movemask_ps(reaches));
    for (; mask != 0; mask &= mask - 1) {
      found[n++] = static_cast<std::uint32_t>(r + static_cast<std::size_t>(__builtin_ctz(mask)));
    }
  }
  for (; r < n_rows; ++r) {
    if (sums[r] < line.least) continue;
    const float score = static_cast<float>(sums[r] - line.offset) * (scales[r] * line.unit);
    const float upper = score + line.factor * radii[r];
    if (!(upper < threshold)) found[n++] = static_cast<std::uint32_t>(r);
  }
  return n;
}

}  // namespace

const CodesKernels kCodes{plane_sums, byte_sums, select_sums};

}  // namespace twotower::kernels::avx2
