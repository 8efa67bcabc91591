// What the word splitter knows of a character: its class and its lower case. The tables are made at build time.
#pragma once

#include <cstdint>

namespace twotower {

enum class CharClass : std::uint8_t {
  kOther,       // punctuation, symbols, controls, unassigned: separates words
  kSpace,       // what Python's str.isspace() says: separates words under both rules
  kLetter,      // category L, except kCjk
  kMark,        // category M: goes with the character before it
  kNumber,      // category N
  kCjk,         // Han, Hiragana, Katakana, Hangul syllables: runs become bigrams
  kIgnored,     // format characters and variation selectors: as if they were not there
  kApostrophe,  // ' and its typographic and full-width forms
};

struct CharRecord {
  CharClass kind;
  std::int32_t to_lower;  // add to the code point for its simple lower case
};

/// Record of a code point. REQUIRES c <= U+10FFFF. O(1), thread-safe.
const CharRecord& char_record(char32_t c) noexcept;

/// Simple lower case of a code point.
inline char32_t lower_case(char32_t c) noexcept {
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + char_record(c).to_lower);
}

}  // namespace twotower
