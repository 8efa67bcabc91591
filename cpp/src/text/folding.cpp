#include "text/folding.h"

#include <cstdint>

#include "text/unicode.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {
#include "fold_tables.inc"
}

void fold_accents(std::string_view word, bool lowercase, std::string& out) {
  out.clear();
  const auto put = [&](char32_t c) {
    char bytes[4];
    out.append(bytes, encode_utf8(lowercase ? lower_case(c) : c, bytes));
  };
  for (const char* at = word.data(); at != word.data() + word.size();) {
    const char32_t c = decode_utf8(at);
    const std::uint16_t form = c < 0x80 ? std::uint16_t{0} : kFoldCells[kFoldBlocks[c >> 8] << 8 | (c & 0xFF)];
    if (form == 0) {
      put(c);
      continue;
    }
    const auto* const text = reinterpret_cast<const char*>(kFoldText);
    for (const char* part = text + kFoldEnds[form - 1]; part != text + kFoldEnds[form];) put(decode_utf8(part));
  }
}

}  // namespace twotower
