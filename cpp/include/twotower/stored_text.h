// A text as its owner stores it, and its UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace twotower {

/// One unit of the stored form: a byte of UTF-8 (not known to be well-formed), of ASCII, or a code point in 1, 2 or 4
/// bytes, as Python's str has them.
enum class TextForm : std::uint8_t { kUtf8, kAscii, kLatin1, kUcs2, kUcs4 };

/// View of a text. The owner keeps the memory. REQUIRES data aligned to the unit.
struct StoredText {
  const void* data = "";
  std::size_t size = 0;  // units
  TextForm form = TextForm::kUtf8;
};

/// Checked UTF-8 of a text: the stored bytes where they are UTF-8 already, else a copy in `buffer`, which grows.
///
/// O(size). Thread-safe if each thread has a buffer of its own. THROWS InvalidInput that begins with `name` and
/// `number` and says where malformed UTF-8, a lone surrogate or a number above U+10FFFF is, or that the text is of
/// 2 GiB or more.
std::string_view utf8_of(const StoredText& text, std::string& buffer, const char* name, std::size_t number);

}  // namespace twotower
