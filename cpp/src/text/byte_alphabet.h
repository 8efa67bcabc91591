// GPT-2's alphabet: a printable character for each byte. Knows no vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace twotower {

/// A byte that no UTF-8 has. It stands for NUL inside words, so that a key padded with zero bytes is safe.
inline constexpr unsigned char kWordNul = 0xFF;

/// The character of a byte: the byte's own code point where that is a printable character of Latin-1, else U+0100 and
/// up, in the order of the bytes.
char32_t alphabet_char(unsigned char byte) noexcept;

/// Writes the bytes that a token of this alphabet stands for, kWordNul for NUL. False if a character is not in it, or
/// stands for byte 0xFF: no text has such a token. REQUIRES well-formed UTF-8.
bool bytes_of_token(std::string_view token, std::string& bytes);

}  // namespace twotower
