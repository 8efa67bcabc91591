// Checked UTF-8: the one gate that every text passes before the core reads it.
//
// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace twotower {

/// Offset of the first byte that is not part of well-formed UTF-8 (Unicode, table 3-7), or npos if all of it is.
///
/// Overlong forms, surrogates (U+D800 to U+DFFF), code points above U+10FFFF and cut-off sequences are malformed; the
/// offset is that of the first byte of the malformed sequence. O(bytes); ASCII goes eight bytes a step.
std::size_t first_invalid_utf8(std::string_view text) noexcept;

/// Refuses malformed text. THROWS InvalidInput that names `text_number` and the byte offset.
void check_utf8(std::string_view text, std::size_t text_number);

/// The code point at `p`, and moves `p` behind it. REQUIRES well-formed UTF-8 at `p`.
inline char32_t decode_utf8(const char*& p) noexcept {
  const auto byte = [&p] { return static_cast<char32_t>(static_cast<unsigned char>(*p++)); };
  const char32_t first = byte();
  if (first < 0x80) return first;
  const char32_t second = byte() & 0x3F;
  if (first < 0xE0) return (first & 0x1F) << 6 | second;
  const char32_t third = byte() & 0x3F;
  if (first < 0xF0) return (first & 0x0F) << 12 | second << 6 | third;
  return (first & 0x07) << 18 | second << 12 | third << 6 | (byte() & 0x3F);
}

/// Writes `c` as 1 to 4 bytes at `out` and returns the end. REQUIRES a scalar value: at most U+10FFFF, no surrogate.
inline char* encode_utf8(char32_t c, char* out) noexcept {
  const auto put = [&out](char32_t byte) { *out++ = static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
    return out;
  }
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
  return out;
}

}  // namespace twotower
