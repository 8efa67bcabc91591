#include "text/term_rules.h"

#include <algorithm>

#include "text/folding.h"
#include "twotower/error.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::string_view kPossessive = "'s";

template <class Words>
std::size_t longest(const Words& words) {
  std::size_t most = 0;
  for (const std::string& word : words) most = std::max(most, word.size());
  return most;
}

}  // namespace

TermRules::TermRules(const AnalyzerOptions& options)
    : words_{options.words, options.lowercase, options.lowercase && options.turkish, options.cjk_sizes},
      cut_apostrophe_(options.cut_apostrophe),
      fold_accents_(options.fold_accents),
      articles_(listed(options.articles, "an article")),
      stop_words_(listed(options.stop_words, "a stop word")),
      longest_stop_word_(longest(stop_words_)) {}

TermRules::Words TermRules::listed(const std::vector<std::string>& entries, const char* what) const {
  Words words;
  std::string folded;
  for (const std::string& entry : entries) {
    if (first_invalid_utf8(entry) != std::string_view::npos) {
      throw InvalidInput(std::string(what) + " must be valid UTF-8");
    }
    std::string word = words_.lowercase ? lower_case_of(entry, words_.turkish) : entry;
    if (fold_accents_) {
      fold_accents(word, words_.lowercase, folded);
      word = folded;
    }
    words.insert(std::move(word));
  }
  return words;
}

std::string_view TermRules::kept(std::string_view word, std::string& buffer) const {
  if (fold_accents_) {
    fold_accents(word, words_.lowercase, buffer);
    word = buffer;
  }
  word = without_affix(word);
  return is_stop_word(word) ? std::string_view{} : word;
}

std::string_view TermRules::without_affix(std::string_view word) const {
  if (!cut_apostrophe_ && articles_.empty()) return word;
  const std::size_t at = word.find('\'');
  if (at == std::string_view::npos || at == 0) return word;
  if (cut_apostrophe_) return word.substr(0, at);
  return articles_.contains(word.substr(0, at)) ? word.substr(at + 1) : word;
}

bool TermRules::is_stop_word(std::string_view word) const {
  if (word.size() > longest_stop_word_ + kPossessive.size()) return false;
  if (stop_words_.contains(word)) return true;
  return word.ends_with(kPossessive) && stop_words_.contains(word.substr(0, word.size() - kPossessive.size()));
}

}  // namespace twotower
