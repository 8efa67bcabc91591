#include "text/unicode.h"

#include "twotower/analyzer.h"

namespace twotower {
namespace {
#include "unicode_tables.inc"
}

const CharRecord& char_record(char32_t c) noexcept { return kRecords[kCells[kBlocks[c >> 8] << 8 | (c & 0xFF)]]; }

const char* unicode_version() noexcept { return kUnicodeVersion; }

}  // namespace twotower
