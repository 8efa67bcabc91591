// What is done to a word between reader and stemmer: apostrophes, accents, stop words. Knows no text and no number.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "text/word_reader.h"
#include "twotower/analyzer.h"

namespace twotower {

/// Thread-safe: it never changes.
class TermRules {
 public:
  /// THROWS InvalidInput if a stop word or article is malformed UTF-8.
  explicit TermRules(const AnalyzerOptions& options);

  const WordOptions& words() const noexcept { return words_; }

  /// What of a word of the reader goes to the stemmer; empty if it is dropped. May lie in `buffer`.
  std::string_view kept(std::string_view word, std::string& buffer) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view word) const noexcept { return std::hash<std::string_view>{}(word); }
  };
  using Words = std::unordered_set<std::string, Hash, std::equal_to<>>;

  Words listed(const std::vector<std::string>& entries, const char* what) const;
  std::string_view without_affix(std::string_view word) const;
  bool is_stop_word(std::string_view word) const;

  const WordOptions words_;
  const bool cut_apostrophe_;
  const bool fold_accents_;
  const Words articles_;
  const Words stop_words_;
  const std::size_t longest_stop_word_;  // bytes
};

}  // namespace twotower
