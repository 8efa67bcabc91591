// The oracle: what every kernel means, in plain C++. Runs on any machine.
#include "kernels/kernels.h"

namespace twotower::kernels {
namespace {

struct Crc32cTable {
  std::uint32_t of[256];

  constexpr Crc32cTable() : of{} {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82F63B78u : 0u);
      of[byte] = crc;
    }
  }
};
constexpr Crc32cTable kCrc32c;

std::uint32_t crc32c(std::uint32_t crc, const std::uint8_t* data, std::size_t size) noexcept {
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) crc = (crc >> 8) ^ kCrc32c.of[(crc ^ data[i]) & 0xFFu];
  return ~crc;
}

void dot_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    float sum = 0.0f;
    for (std::size_t d = 0; d < dim; ++d) sum += query[d] * rows[r * dim + d];
    scores[r] = sum;
  }
}

constexpr std::size_t kPanel = 16;

void dot_panel(const float* queries, const float* rows, std::size_t n_rows, std::size_t dim, float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    float sum[kPanel] = {};
    for (std::size_t d = 0; d < dim; ++d) {
      const float value = rows[r * dim + d];
      for (std::size_t p = 0; p < kPanel; ++p) sum[p] += queries[d * kPanel + p] * value;
    }
    for (std::size_t p = 0; p < kPanel; ++p) scores[r * kPanel + p] = sum[p];
  }
}

void dot_exact(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
               float* scores) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    scores[r] = static_cast<float>(sum);
  }
}

bool may_pass(float score, float norm, float factor, float absolute, float threshold) noexcept {
  const bool finite = score - score == 0.0f;  // infinity and NaN give NaN
  return !finite || !(score + (factor * norm + absolute) <= threshold);
}

std::size_t select_rows(const float* scores, const float* norms, std::size_t n_rows, float factor, float absolute,
                        float threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    if (may_pass(scores[r], norms[r], factor, absolute, threshold)) found[n++] = static_cast<std::uint32_t>(r);
  }
  return n;
}

std::size_t select_panel(const float* scores, const float* norms, std::size_t n_rows, const float* factor,
                         const float* absolute, const float* threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t p = 0; p < kPanel; ++p) {
      if (may_pass(scores[r * kPanel + p], norms[r], factor[p], absolute[p], threshold[p])) {
        found[n++] = static_cast<std::uint32_t>(r * kPanel + p);
      }
    }
  }
  return n;
}

enum ByteClass : std::uint8_t { kBlank, kWordByte, kSymbol };

struct ByteTable {
  ByteClass of[256];

  constexpr ByteTable() : of{} {
    for (int byte = 0; byte < 256; ++byte) {
      const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
      const bool symbol = byte > ' ' && byte < 0x7F && !letter && !(byte >= '0' && byte <= '9');
      const bool blank = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
      of[byte] = blank ? kBlank : symbol ? kSymbol : kWordByte;
    }
  }
};
constexpr ByteTable kByteTable;

std::size_t mark_tokens(TokenScan& scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                        std::uint64_t* words, std::uint32_t* starts) noexcept {
  std::size_t n = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t byte = text[i];
    const bool capital = scan.lowercase && byte >= 'A' && byte <= 'Z';
    folded[i] = byte == 0 ? 0xFF : static_cast<std::uint8_t>(capital ? byte + 32 : byte);
    const ByteClass kind = kByteTable.of[byte];
    if (i % 64 == 0) words[i / 64] = 0;
    words[i / 64] |= std::uint64_t{kind == kWordByte} << (i % 64);
    if (kind == kSymbol || (kind == kWordByte && !scan.in_word)) starts[n++] = scan.position;
    scan.in_word = kind == kWordByte;
    scan.beyond_ascii |= byte >= 0x80;
    scan.found_needle |= byte == scan.needle;
    ++scan.position;
  }
  return n;
}

// ---------------------------------------------------------------- classes of bytes

bool is_marked(const PairFilter& filter, std::uint8_t a, std::uint8_t b) {
  return (filter.low[0][a & 15] & filter.high[0][a >> 4] & filter.low[1][b & 15] & filter.high[1][b >> 4]) != 0;
}

