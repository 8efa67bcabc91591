// Cuts text into words by the expressions of GPT-4 and Qwen 2, word by word. Knows bit maps of classes, no table of
// characters.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernels/text.h"

namespace twotower {

/// The alternatives of SplitRule::kGpt4 (or kGpt4OneDigit) in their order. A view of a text and of its classes, in
/// which every byte of a character has the character's class. Thread-safe.
class Gpt4Words {
 public:
  Gpt4Words(std::string_view text, const kernels::ByteClasses* classes, std::size_t most_digits)
      : text_(text), classes_(classes), most_digits_(most_digits) {}

  /// Where the word that begins at `at` ends. O(bytes of the run of one class at `at`). REQUIRES at < size.
  std::size_t end_of_word(std::size_t at) const noexcept;

 private:
  bool is_letter(std::size_t at) const noexcept { return at < text_.size() && bit(classes_[at / 64].letter, at); }
  bool is_digit(std::size_t at) const noexcept { return at < text_.size() && bit(classes_[at / 64].digit, at); }
  bool is_white(std::size_t at) const noexcept { return at < text_.size() && bit(classes_[at / 64].white, at); }
  bool is_newline(std::size_t at) const noexcept {
    return at < text_.size() && (text_[at] == '\n' || text_[at] == '\r');
  }
  bool is_other(std::size_t at) const noexcept {
    return at < text_.size() && !is_letter(at) && !is_digit(at) && !is_white(at);
  }
  static bool bit(std::uint64_t map, std::size_t at) noexcept { return (map >> at % 64 & 1) != 0; }

  std::size_t next(std::size_t at) const noexcept;
  std::size_t end_of_white(std::size_t at) const noexcept;

  std::string_view text_;
  const kernels::ByteClasses* classes_;
  std::size_t most_digits_;
};

}  // namespace twotower
