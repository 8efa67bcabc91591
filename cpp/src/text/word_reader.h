// Reads one text word by word. Knows characters and the two word rules; knows no stop words, stems or ids.
#pragma once

#include <string>
#include <string_view>

#include "twotower/analyzer.h"

namespace twotower {

/// Forward reader over the words of one text, in text order; the rules are those of WordRule in analyzer.h.
///
/// REQUIRES well-formed UTF-8. Not thread-safe; allocates nothing but the growth of `buffer`. O(bytes) in total.
class WordReader {
 public:
  /// `buffer` holds the current word and is kept by the caller, so that many texts share one allocation.
  WordReader(std::string_view text, WordRule rule, bool lowercase, std::string& buffer);

  /// Moves to the next word and shows it until the next call; false at the end.
  bool next(std::string_view& word);

 private:
  bool next_unicode(std::string_view& word);
  bool next_whitespace(std::string_view& word);
  std::string_view take_word();
  bool take_cjk(std::string_view& word);
  char* take_cjk_unit(char* out);
  bool letter_follows(const char* p) const;
  char* put(char32_t c, char* out) const;

  const char* at_;
  const char* const end_;
  char* const out_;
  const unsigned char* const ascii_;  // what each ASCII byte becomes, or kBreak
  const WordRule rule_;
  const bool lowercase_;
  bool in_cjk_run_ = false;  // the unit at at_ was already the second half of a bigram
};

}  // namespace twotower
