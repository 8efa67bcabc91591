// AVX2 and FMA. See kernels.h for the contracts and scalar.cpp for the meaning.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace twotower::kernels {
namespace {

// ---------------------------------------------------------------- checksum

std::uint32_t crc32c(std::uint32_t crc, const std::uint8_t* data, std::size_t size) noexcept {
  std::uint64_t state = ~crc;
  for (; size >= 8; size -= 8, data += 8) {
    std::uint64_t word;
    __builtin_memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  std::uint32_t tail = static_cast<std::uint32_t>(state);
  for (; size > 0; --size, ++data) tail = _mm_crc32_u8(tail, *data);
  return ~tail;
}

// ---------------------------------------------------------------- inner products, float32

float sum_lanes(__m256 v) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// Four rows at once: four streams keep the memory busy, and their four chains hide half of the FMA's latency; the
// second set of accumulators hides the rest.
void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) {
    const float* row = rows + r * dim;
    __m256 low[4], high[4];
    for (int i = 0; i < 4; ++i) low[i] = high[i] = _mm256_setzero_ps();
    std::size_t d = 0;
    for (; d + 16 <= dim; d += 16) {
      const __m256 q0 = _mm256_loadu_ps(query + d);
      const __m256 q1 = _mm256_loadu_ps(query + d + 8);
      for (std::size_t i = 0; i < 4; ++i) {
        low[i] = _mm256_fmadd_ps(q0, _mm256_loadu_ps(row + i * dim + d), low[i]);
        high[i] = _mm256_fmadd_ps(q1, _mm256_loadu_ps(row + i * dim + d + 8), high[i]);
      }
    }
    for (std::size_t i = 0; i < 4; ++i) {
      float sum = sum_lanes(_mm256_add_ps(low[i], high[i]));
      for (std::size_t t = d; t < dim; ++t) sum += query[t] * row[i * dim + t];
      scores[r + i] = sum;
    }
  }
  for (; r < n_rows; ++r) {
    __m256 acc = _mm256_setzero_ps();
    std::size_t d = 0;
    for (; d + 8 <= dim; d += 8) {
      acc = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), _mm256_loadu_ps(rows + r * dim + d), acc);
    }
    float sum = sum_lanes(acc);
    for (; d < dim; ++d) sum += query[d] * rows[r * dim + d];
    scores[r] = sum;
  }
}

constexpr std::size_t kPanel = 16;

// kRows x 16 outputs in registers: 6 x 2 accumulators, 2 query vectors and 1 broadcast are 15 of the 16 registers.
template <std::size_t kRows>
void panel_tile(const float* queries, const float* rows, std::size_t dim, float* scores) noexcept {
  __m256 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm256_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    const __m256 q0 = _mm256_loadu_ps(queries + d * kPanel);
    const __m256 q1 = _mm256_loadu_ps(queries + d * kPanel + 8);
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m256 value = _mm256_broadcast_ss(rows + i * dim + d);
      low[i] = _mm256_fmadd_ps(q0, value, low[i]);
      high[i] = _mm256_fmadd_ps(q1, value, high[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm256_storeu_ps(scores + i * kPanel, low[i]);
    _mm256_storeu_ps(scores + i * kPanel + 8, high[i]);
  }
}

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 6 <= n_rows; r += 6) panel_tile<6>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r < n_rows; ++r) panel_tile<1>(queries, rows + r * dim, dim, scores + r * kPanel);
}

// ---------------------------------------------------------------- exact inner products, float64

// Eight rows at once, one lane each: every lane adds its own products in the order of the definition, and eight chains
// hide the latency of the addition. A product of two floats is exact in float64, so FMA would change nothing.
void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    const float* const* row = rows + r;
    __m256d low = _mm256_setzero_pd(), high = _mm256_setzero_pd();
    for (std::size_t d = 0; d < dim; ++d) {
      const __m256d value = _mm256_set1_pd(static_cast<double>(query[d]));
      const __m128 a = _mm_setr_ps(row[0][d], row[1][d], row[2][d], row[3][d]);
      const __m128 b = _mm_setr_ps(row[4][d], row[5][d], row[6][d], row[7][d]);
      low = _mm256_fmadd_pd(value, _mm256_cvtps_pd(a), low);
      high = _mm256_fmadd_pd(value, _mm256_cvtps_pd(b), high);
    }
    _mm_storeu_ps(scores + r, _mm256_cvtpd_ps(low));
    _mm_storeu_ps(scores + r + 4, _mm256_cvtpd_ps(high));
  }
  for (; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

// ---------------------------------------------------------------- selection

// Bit i is set where lane i is not finite or its upper bound is not <= threshold. No FMA: the oracle rounds twice.
unsigned passing(__m256 score, __m256 norm, __m256 factor, __m256 absolute, __m256 threshold) noexcept {
  const __m256 error = _mm256_add_ps(_mm256_mul_ps(factor, norm), absolute);
  const __m256 above = _mm256_cmp_ps(_mm256_add_ps(score, error), threshold, _CMP_NLE_UQ);
  const __m256 odd = _mm256_cmp_ps(_mm256_sub_ps(score, score), _mm256_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_or_ps(above, odd)));
}

std::size_t put(unsigned mask, std::size_t base, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (; mask != 0; mask &= mask - 1) {
    found[n++] = static_cast<std::uint32_t>(base + static_cast<std::size_t>(__builtin_ctz(mask)));
  }
  return n;
}

std::size_t select_rows(const float* scores, const float* norms, std::size_t n_rows, float factor, float absolute,
                        float threshold, std::uint32_t* found) noexcept {
  const __m256 f = _mm256_set1_ps(factor), a = _mm256_set1_ps(absolute), t = _mm256_set1_ps(threshold);
  std::size_t n = 0;
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    n += put(passing(_mm256_loadu_ps(scores + r), _mm256_loadu_ps(norms + r), f, a, t), r, found + n);
  }
  for (; r < n_rows; ++r) {
    n += put(passing(_mm256_set1_ps(scores[r]), _mm256_set1_ps(norms[r]), f, a, t) & 1u, r, found + n);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const __m256 norm = _mm256_set1_ps(norms[r]);
    for (std::size_t p = 0; p < kPanel; p += 8) {
      const unsigned mask = passing(_mm256_loadu_ps(scores + r * kPanel + p), norm, _mm256_loadu_ps(factor + p),
                                    _mm256_loadu_ps(absolute + p), _mm256_loadu_ps(threshold + p));
      n += put(mask, r * kPanel + p, found + n);
    }
  }
  return n;
}

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

// ---------------------------------------------------------------- quantised impacts

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

}  // namespace

const Kernels kAvx2{"avx2",      kPanel,       crc32c,    dot_rows,  dot_panel,  dot_exact,  select_rows, select_panel,
                    mark_tokens, mark_classes, find_pair, list_bits, mark_words, add_column, take_sums};

}  // namespace twotower::kernels
