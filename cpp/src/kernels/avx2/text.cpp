// AVX2, FMA and SSE 4.2: finding tokens, words and classes of bytes. See kernels/text.h for the contracts and scalar/
// for the meaning.
#include "kernels/text.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

// ---------------------------------------------------------------- surface tokens

// All ones where first <= byte <= last. Bytes from 0x80 up are negative and never in an ASCII range.
__m256i in_range(__m256i v, char first, char last) noexcept {
  const __m256i above = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(static_cast<char>(first - 1)));
  return _mm256_andnot_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8(last)), above);
}

std::uint64_t bits_of(__m256i v) noexcept { return static_cast<std::uint32_t>(_mm256_movemask_epi8(v)); }

struct Marks {
  std::uint64_t word, blank, high, needle;
};

Marks mark_half(const TokenScan& scan, const std::uint8_t* text, std::uint8_t* folded) noexcept {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i capital = in_range(v, 'A', 'Z');
  const __m256i shift = _mm256_and_si256(capital, _mm256_set1_epi8(scan.lowercase ? 32 : 0));
  const __m256i nul = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(folded), _mm256_or_si256(_mm256_add_epi8(v, shift), nul));
  // Controls are what is below a space as a signed number: that takes in the bytes from 0x80 up.
  const __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), v);
  const __m256i blank = _mm256_or_si256(_mm256_or_si256(in_range(v, '\t', '\n'), in_range(v, '\r', '\r')),
                                        _mm256_cmpeq_epi8(v, _mm256_set1_epi8(' ')));
  const __m256i letter = _mm256_or_si256(capital, in_range(v, 'a', 'z'));
  const __m256i other = _mm256_or_si256(in_range(v, '0', '9'), _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7F)));
  const __m256i word = _mm256_andnot_si256(blank, _mm256_or_si256(_mm256_or_si256(letter, other), low));
  const __m256i needle = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(static_cast<char>(scan.needle)));
  return {bits_of(word), bits_of(blank), bits_of(v), bits_of(needle)};
}

// Four positions a step, the last ones beyond the block's: no branch for each token.
std::uint32_t* put_starts(std::uint64_t starts, std::uint32_t position, std::uint32_t* out) noexcept {
  std::uint32_t* const end = out + _mm_popcnt_u64(starts);
  for (; out < end; out += 4) {
    for (int i = 0; i < 4; ++i) {
      out[i] = position + static_cast<std::uint32_t>(__builtin_ctzll(starts | std::uint64_t{1} << 63));
      starts &= starts - 1;
    }
  }
  return end;
}

std::size_t mark_tokens(TokenScan& scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                        std::uint64_t* words, std::uint32_t* starts) noexcept {
  std::uint32_t* out = starts;
  std::uint64_t carry = scan.in_word ? 1 : 0, high_bits = 0, needle_bits = 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const std::uint8_t* from = text + at;
    std::uint64_t inside = ~std::uint64_t{0};
    alignas(32) std::uint8_t tail[64];
    if (size - at < 64) {
      inside = (std::uint64_t{1} << (size - at)) - 1;
      __builtin_memset(tail, ' ', 64);
      __builtin_memcpy(tail, from, size - at);
      from = tail;
    }
    const Marks low = mark_half(scan, from, folded + at);
    const Marks high = mark_half(scan, from + 32, folded + at + 32);
    const std::uint64_t word = low.word | high.word << 32;
    const std::uint64_t symbol = ~(word | low.blank | high.blank << 32);
    words[at / 64] = word;
    out = put_starts((word & ~(word << 1 | carry)) | symbol, scan.position + static_cast<std::uint32_t>(at), out);
    carry = word >> 63;
    high_bits |= low.high | high.high;
    needle_bits |= (low.needle | high.needle << 32) & inside;
  }
  if (size > 0) scan.in_word = (words[(size - 1) / 64] >> ((size - 1) % 64) & 1) != 0;
  scan.beyond_ascii |= high_bits != 0;
  scan.found_needle |= needle_bits != 0;
  scan.position += static_cast<std::uint32_t>(size);
  return static_cast<std::size_t>(out - starts);
}

// ---------------------------------------------------------------- classes of bytes

ByteClasses classes_of_half(const std::uint8_t* text, std::uint8_t* folded) noexcept {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i nul = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(folded), _mm256_or_si256(v, nul));
  const __m256i space = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(' '));
  const __m256i small = _mm256_or_si256(v, _mm256_set1_epi8(32));  // the bit of a space makes A-Z a-z
  return {bits_of(in_range(small, 'a', 'z')),
          bits_of(in_range(v, '0', '9')),
          bits_of(_mm256_or_si256(space, in_range(v, '\t', '\r'))),
          bits_of(space),
          bits_of(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\''))),
          bits_of(v),
          0};
}

// A table of 16 entries, once in each half of a register.
__m256i table_of(const std::uint8_t* table) noexcept {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
}