ClassScan mark_classes(const PairFilter& filter, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       ByteClasses* blocks) noexcept {
  ClassScan scan{};
  const auto byte_at = [&](std::size_t i) { return i < size ? text[i] : std::uint8_t{' '}; };
  for (std::size_t at = 0; at < size; at += 64) {
    ByteClasses block{};
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint8_t byte = byte_at(at + i);
      const std::uint8_t small = byte | 0x20;
      folded[at + i] = byte == 0 ? 0xFF : byte;
      block.letter |= std::uint64_t{small >= 'a' && small <= 'z'} << i;
      block.digit |= std::uint64_t{byte >= '0' && byte <= '9'} << i;
      block.white |= std::uint64_t{byte == ' ' || (byte >= '\t' && byte <= '\r')} << i;
      block.space |= std::uint64_t{byte == ' '} << i;
      block.quote |= std::uint64_t{byte == '\''} << i;
      block.high |= std::uint64_t{byte >= 0x80} << i;
      if (at + i < size) scan.pair |= is_marked(filter, byte, byte_at(at + i + 1));
    }
    scan.beyond_ascii |= block.high != 0;
    blocks[at / 64] = block;
  }
  return scan;
}

std::size_t find_pair(const PairFilter& filter, const std::uint8_t* text, std::size_t from, std::size_t size) noexcept {
  for (; from < size; ++from) {
    if (is_marked(filter, text[from], from + 1 < size ? text[from + 1] : std::uint8_t{' '})) break;
  }
  return from;
}

std::size_t list_bits(const std::uint64_t* words, std::size_t n_words, std::uint32_t* places) noexcept {
  std::size_t n = 0;
  for (std::size_t w = 0; w < n_words; ++w) {
    for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      places[n++] = static_cast<std::uint32_t>(64 * w) + static_cast<std::uint32_t>(__builtin_ctzll(bits));
    }
  }
  return n;
}

// ---------------------------------------------------------------- words

bool is_letter_or_high(std::uint8_t byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}

bool is_white_space(std::uint8_t byte) noexcept { return (byte >= 9 && byte <= 13) || (byte >= 28 && byte <= 32); }

std::size_t mark_words(WordScan scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                       std::uint64_t* words, std::uint32_t* starts) noexcept {
  std::size_t n = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t byte = text[i];
    const bool capital = scan.lowercase && byte >= 'A' && byte <= 'Z';
    folded[i] = byte == 0 ? 0xFF : static_cast<std::uint8_t>(capital ? byte + 32 : byte);
    const bool between =
        byte == '\'' && i > 0 && i + 1 < size && is_letter_or_high(text[i - 1]) && is_letter_or_high(text[i + 1]);
    const bool word = scan.at_white_space ? !is_white_space(byte)
                                          : is_letter_or_high(byte) || (byte >= '0' && byte <= '9') || between;
    if (i % 64 == 0) words[i / 64] = 0;
    words[i / 64] |= std::uint64_t{word} << (i % 64);
    if (word && !in_word) starts[n++] = static_cast<std::uint32_t>(i);
    in_word = word;
  }
  return n;
}

// ---------------------------------------------------------------- quantised impacts

void add_column(std::uint16_t* sums, const std::uint8_t* codes, std::size_t n, std::uint16_t multiplier) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t value = codes[i] == 0 ? 0 : (std::uint32_t{codes[i]} * multiplier >> 8) + 1;
    sums[i] = static_cast<std::uint16_t>(sums[i] + value);
  }
}

std::size_t take_sums(std::uint16_t* sums, std::size_t n, std::uint16_t least, std::uint32_t* found) noexcept {
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (sums[i] >= least) found[n_found++] = std::uint32_t{sums[i]} << 16 | static_cast<std::uint32_t>(i);
    sums[i] = 0;
  }
  return n_found;
}

}  // namespace

const Kernels kScalar{"scalar",  kPanel,      crc32c,       dot_rows,    dot_panel,
                      dot_exact, select_rows, select_panel, mark_tokens, mark_classes,
                      find_pair, list_bits,   mark_words,   add_column,  take_sums};

}  // namespace twotower::kernels
