// AVX-512 F, BW, VL, DQ: finding tokens, words and classes of bytes. See kernels/text.h for the contracts and scalar/
// for the meaning.
#include "kernels/text.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx512 {
namespace {

// ---------------------------------------------------------------- surface tokens

// first <= byte <= last, by one comparison of unsigned numbers.
__mmask64 in_range(__m512i v, char first, char last) noexcept {
  return _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(first)),
                                _mm512_set1_epi8(static_cast<char>(last - first)));
}

__mmask64 equals(__m512i v, char byte) noexcept { return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(byte)); }

// Sixteen bits a step: the lanes of set bits are moved together and stored with what is behind them.
std::uint32_t* put_starts(std::uint64_t starts, std::uint32_t position, std::uint32_t* out) noexcept {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (std::uint32_t quarter = 0; quarter < 4; ++quarter) {
    const auto bits = static_cast<__mmask16>(starts >> 16 * quarter);
    const __m512i positions = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(position + 16 * quarter)));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(bits, positions));
    out += _mm_popcnt_u32(bits);
  }
  return out;
}

std::size_t mark_tokens(TokenScan& scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                        std::uint64_t* words, std::uint32_t* starts) noexcept {
  const __m512i space = _mm512_set1_epi8(' ');
  const __m512i capital_shift = _mm512_set1_epi8(scan.lowercase ? 32 : 0);
  const auto needle = static_cast<char>(scan.needle);
  std::uint32_t* out = starts;
  __mmask64 high_bits = 0, needle_bits = 0;
  std::uint64_t carry = scan.in_word ? 1 : 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const __mmask64 inside = size - at >= 64 ? ~__mmask64{0} : (__mmask64{1} << (size - at)) - 1;
    const __m512i v = _mm512_mask_loadu_epi8(space, inside, text + at);
    const __mmask64 letter = in_range(_mm512_or_si512(v, space), 'a', 'z');  // the bit of a space makes A-Z a-z
    const __mmask64 capital = letter & ~_mm512_test_epi8_mask(v, space);
    const __mmask64 high = _mm512_movepi8_mask(v);
    const __mmask64 control = _mm512_cmplt_epu8_mask(v, space) | equals(v, 0x7F);
    const __mmask64 blank = in_range(v, '\t', '\n') | equals(v, '\r') | equals(v, ' ');
    const __m512i lower = _mm512_mask_add_epi8(v, capital, v, capital_shift);
    _mm512_storeu_si512(folded + at, _mm512_mask_blend_epi8(equals(v, 0), lower, _mm512_set1_epi8(-1)));
    const std::uint64_t word = (letter | in_range(v, '0', '9') | high | control) & ~blank;
    const std::uint64_t symbol = ~(word | blank);
    words[at / 64] = word;
    out = put_starts((word & ~(word << 1 | carry)) | symbol, scan.position + static_cast<std::uint32_t>(at), out);
    carry = word >> 63;
    high_bits |= high;
    needle_bits |= equals(v, needle) & inside;
  }
  if (size > 0) scan.in_word = (words[(size - 1) / 64] >> ((size - 1) % 64) & 1) != 0;
  scan.beyond_ascii |= high_bits != 0;
  scan.found_needle |= needle_bits != 0;
  scan.position += static_cast<std::uint32_t>(size);
  return static_cast<std::size_t>(out - starts);
}

// ---------------------------------------------------------------- classes of bytes

// A table of 16 entries, once in each quarter of a register.
__m512i table_of(const std::uint8_t* table) noexcept {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
}

struct PairTables {
  __m512i low[2], high[2];
};

PairTables tables_of(const PairFilter& filter) noexcept {
  return {{table_of(filter.low[0]), table_of(filter.low[1])}, {table_of(filter.high[0]), table_of(filter.high[1])}};
}

// Entries of two tables for the halves of each byte, put together by "and".
__m512i look_up(__m512i low, __m512i high, __m512i v) noexcept {
  const __m512i half = _mm512_set1_epi8(15);
  return _mm512_and_si512(_mm512_shuffle_epi8(low, _mm512_and_si512(v, half)),
                          _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(v, 4), half)));
}

__mmask64 marked_pairs(const PairTables& tables, __m512i v, __m512i next) noexcept {
  return _mm512_test_epi8_mask(look_up(tables.low[0], tables.high[0], v), look_up(tables.low[1], tables.high[1], next));
}

