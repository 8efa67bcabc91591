// What the byte-level pre-tokenizer knows of a character. The table is made at build time by make_byte_level_tables.py.
#pragma once

#include <cstdint>

namespace twotower {

enum class ByteLevelClass : std::uint8_t {
  kOther,   // [^\s\p{L}\p{N}]
  kLetter,  // \p{L}
  kNumber,  // \p{N}
  kWhite,   // \s: White_Space
};

/// Class of a code point. REQUIRES c <= U+10FFFF. O(1), thread-safe.
ByteLevelClass byte_level_class(char32_t c) noexcept;

}  // namespace twotower
