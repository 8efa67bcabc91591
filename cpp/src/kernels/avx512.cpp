// AVX-512 F, BW, VL, DQ. See kernels.h for the contracts and scalar.cpp for the meaning.
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

__mmask16 first_lanes(std::size_t n) noexcept { return static_cast<__mmask16>((1u << n) - 1u); }  // n < 16

// Four rows at once: four streams keep the memory busy, and their chains hide the latency of the FMA. The masked load
// of the tail reads nothing past the row.
template <std::size_t kRows>
void row_tile(const float* query, const float* rows, std::size_t dim, float* scores) noexcept {
  __m512 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const __m512 q0 = _mm512_loadu_ps(query + d);
    const __m512 q1 = _mm512_loadu_ps(query + d + 16);
    for (std::size_t i = 0; i < kRows; ++i) {
      low[i] = _mm512_fmadd_ps(q0, _mm512_loadu_ps(rows + i * dim + d), low[i]);
      high[i] = _mm512_fmadd_ps(q1, _mm512_loadu_ps(rows + i * dim + d + 16), high[i]);
    }
  }
  for (; d < dim; d += 16) {
    const __mmask16 mask = dim - d >= 16 ? static_cast<__mmask16>(0xFFFF) : first_lanes(dim - d);
    const __m512 q = _mm512_maskz_loadu_ps(mask, query + d);
    for (std::size_t i = 0; i < kRows; ++i) {
      low[i] = _mm512_fmadd_ps(q, _mm512_maskz_loadu_ps(mask, rows + i * dim + d), low[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) scores[i] = _mm512_reduce_add_ps(_mm512_add_ps(low[i], high[i]));
}

void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) row_tile<4>(query, rows + r * dim, dim, scores + r);
  for (; r < n_rows; ++r) row_tile<1>(query, rows + r * dim, dim, scores + r);
}

constexpr std::size_t kPanel = 32;

// kRows x 32 outputs in registers: 12 x 2 accumulators, 2 query vectors and 1 broadcast are 27 of the 32 registers.
template <std::size_t kRows>
void panel_tile(const float* queries, const float* rows, std::size_t dim, float* scores) noexcept {
  __m512 low[kRows], high[kRows];
  for (std::size_t i = 0; i < kRows; ++i) low[i] = high[i] = _mm512_setzero_ps();
  for (std::size_t d = 0; d < dim; ++d) {
    const __m512 q0 = _mm512_loadu_ps(queries + d * kPanel);
    const __m512 q1 = _mm512_loadu_ps(queries + d * kPanel + 16);
    for (std::size_t i = 0; i < kRows; ++i) {
      const __m512 value = _mm512_set1_ps(rows[i * dim + d]);
      low[i] = _mm512_fmadd_ps(q0, value, low[i]);
      high[i] = _mm512_fmadd_ps(q1, value, high[i]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    _mm512_storeu_ps(scores + i * kPanel, low[i]);
    _mm512_storeu_ps(scores + i * kPanel + 16, high[i]);
  }
}

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 12 <= n_rows; r += 12) panel_tile<12>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r + 4 <= n_rows; r += 4) panel_tile<4>(queries, rows + r * dim, dim, scores + r * kPanel);
  for (; r < n_rows; ++r) panel_tile<1>(queries, rows + r * dim, dim, scores + r * kPanel);
}

// ---------------------------------------------------------------- exact inner products, float64

// Eight rows at once, one lane each: every lane adds its own products in the order of the definition. A product of two
// floats is exact in float64, so FMA rounds exactly where the definition does.
void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8) {
    const float* const* row = rows + r;
    __m512d sum = _mm512_setzero_pd();
    for (std::size_t d = 0; d < dim; ++d) {
      const __m512d value = _mm512_set1_pd(static_cast<double>(query[d]));
      const __m256 column =
          _mm256_setr_ps(row[0][d], row[1][d], row[2][d], row[3][d], row[4][d], row[5][d], row[6][d], row[7][d]);
      sum = _mm512_fmadd_pd(value, _mm512_cvtps_pd(column), sum);
    }
    _mm256_storeu_ps(scores + r, _mm512_cvtpd_ps(sum));
  }
  for (; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

// ---------------------------------------------------------------- selection

// Bit i is set where lane i is not finite or its upper bound is not <= threshold. No FMA: the oracle rounds twice.
unsigned passing(__m512 score, __m512 norm, __m512 factor, __m512 absolute, __m512 threshold) noexcept {
  const __m512 error = _mm512_add_ps(_mm512_mul_ps(factor, norm), absolute);
  const __mmask16 above = _mm512_cmp_ps_mask(_mm512_add_ps(score, error), threshold, _CMP_NLE_UQ);
  const __mmask16 odd = _mm512_cmp_ps_mask(_mm512_sub_ps(score, score), _mm512_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<unsigned>(above) | static_cast<unsigned>(odd);
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
  const __m512 f = _mm512_set1_ps(factor), a = _mm512_set1_ps(absolute), t = _mm512_set1_ps(threshold);
  std::size_t n = 0;
  std::size_t r = 0;
  for (; r + 16 <= n_rows; r += 16) {
    n += put(passing(_mm512_loadu_ps(scores + r), _mm512_loadu_ps(norms + r), f, a, t), r, found + n);
  }
  if (r < n_rows) {
    const __mmask16 mask = first_lanes(n_rows - r);
    const __m512 score = _mm512_maskz_loadu_ps(mask, scores + r);
    n += put(passing(score, _mm512_maskz_loadu_ps(mask, norms + r), f, a, t) & mask, r, found + n);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const __m512 norm = _mm512_set1_ps(norms[r]);
    for (std::size_t p = 0; p < kPanel; p += 16) {
      const unsigned mask = passing(_mm512_loadu_ps(scores + r * kPanel + p), norm, _mm512_loadu_ps(factor + p),
                                    _mm512_loadu_ps(absolute + p), _mm512_loadu_ps(threshold + p));
      n += put(mask, r * kPanel + p, found + n);
    }
  }
  return n;
}

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

// ---------------------------------------------------------------- quantised impacts

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

}  // namespace

const Kernels kAvx512{"avx512",  kPanel,      crc32c,       dot_rows,    dot_panel,
                      dot_exact, select_rows, select_panel, mark_tokens, mark_classes,
                      find_pair, list_bits,   mark_words,   add_column,  take_sums};

}  // namespace twotower::kernels