// Entries of two tables for the halves of each byte, put together by "and".
__m256i look_up(const std::uint8_t* low, const std::uint8_t* high, const std::uint8_t* text) noexcept {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text)), half = _mm256_set1_epi8(15);
  const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);
  return _mm256_and_si256(_mm256_shuffle_epi8(table_of(low), _mm256_and_si256(v, half)),
                          _mm256_shuffle_epi8(table_of(high), upper));
}

std::uint64_t marked_pairs(const PairFilter& filter, const std::uint8_t* text) noexcept {
  const __m256i both =
      _mm256_and_si256(look_up(filter.low[0], filter.high[0], text), look_up(filter.low[1], filter.high[1], text + 1));
  return bits_of(_mm256_cmpeq_epi8(both, _mm256_setzero_si256())) ^ 0xFFFFFFFF;
}

ClassScan mark_classes(const PairFilter& filter, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       ByteClasses* blocks) noexcept {
  std::uint64_t high = 0, pairs = 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const std::uint8_t* from = text + at;
    std::uint64_t inside = ~std::uint64_t{0};
    alignas(32) std::uint8_t tail[65];
    if (size - at < 65) {
      inside >>= 64 - (size - at < 64 ? size - at : 64);
      __builtin_memset(tail, ' ', 65);
      __builtin_memcpy(tail, from, size - at);
      from = tail;
    }
    const ByteClasses a = classes_of_half(from, folded + at), b = classes_of_half(from + 32, folded + at + 32);
    blocks[at / 64] = {a.letter | b.letter << 32,
                       a.digit | b.digit << 32,
                       a.white | b.white << 32,
                       a.space | b.space << 32,
                       a.quote | b.quote << 32,
                       a.high | b.high << 32,
                       0};
    high |= blocks[at / 64].high;
    pairs |= (marked_pairs(filter, from) | marked_pairs(filter, from + 32) << 32) & inside;
  }
  return {high != 0, pairs != 0};
}

std::size_t find_pair(const PairFilter& filter, const std::uint8_t* text, std::size_t from, std::size_t size) noexcept {
  for (; from < size; from += 32) {
    const std::uint8_t* at = text + from;
    alignas(32) std::uint8_t tail[33];
    std::uint64_t inside = 0xFFFFFFFF;
    if (size - from < 33) {
      inside >>= 32 - (size - from < 32 ? size - from : 32);
      __builtin_memset(tail, ' ', 33);
      __builtin_memcpy(tail, at, size - from);
      at = tail;
    }
    const std::uint64_t pairs = marked_pairs(filter, at) & inside;
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

struct WordMarks {
  std::uint64_t beside, apostrophe, digit, blank;  // `beside`: may stand beside an apostrophe
};

WordMarks mark_word_half(WordScan scan, const std::uint8_t* text, std::uint8_t* folded) noexcept {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i capital = in_range(v, 'A', 'Z');
  const __m256i shift = _mm256_and_si256(capital, _mm256_set1_epi8(scan.lowercase ? 32 : 0));
  const __m256i nul = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(folded), _mm256_or_si256(_mm256_add_epi8(v, shift), nul));
  const __m256i letter = _mm256_or_si256(capital, in_range(v, 'a', 'z'));
  return {bits_of(_mm256_or_si256(letter, v)), bits_of(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\''))),
          bits_of(in_range(v, '0', '9')), bits_of(_mm256_or_si256(in_range(v, 9, 13), in_range(v, 28, 32)))};
}

std::size_t mark_words(WordScan scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       std::uint64_t* words, std::uint32_t* starts) noexcept {
  std::uint32_t* out = starts;
  std::uint64_t carry = 0, carry_beside = 0;
  for (std::size_t at = 0; at < size; at += 64) {
    const std::uint8_t* from = text + at;
    alignas(32) std::uint8_t tail[64];
    if (size - at < 64) {
      __builtin_memset(tail, ' ', 64);
      __builtin_memcpy(tail, from, size - at);
      from = tail;
    }
    const WordMarks low = mark_word_half(scan, from, folded + at);
    const WordMarks high = mark_word_half(scan, from + 32, folded + at + 32);
    const auto both = [](std::uint64_t first, std::uint64_t second) { return first | second << 32; };
    std::uint64_t word;
    if (scan.at_white_space) {
      word = ~both(low.blank, high.blank);
    } else {
      const std::uint64_t beside = both(low.beside, high.beside), apostrophe = both(low.apostrophe, high.apostrophe);
      std::uint64_t before_next = beside >> 1;
      if ((apostrophe >> 63) != 0 && at + 64 < size && is_letter_or_high(text[at + 64])) before_next |= 1ULL << 63;
      word = beside | both(low.digit, high.digit) | (apostrophe & (beside << 1 | carry_beside) & before_next);
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

}  // namespace twotower::kernels::avx2
