// The contractions that the expressions of byte-level words name: 's 't 're 've 'm 'll 'd. Knows nothing else of a
// text.
#pragma once

#include <cstddef>
#include <string_view>

namespace twotower {

/// Bytes of the contraction whose apostrophe is at `at`, 0 if there is none. `fold`: 0x20 for capitals, too, else 0.
inline std::size_t contraction_bytes(std::string_view text, std::size_t at, char fold) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<char>(text[i] | fold) : ' '; };
  const char first = byte(at + 1), second = byte(at + 2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  const bool two = (second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l');
  return two ? 3 : 0;
}

}  // namespace twotower
