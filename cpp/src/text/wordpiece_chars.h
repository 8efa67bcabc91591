// What the BERT normaliser knows of a character. The tables are made at build time by make_wordpiece_tables.py.
#pragma once

#include <cstdint>
#include <span>

namespace twotower {

struct WordPieceChar {
  static constexpr std::uint8_t kControl = 1;      // taken out by clean_text: Cc, Cf, Co, U+FFFD; not \t \n \r
  static constexpr std::uint8_t kSpace = 2;        // White_Space: separates words
  static constexpr std::uint8_t kPunctuation = 4;  // category P and all ASCII symbols: a word by itself
  static constexpr std::uint8_t kMark = 8;         // category Mn: taken out by strip_accents
  static constexpr std::uint8_t kHan = 16;         // a word by itself by handle_chinese_chars

  std::uint8_t flags;
  std::uint8_t combining;  // canonical combining class; 0 for a starter
  std::int32_t to_lower;   // add to the code point for its lower case (the first character of it for U+0130)
  std::uint16_t first_part;
  std::uint16_t n_parts;  // of the canonical decomposition; 0 if there is none, and for Hangul syllables
};

/// Record of a code point. REQUIRES c <= U+10FFFF. O(1), thread-safe.
const WordPieceChar& wordpiece_char(char32_t c) noexcept;

/// The full canonical decomposition of a record that has one.
std::span<const char32_t> parts_of(const WordPieceChar& record) noexcept;

}  // namespace twotower
