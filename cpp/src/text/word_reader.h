// Reads one text word by word. Knows characters and the two word rules; knows no stop words, stems or ids.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "twotower/analyzer.h"

namespace twotower {

/// Rules of a WordReader.
struct WordOptions {
  WordRule rule = WordRule::kUnicode;
  bool lowercase = true;
  bool turkish = false;           // with lowercase: I becomes U+0131
  std::uint8_t cjk_sizes = 0b10;  // bit n - 1: n-grams
};

/// Simple lower case of a text. REQUIRES well-formed UTF-8.
std::string lower_case_of(std::string_view text, bool turkish);

/// Forward reader over the words of one text, in text order; the rules are those of WordRule in analyzer.h.
///
/// REQUIRES well-formed UTF-8. Not thread-safe; allocates nothing but the growth of `buffer`. O(bytes) in total.
class WordReader {
 public:
  /// `buffer` holds the current word and is kept by the caller, so that many texts share one allocation.
  WordReader(std::string_view text, const WordOptions& options, std::string& buffer);

  /// Moves to the next word and shows it until the next call; false at the end.
  bool next(std::string_view& word);

 private:
  bool next_unicode(std::string_view& word);
  bool next_whitespace(std::string_view& word);
  std::string_view take_word();
  bool take_cjk(std::string_view& word);
  char* take_cjk_unit(char* out);
  bool letter_follows(const char* p) const;
  bool cjk_follows() const;
  char* put(char32_t c, char* out) const;

  const char* at_;
  const char* const end_;
  char* const out_;
  const unsigned char* const ascii_;  // what each ASCII byte becomes, or kBreak
  const WordOptions options_;
  bool in_cjk_run_ = false;  // the unit at at_ is not the first one of its run
  unsigned cjk_done_ = 0;    // n-grams of up to this size that begin at at_ have been shown
};

}  // namespace twotower
