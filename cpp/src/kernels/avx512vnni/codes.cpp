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

// ---------------------------------------------------------------- many queries

constexpr std::size_t kSliceGroups = 64;  // 512 dimensions of two blocks as bytes: 16 KiB, half of the L1 cache

// A block's two planes become bytes, four dimensions of 16 rows in 64 of them. `bytes` has room for two blocks, whose
// 64 bytes alternate.
void join_planes(const std::uint8_t* high, const std::uint8_t* low, std::size_t n_groups,
                 std::uint8_t* bytes) noexcept {
  constexpr int kSecondWhereThird = 0xD8;
  const __m512i mask = _mm512_set1_epi8(15);
  for (std::size_t g = 0; g < n_groups; ++g, bytes += 4 * kGroupBytes) {
    const __m512i h = _mm512_loadu_si512(high + g * kGroupBytes), l = _mm512_loadu_si512(low + g * kGroupBytes);
    const __m512i first = _mm512_ternarylogic_epi64(_mm512_slli_epi16(h, 4), l, mask, kSecondWhereThird);
    const __m512i second = _mm512_ternarylogic_epi64(h, _mm512_srli_epi16(l, 4), mask, kSecondWhereThird);
    _mm512_store_si512(bytes, first);
    _mm512_store_si512(bytes + 2 * kGroupBytes, second);
  }
}

// Where the sums of one slice go: over what was there, or added to it.
struct Target {
  std::int32_t* sums;
  std::size_t stride;
  bool second_block;
  bool add;
};

void put_sums(std::int32_t* at, __m512i value, bool add) noexcept {
  _mm512_storeu_si512(at, add ? _mm512_add_epi32(value, _mm512_loadu_si512(at)) : value);
}

// What the next two blocks need, asked for while this pair is multiplied: 64 bytes of either plane for each four
// dimensions, so that the memory is busy as evenly as the multipliers.
struct Ahead {
  const std::uint8_t* high;
  const std::uint8_t* low;
};

// A panel x 32 rows in registers: 8 x 2 accumulators hide the latency, and a broadcast serves two vectors of rows.
template <bool kAsks>
void tile(const std::int8_t* panel, std::size_t n_quads, const std::uint8_t* bytes, const Target& target,
          const Ahead& ahead) noexcept {
  __m512i first[kCodePanel], second[kCodePanel];
  for (std::size_t q = 0; q < kCodePanel; ++q) first[q] = second[q] = _mm512_setzero_si512();
  for (std::size_t t = 0; t < n_quads; ++t, panel += 4 * kCodePanel, bytes += 2 * kGroupBytes) {
    if constexpr (kAsks) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead.high + t * kGroupBytes), _MM_HINT_T1);
      _mm_prefetch(reinterpret_cast<const char*>(ahead.low + t * kGroupBytes), _MM_HINT_T1);
    }
    const __m512i rows0 = _mm512_load_si512(bytes);
    const __m512i rows1 = _mm512_load_si512(bytes + kGroupBytes);
    for (std::size_t q = 0; q < kCodePanel; ++q) {
      const __m512i value = four(panel + q * 4);
      first[q] = _mm512_dpbusd_epi32(first[q], rows0, value);
      second[q] = _mm512_dpbusd_epi32(second[q], rows1, value);
    }
  }
  for (std::size_t q = 0; q < kCodePanel; ++q) {
    put_sums(target.sums + q * target.stride, first[q], target.add);
    if (target.second_block) put_sums(target.sums + q * target.stride + kCodeRows, second[q], target.add);
  }
}

void byte_sums(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
               const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept {
  alignas(64) std::uint8_t bytes[kSliceGroups * 4 * kGroupBytes];
  const std::size_t panel_bytes = kCodePanel * n_groups * kCodeGroup, block_bytes = n_groups * kGroupBytes;
  for (std::size_t b = 0; b < n_blocks; b += 2) {
    const bool two = b + 1 < n_blocks;
    for (std::size_t g = 0; g < n_groups; g += kSliceGroups) {
      const std::size_t size = n_groups - g < kSliceGroups ? n_groups - g : kSliceGroups;
      const std::size_t at = b * block_bytes + g * kGroupBytes, next = two ? at + block_bytes : at;
      join_planes(high + at, low + at, size, bytes);
      join_planes(high + next, low + next, size, bytes + kGroupBytes);
      const std::size_t later = (b + 2) * block_bytes + 2 * g * kGroupBytes;
      for (std::size_t p = 0; p < n_panels; ++p) {
        const auto run = p == 0 ? tile<true> : tile<false>;
        run(panels + p * panel_bytes + g * kCodeGroup * kCodePanel, size * 2, bytes,
            {sums + p * kCodePanel * stride + b * kCodeRows, stride, two, g != 0}, {high + later, low + later});
      }
    }
  }
}

}  // namespace

const CodesKernels kCodes{plane_sums, byte_sums, avx512::select_sums};

}  // namespace twotower::kernels::avx512vnni
