// The oracle for finding tokens, words and classes of bytes: what each kernel of kernels/text.h means, in plain C++.
// Runs on any machine.
#include "kernels/text.h"

namespace twotower::kernels::scalar {
namespace {

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

}  // namespace

const TextKernels kText{mark_tokens, mark_classes, find_pair, list_bits, mark_words};

}  // namespace twotower::kernels::scalar
