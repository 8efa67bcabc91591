#include "text/byte_level_chars.h"

namespace twotower {
namespace {
#include "byte_level_tables.inc"
}

ByteLevelClass byte_level_class(char32_t c) noexcept {
  return static_cast<ByteLevelClass>(kCells[std::size_t{kBlocks[c >> 8]} << 8 | (c & 0xFF)]);
}

}  // namespace twotower
