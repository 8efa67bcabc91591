// AVX-512 VNNI: integer inner products of quantised vectors. See kernels/codes.h for the contracts and scalar/ for
// the meaning.
#include "kernels/codes.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512vnni {
namespace {

// Four dimensions of a query in every lane of 32 bits.
__m512i four(const std::int8_t* query) noexcept {
  std::int32_t word;
  __builtin_memcpy(&word, query, sizeof word);
  return _mm512_set1_epi32(word);
}

__m512i low_half(__m512i bytes) noexcept { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }
__m512i high_half(__m512i bytes) noexcept { return low_half(_mm512_srli_epi16(bytes, 4)); }

// ---------------------------------------------------------------- one query

// One block after another, as memory streams; eight chains hide the latency of VPDPBUSD. The prefetch runs 4 KiB ahead,
// over the borders of pages, where the hardware's own stops.
void plane_sums(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* plane, std::size_t n_blocks,
                std::int32_t* sums) noexcept {
  constexpr std::size_t kChains = 4, kAhead = 4096;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    __m512i low[kChains], high[kChains];
    for (std::size_t i = 0; i < kChains; ++i) low[i] = high[i] = _mm512_setzero_si512();
    std::size_t g = 0;
    for (; g + kChains <= n_groups; g += kChains, plane += kChains * kGroupBytes) {
      for (std::size_t i = 0; i < kChains; ++i) {
        _mm_prefetch(reinterpret_cast<const char*>(plane + kAhead + i * kGroupBytes), _MM_HINT_T0);
        const __m512i bytes = _mm512_loadu_si512(plane + i * kGroupBytes);
        low[i] = _mm512_dpbusd_epi32(low[i], low_half(bytes), four(query + (g + i) * kCodeGroup));
        high[i] = _mm512_dpbusd_epi32(high[i], high_half(bytes), four(query + (g + i) * kCodeGroup + 4));
      }
    }
    for (; g < n_groups; ++g, plane += kGroupBytes) {
      const __m512i bytes = _mm512_loadu_si512(plane);
      low[0] = _mm512_dpbusd_epi32(low[0], low_half(bytes), four(query + g * kCodeGroup));
      high[0] = _mm512_dpbusd_epi32(high[0], high_half(bytes), four(query + g * kCodeGroup + 4));
    }
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i < kChains; ++i) sum = _mm512_add_epi32(sum, _mm512_add_epi32(low[i], high[i]));
    _mm512_storeu_si512(sums + b * kCodeRows, sum);
  }
}

// ---------------------------------------------------------------- many queries, compared in registers

// A group of two planes as bytes: four dimensions of 16 rows, and four more.
void join_group(const std::uint8_t* high, const std::uint8_t* low, __m512i& first, __m512i& second) noexcept {
  constexpr int kSecondWhereThird = 0xD8;
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i h = _mm512_loadu_si512(high), l = _mm512_loadu_si512(low);
  first = _mm512_ternarylogic_epi64(_mm512_slli_epi16(h, 4), l, mask, kSecondWhereThird);
  second = _mm512_ternarylogic_epi64(h, _mm512_srli_epi16(l, 4), mask, kSecondWhereThird);
}

void join(const std::uint8_t* high, const std::uint8_t* low, std::size_t n_groups, std::size_t n_blocks,
          std::uint8_t* bytes) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    std::uint8_t* out = bytes + b * kGroupBytes;
    for (std::size_t g = 0; g < n_groups; ++g, high += kGroupBytes, low += kGroupBytes, out += 8 * kHitRows) {
      __m512i first, second;
      join_group(high, low, first, second);
      _mm512_store_si512(out, first);
      _mm512_store_si512(out + 4 * kHitRows, second);
    }
  }
}

// vpdpbusd as one instruction: GCC 12 copies and spills the sums around the intrinsic.
void add_products(__m512i& sum, __m512i row, __m512i query) noexcept {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(query));
}

__m512i row_at(const std::uint8_t* bytes, std::size_t r) noexcept {
  std::int32_t unit;
  __builtin_memcpy(&unit, bytes + r * sizeof unit, sizeof unit);
  return _mm512_set1_epi32(unit);
}

template <std::size_t kRows>
float greatest(const float* values) noexcept {
  float most = 0.0f;
  for (std::size_t r = 0; r < kRows; ++r) most = most > values[r] ? most : values[r];
  return most;
}

// 16 queries: products of further units. 
template <std::size_t kVectors, std::size_t kRows>
void go_on(__m512i (&sums)[kRows][kVectors], std::size_t v, const std::int8_t* panel, const std::uint8_t* bytes, std::size_t n) noexcept {
#pragma GCC unroll 3
  for (std::size_t w = 0; w < kVectors; ++w) {
    if (w != v) continue;
    for (std::size_t u = 0; u < n; ++u, bytes += 4 * kHitRows) {
      const __m512i q = _mm512_load_si512(panel + (u * kVectors + w) * 64);
#pragma GCC unroll 24
      for (std::size_t r = 0; r < kRows; ++r) add_products(sums[r][w], row_at(bytes, r), q);
    }
  }
}

