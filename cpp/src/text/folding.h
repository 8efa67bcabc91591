// Words without accents. The table is made at build time by make_fold_tables.py, which says what is folded.
#pragma once

#include <string>
#include <string_view>

namespace twotower {

/// Writes the folded form of a word to `out`, in lower case if `lowercase` (a form may have capitals that the word had
/// not: U+2115 is N). May be empty. REQUIRES well-formed UTF-8. O(bytes).
void fold_accents(std::string_view word, bool lowercase, std::string& out);

}  // namespace twotower
