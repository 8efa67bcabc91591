// AVX-512 F, BW, VL, DQ: quantised impacts. See kernels/lexical.h for the contracts and scalar/ for the meaning.
#include "kernels/lexical.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

void add_column(std::uint16_t* sums, const std::uint8_t* codes, std::size_t n, std::uint16_t multiplier) noexcept {
  const __m512i factor = _mm512_set1_epi16(static_cast<short>(multiplier));
  const __m512i one = _mm512_set1_epi16(1);
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m512i code = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i)));
    // The high half of (code << 8) * multiplier is code * multiplier >> 8; min(code, 1) is the one that present codes
    // get.
    const __m512i value =
        _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_slli_epi16(code, 8), factor), _mm512_min_epu16(code, one));
    _mm512_storeu_si512(sums + i, _mm512_add_epi16(_mm512_loadu_si512(sums + i), value));
  }
  for (; i < n; ++i) {
    const std::uint32_t value = codes[i] == 0 ? 0 : (std::uint32_t{codes[i]} * multiplier >> 8) + 1;
    sums[i] = static_cast<std::uint16_t>(sums[i] + value);
  }
}

std::size_t take_sums(std::uint16_t* sums, std::size_t n, std::uint16_t least, std::uint32_t* found) noexcept {
  const __m512i bound = _mm512_set1_epi16(static_cast<short>(least));
  const __m512i zero = _mm512_setzero_si512();
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < n; i += 64) {
    const __m512i low = _mm512_loadu_si512(sums + i);
    const __m512i high = _mm512_loadu_si512(sums + i + 32);
    std::uint64_t hits =
        _mm512_cmpge_epu16_mask(low, bound) | static_cast<std::uint64_t>(_mm512_cmpge_epu16_mask(high, bound)) << 32;
    for (; hits != 0; hits &= hits - 1) {
      const std::size_t at = i + static_cast<std::size_t>(__builtin_ctzll(hits));
      found[n_found++] = std::uint32_t{sums[at]} << 16 | static_cast<std::uint32_t>(at);
    }
    _mm512_storeu_si512(sums + i, zero);
    _mm512_storeu_si512(sums + i + 32, zero);
  }
  return n_found;
}

// One bit for each of 32 entries: has it this place?
std::uint32_t has_place(const std::uint16_t* entries, __m512i place) noexcept {
  return _mm512_cmpeq_epi16_mask(_mm512_srli_epi16(_mm512_loadu_si512(entries), kEntryTfBits), place);
}

void find_entries(const std::uint16_t* list, const std::uint16_t* starts, const std::uint32_t* wanted, std::size_t n,
                  std::uint32_t* at) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t place = wanted[i] & 0xFFFF;
    const std::uint16_t* bounds = starts + (place >> kBlockBits);
    const __m512i same = _mm512_set1_epi16(static_cast<short>(place));
    std::uint32_t entry = bounds[0], hits = has_place(list + entry, same);
    for (; hits == 0 && entry + 32 < bounds[1];) hits = has_place(list + (entry += 32), same);
    // What lies behind the block may be another window's entry of the same place.
    const std::uint32_t hit = entry + static_cast<std::uint32_t>(__builtin_ctzll(hits | std::uint64_t{1} << 32));
    at[i] = hit < bounds[1] ? hit : kNoEntry;
  }
}

}  // namespace

const LexicalKernels kLexical{add_column, take_sums, find_entries};

}  // namespace twotower::kernels::avx512
