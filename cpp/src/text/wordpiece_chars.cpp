#include "text/wordpiece_chars.h"

namespace twotower {
namespace {
#include "wordpiece_tables.inc"
}

const WordPieceChar& wordpiece_char(char32_t c) noexcept { return kRecords[kCells[kBlocks[c >> 8] << 8 | (c & 0xFF)]]; }

std::span<const char32_t> parts_of(const WordPieceChar& record) noexcept {
  return {kParts + record.first_part, record.n_parts};
}

}  // namespace twotower
