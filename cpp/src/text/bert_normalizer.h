// BERT's normal form of a stretch of text and its words. Knows characters; knows no vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/wordpiece.h"

namespace twotower {

/// A byte that no UTF-8 has. It stands for NUL in folded text (kernels/text.h, mark_tokens), so that a key padded with
/// zero bytes has one meaning.
inline constexpr unsigned char kFoldedNul = 0xFF;

/// Normalises text as the `tokenizers` package does: clean, set Han apart, decompose and drop marks, lower case.
///
/// Not thread-safe; keeps its buffers from text to text. O(bytes) but for the sorting of long runs of marks.
class BertNormalizer {
 public:
  explicit BertNormalizer(const WordPieceOptions& options) : options_(options) {}

  /// A word of the normal form. `bytes` is valid until the next call of next_word.
  struct Word {
    std::string_view bytes;
    std::size_t n_chars;
    std::size_t first_char;  // its place in the normal form, for begin_of and end_of
  };

  /// Takes up a new text. REQUIRES well-formed UTF-8 in which kFoldedNul may stand for NUL. ASCII capitals may have
  /// been lower-cased already.
  void normalize(std::string_view text);

  /// The next word in text order; false at the end. A punctuation character is a word by itself.
  bool next_word(Word& word);

  /// The bytes of the text from which a character of the normal form came. Marks that changed places keep the order of
  /// the bytes, as in `tokenizers`.
  std::size_t begin_of(std::size_t normal_char) const noexcept { return chars_[normal_char].begin; }
  std::size_t end_of(std::size_t normal_char) const noexcept { return chars_[normal_char].end; }

 private:
  struct Char {
    char32_t c;
    std::uint32_t begin, end;
  };
  struct Mark {
    Char from;
    std::uint8_t combining;
    bool added;  // not the first part of a decomposition: shares the place of the one before it
  };

  void put_decomposed(const Char& source);
  void put_part(const Char& part, std::uint8_t combining, bool dropped, bool added);
  void put_marks();
  void sort_marks();
  void put_lower(const Char& source);
  void put_separator() { chars_.push_back({U' ', 0, 0}); }

  const WordPieceOptions options_;
  std::vector<Char> chars_;  // the normal form
  std::vector<Mark> marks_;  // combining characters since the last starter
  Char last_starter_{};
  std::size_t at_ = 0;  // first character that next_word has not seen
  std::string word_;
};

}  // namespace twotower
