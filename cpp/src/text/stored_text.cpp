#include "twotower/stored_text.h"

#include <algorithm>
#include <cstdio>

#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 31;
constexpr std::size_t kBlock = 16;  // units that are looked at together

std::string called(const char* name, std::size_t number) { return std::string(name) + " " + std::to_string(number); }

[[noreturn]] void refuse_unit(const std::string& text, std::uint32_t c, std::size_t at) {
  char code[16];
  std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(c));
  throw InvalidInput(text + " has " + (c > 0x10FFFF ? "a number that is no character, " : "a lone surrogate, ") + code +
                     ", at character " + std::to_string(at) +
                     ": decode the text strictly, or replace it (errors=\"replace\")");
}

// A block of ASCII is narrowed at once, in a loop that compilers turn into a few vector instructions.
template <class Unit>
std::string_view encode(const Unit* units, std::size_t size, std::string& buffer, const char* name,
                        std::size_t number) {
  constexpr std::size_t kMostBytes = sizeof(Unit) == 1 ? 2 : sizeof(Unit) == 2 ? 3 : 4;
  if (buffer.size() < size * kMostBytes + kBlock) buffer.resize(size * kMostBytes + kBlock);
  char* out = buffer.data();
  for (std::size_t i = 0; i < size;) {
    const std::size_t end = std::min(size, i + kBlock);
    if (end == i + kBlock) {
      std::uint32_t seen = 0;
      for (std::size_t k = 0; k < kBlock; ++k) {
        seen |= units[i + k];
        out[k] = static_cast<char>(units[i + k]);
      }
      if (seen < 0x80) {
        out += kBlock;
        i = end;
        continue;
      }
    }
    for (; i < end; ++i) {
      const std::uint32_t c = units[i];
      if ((c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF) refuse_unit(called(name, number), c, i);
      out = encode_utf8(c, out);
    }
  }
  return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

void check_size(const StoredText& text, std::size_t bytes, const char* name, std::size_t number) {
  if (bytes < kMaxBytes) return;
  throw InvalidInput(called(name, number) + " has " + std::to_string(text.size) +
                     " characters or bytes: a text may have less than 2 GiB, so cut it");
}

}  // namespace

std::string_view utf8_of(const StoredText& text, std::string& buffer, const char* name, std::size_t number) {
  check_size(text, text.size, name, number);
  std::string_view utf8(static_cast<const char*>(text.data), text.size);
  switch (text.form) {
    case TextForm::kUtf8: {
      const std::size_t at = first_invalid_utf8(utf8);
      if (at == std::string_view::npos) return utf8;
      throw InvalidInput(called(name, number) + " is not valid UTF-8 at byte " + std::to_string(at) +
                         ": decode it from its own encoding first, or replace what is malformed");
    }
    case TextForm::kAscii:
      return utf8;
    case TextForm::kLatin1:
      utf8 = encode(static_cast<const std::uint8_t*>(text.data), text.size, buffer, name, number);
      break;
    case TextForm::kUcs2:
      utf8 = encode(static_cast<const std::uint16_t*>(text.data), text.size, buffer, name, number);
      break;
    case TextForm::kUcs4:
      utf8 = encode(static_cast<const std::uint32_t*>(text.data), text.size, buffer, name, number);
      break;
  }
  check_size(text, utf8.size(), name, number);
  return utf8;
}

}  // namespace twotower
