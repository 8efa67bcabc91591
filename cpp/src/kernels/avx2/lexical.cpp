// AVX2, FMA and SSE 4.2: quantised impacts. See kernels/lexical.h for the contracts and scalar/ for the meaning.
#include "kernels/lexical.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

void add_column(std::uint16_t* sums, const std::uint8_t* codes, std::size_t n, std::uint16_t multiplier) noexcept {
  const __m256i factor = _mm256_set1_epi16(static_cast<short>(multiplier));
  const __m256i one = _mm256_set1_epi16(1);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
    // The high half of (code << 8) * multiplier is code * multiplier >> 8; min(code, 1) is the one that present codes
    // get.
    const __m256i value =
        _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_slli_epi16(code, 8), factor), _mm256_min_epu16(code, one));
    auto* at = reinterpret_cast<__m256i*>(sums + i);
    _mm256_storeu_si256(at, _mm256_add_epi16(_mm256_loadu_si256(at), value));
  }
  for (; i < n; ++i) {
    const std::uint32_t value = codes[i] == 0 ? 0 : (std::uint32_t{codes[i]} * multiplier >> 8) + 1;
    sums[i] = static_cast<std::uint16_t>(sums[i] + value);
  }
}

// One bit for each of 32 sums, in their order. AVX2 has no unsigned comparison: v >= bound where max(v, bound) is v.
std::uint32_t at_least(const std::uint16_t* sums, __m256i bound) noexcept {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + 16));
  const __m256i packed = _mm256_packs_epi16(_mm256_cmpeq_epi16(_mm256_max_epu16(low, bound), low),
                                            _mm256_cmpeq_epi16(_mm256_max_epu16(high, bound), high));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(packed, 0xD8)));
}

std::size_t take_sums(std::uint16_t* sums, std::size_t n, std::uint16_t least, std::uint32_t* found) noexcept {
  const __m256i bound = _mm256_set1_epi16(static_cast<short>(least));
  const __m256i zero = _mm256_setzero_si256();
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < n; i += 64) {
    std::uint64_t hits = at_least(sums + i, bound) | static_cast<std::uint64_t>(at_least(sums + i + 32, bound)) << 32;
    for (; hits != 0; hits &= hits - 1) {
      const std::size_t at = i + static_cast<std::size_t>(__builtin_ctzll(hits));
      found[n_found++] = std::uint32_t{sums[at]} << 16 | static_cast<std::uint32_t>(at);
    }
    for (std::size_t j = 0; j < 64; j += 16) _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i + j), zero);
  }
  return n_found;
}

// One bit for each of 16 entries: has it this place?
std::uint32_t has_place(const std::uint16_t* entries, __m256i place) noexcept {
  const __m256i places = _mm256_srli_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(entries)), kEntryTfBits);
  const __m256i equal = _mm256_cmpeq_epi16(places, place);
  const __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(equal), _mm256_extracti128_si256(equal, 1));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(packed));
}

void find_entries(const std::uint16_t* list, const std::uint16_t* starts, const std::uint32_t* wanted, std::size_t n,
                  std::uint32_t* at) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t place = wanted[i] & 0xFFFF;
    const std::uint16_t* bounds = starts + (place >> kBlockBits);
    const __m256i same = _mm256_set1_epi16(static_cast<short>(place));
    std::uint32_t entry = bounds[0], hits = has_place(list + entry, same);
    for (; hits == 0 && entry + 16 < bounds[1];) hits = has_place(list + (entry += 16), same);
    // What lies behind the block may be another window's entry of the same place.
    const std::uint32_t hit = entry + static_cast<std::uint32_t>(__builtin_ctz(hits | 1u << 31));
    at[i] = hits != 0 && hit < bounds[1] ? hit : kNoEntry;
  }
}

}  // namespace

const LexicalKernels kLexical{add_column, take_sums, find_entries};

}  // namespace twotower::kernels::avx2