ClassScan mark_classes(const PairFilter& filter, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       ByteClasses* blocks) noexcept {
  const __m512i space = _mm512_set1_epi8(' ');
  const PairTables tables = tables_of(filter);
  __mmask64 high_bits = 0, pairs = 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const std::size_t left = size - at;
    const __mmask64 inside = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    const __mmask64 inside_next = left >= 65 ? ~__mmask64{0} : inside >> 1;
    const __m512i v = _mm512_mask_loadu_epi8(space, inside, text + at);
    const __m512i next = _mm512_mask_loadu_epi8(space, inside_next, text + at + 1);
    _mm512_storeu_si512(folded + at, _mm512_mask_blend_epi8(equals(v, 0), v, _mm512_set1_epi8(-1)));
    const __mmask64 spaces = equals(v, ' '), high = _mm512_movepi8_mask(v);
    blocks[at / 64] = {in_range(_mm512_or_si512(v, space), 'a', 'z'),  // the bit of a space makes A-Z a-z
                       in_range(v, '0', '9'),
                       spaces | in_range(v, '\t', '\r'),
                       spaces,
                       equals(v, '\''),
                       high,
                       0};
    high_bits |= high;
    pairs |= marked_pairs(tables, v, next) & inside;
  }
  return {high_bits != 0, pairs != 0};
}

std::size_t find_pair(const PairFilter& filter, const std::uint8_t* text, std::size_t from, std::size_t size) noexcept {
  const __m512i space = _mm512_set1_epi8(' ');
  const PairTables tables = tables_of(filter);
  for (; from < size; from += 64) {
    const std::size_t left = size - from;
    const __mmask64 inside = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    const __m512i v = _mm512_mask_loadu_epi8(space, inside, text + from);
    const __m512i next = _mm512_mask_loadu_epi8(space, left >= 65 ? inside : inside >> 1, text + from + 1);
    const __mmask64 pairs = marked_pairs(tables, v, next) & inside;
    if (pairs != 0) return from + static_cast<std::size_t>(__builtin_ctzll(pairs));
  }
  return size;
}

std::size_t list_bits(const std::uint64_t* words, std::size_t n_words, std::uint32_t* places) noexcept {
  std::uint32_t* out = places;
  for (std::size_t w = 0; w < n_words; ++w) out = put_starts(words[w], static_cast<std::uint32_t>(64 * w), out);
  return static_cast<std::size_t>(out - places);
}

// ---------------------------------------------------------------- words

bool is_letter_or_high(std::uint8_t byte) noexcept {
  return (static_cast<std::uint8_t>((byte | 0x20) - 'a') < 26) || byte >= 0x80;
}

std::size_t mark_words(WordScan scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       std::uint64_t* words, std::uint32_t* starts) noexcept {
  const __m512i space = _mm512_set1_epi8(' ');
  const __m512i capital_shift = _mm512_set1_epi8(scan.lowercase ? 32 : 0);
  std::uint32_t* out = starts;
  std::uint64_t carry = 0, carry_beside = 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const __mmask64 inside = size - at >= 64 ? ~__mmask64{0} : (__mmask64{1} << (size - at)) - 1;
    const __m512i v = _mm512_mask_loadu_epi8(space, inside, text + at);
    const __mmask64 letter = in_range(_mm512_or_si512(v, space), 'a', 'z');  // the bit of a space makes A-Z a-z
    const __mmask64 capital = letter & ~_mm512_test_epi8_mask(v, space);
    const __m512i lower = _mm512_mask_add_epi8(v, capital, v, capital_shift);
    _mm512_storeu_si512(folded + at, _mm512_mask_blend_epi8(equals(v, 0), lower, _mm512_set1_epi8(-1)));
    std::uint64_t word;
    if (scan.at_white_space) {
      word = ~(in_range(v, 9, 13) | in_range(v, 28, 32));
    } else {
      const std::uint64_t beside = letter | _mm512_movepi8_mask(v), apostrophe = equals(v, '\'');
      std::uint64_t before_next = beside >> 1;
      if ((apostrophe >> 63) != 0 && at + 64 < size && is_letter_or_high(text[at + 64])) before_next |= 1ULL << 63;
      word = beside | in_range(v, '0', '9') | (apostrophe & (beside << 1 | carry_beside) & before_next);
      carry_beside = beside >> 63;
    }
    words[at / 64] = word;
    out = put_starts(word & ~(word << 1 | carry), static_cast<std::uint32_t>(at), out);
    carry = word >> 63;
  }
  return static_cast<std::size_t>(out - starts);
}

}  // namespace

const TextKernels kText{mark_tokens, mark_classes, find_pair, list_bits, mark_words};

}  // namespace twotower::kernels::avx512
