#include "twotower/utf8.h"

#include <cstdint>
#include <cstring>
#include <string>

#include "twotower/error.h"

namespace twotower {
namespace {

// Length of the well-formed sequence that starts at text[i], 0 if it is malformed. The second byte carries all the
// special cases: overlong (E0, F0), surrogate (ED) and too large (F4) leads allow only a part of 80..BF.
std::size_t sequence_length(std::string_view text, std::size_t i) noexcept {
  const auto at = [&text](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = at(i);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() - i < length) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(i + 1) < low || at(i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if ((at(i + k) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::size_t first_invalid_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t eight;
    if (text.size() - i >= sizeof eight) {
      std::memcpy(&eight, text.data() + i, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        i += sizeof eight;
        continue;
      }
    }
    const std::size_t length = sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

void check_utf8(std::string_view text, std::size_t text_number) {
  const std::size_t at = first_invalid_utf8(text);
  if (at == std::string_view::npos) return;
  throw InvalidInput("text " + std::to_string(text_number) + " is not valid UTF-8 at byte " + std::to_string(at) +
                     ": decode it from its own encoding first, or replace what is malformed");
}

}  // namespace twotower