// 24 accumulators, at most 3 columns of queries and a broadcast are 28 of the 32 registers.
template <std::size_t kVectors, std::size_t kRows>
void hits_of(const std::int8_t* panel, const std::uint8_t* bytes, std::size_t n_units, std::size_t n_prefix, const CodeLimits& limits,
             const CodeLines& lines, const PlanesAhead& ahead, std::uint64_t* masks, std::int32_t* out) noexcept {
  __m512i sums[kRows][kVectors];
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(lines.offset + v * kHitLanes));
    }
  }
  for (std::size_t u = 0; u < n_prefix; ++u, bytes += 4 * kHitRows) {
    _mm_prefetch(reinterpret_cast<const char*>(ahead.high + u * ahead.step * kRows), _MM_HINT_T1);
    _mm_prefetch(reinterpret_cast<const char*>(ahead.low + u * ahead.step * kRows), _MM_HINT_T1);
    __m512i q[kVectors];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) q[v] = _mm512_load_si512(panel + (u * kVectors + v) * 64);
#pragma GCC unroll 24
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i value = row_at(bytes, r);
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kVectors; ++v) add_products(sums[r][v], value, q[v]);
    }
  }
  __m512 least[kVectors];
  __mmask16 open[kVectors];
  const __m512 radius = _mm512_set1_ps(greatest<kRows>(limits.radii));
  const __m512 prefix = _mm512_set1_ps(greatest<kRows>(limits.prefix_radii)), tail = _mm512_set1_ps(greatest<kRows>(limits.tails));
#pragma GCC unroll 3
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t w = v * kHitLanes;
    const __m512 threshold = _mm512_loadu_ps(lines.threshold + w);
    least[v] = _mm512_fnmadd_ps(_mm512_loadu_ps(lines.factor + w), radius, threshold);
    open[v] = 0xFFFF;
    if (n_prefix < n_units) {
      const __m512 first = _mm512_fnmadd_ps(_mm512_loadu_ps(lines.tail + w), tail, _mm512_fnmadd_ps(_mm512_loadu_ps(lines.prefix_factor + w), prefix, threshold));
      open[v] = 0;
#pragma GCC unroll 24
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m512 score = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][v]), _mm512_set1_ps(limits.scales[r]));
        open[v] |= _mm512_cmp_ps_mask(score, first, _CMP_NLT_UQ);
      }
    }
  }
  if (n_prefix < n_units) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) {
      if (open[v] == 0) continue;
      const __m512i offset = _mm512_loadu_si512(lines.tail_offset + v * kHitLanes);
#pragma GCC unroll 24
      for (std::size_t r = 0; r < kRows; ++r) sums[r][v] = _mm512_sub_epi32(sums[r][v], offset);
      go_on<kVectors, kRows>(sums, v, panel + n_prefix * kVectors * 64, bytes, n_units - n_prefix);
    }
    bool any = false;
    for (std::size_t v = 0; v < kVectors; ++v) any |= open[v] != 0;
    if (!any) {
      for (std::size_t r = 0; r < kRows; ++r) masks[r] = 0;
      return;
    }
  }
#pragma GCC unroll 24
  for (std::size_t r = 0; r < kRows; ++r) {
    const __m512 scale = _mm512_set1_ps(limits.scales[r]);
    std::uint64_t mask = 0;
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512 score = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][v]), scale);
      mask |= std::uint64_t{_mm512_mask_cmp_ps_mask(open[v] != 0 ? 0xFFFF : 0, score, least[v], _CMP_NLT_UQ)} << v * kHitLanes;
    }
    masks[r] = mask;
    if (mask == 0) continue;
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) _mm512_storeu_si512(out + (r * kVectors + v) * kHitLanes, sums[r][v]);
  }
}

template <std::size_t kVectors>
void hits_of_batch(const void* panel, const std::uint8_t* bytes, std::size_t n_groups, std::size_t n_prefix, const CodeLimits& limits,
                   const CodeLines& lines, PlanesAhead ahead, std::uint64_t* masks, std::int32_t* sums) noexcept {
  constexpr std::size_t kRows = 24 / kVectors;
  const std::size_t n_units = 2 * n_groups;
  for (std::size_t r = 0; r < kHitRows; r += kRows) {
    hits_of<kVectors, kRows>(static_cast<const std::int8_t*>(panel), bytes + 4 * r, n_units, 2 * n_prefix,
                             {limits.scales + r, limits.radii + r, limits.prefix_radii + r, limits.tails + r}, lines, ahead, masks + r,
                             sums + r * kVectors * kHitLanes);
    ahead.high += 2 * n_prefix * ahead.step * kRows;
    ahead.low += 2 * n_prefix * ahead.step * kRows;
  }
}

void hits(const void* panel, std::size_t width, const std::uint8_t* bytes, std::size_t n_groups, std::size_t n_prefix,
          const CodeLimits& limits, const CodeLines& lines, const PlanesAhead& ahead, std::uint64_t* masks,
          std::int32_t* sums) noexcept {
  const auto run = width == 16 ? hits_of_batch<1> : width == 32 ? hits_of_batch<2> : hits_of_batch<3>;
  run(panel, bytes, n_groups, n_prefix, limits, lines, ahead, masks, sums);
}

void unit_sums(const std::int8_t* query, const std::uint8_t* bytes, std::size_t n_units, std::int32_t* sums) noexcept {
  __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
  for (std::size_t u = 0; u + 2 <= n_units; u += 2, query += 8, bytes += 8 * kHitRows) {
    even = _mm512_dpbusd_epi32(even, _mm512_load_si512(bytes), four(query));
    odd = _mm512_dpbusd_epi32(odd, _mm512_load_si512(bytes + 4 * kHitRows), four(query + 4));
  }
  _mm512_storeu_si512(sums, _mm512_add_epi32(even, odd));
}

}  // namespace

const CodesKernels kCodes{plane_sums, avx512::byte_sums, avx512::select_sums, avx512::reflect, {join, hits, unit_sums}};

}  // namespace twotower::kernels::avx512vnni
