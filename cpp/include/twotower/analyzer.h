// From text to terms: words, lower case, stop words, stems.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "twotower/vocabulary.h"

namespace twotower {

/// Where a word begins and ends.
///
/// kUnicode: a word is a run of letters, numbers (categories L and N) and the marks (M) that follow one of them, so
/// that "x2" is one word and "os.path" two. An apostrophe (' U+2019 U+FF07) belongs to the word where a letter or mark
/// stands before it and a letter behind it, and becomes '. Han, Hiragana, Katakana and Hangul syllables, written
/// without spaces or with particles joined, become overlapping pairs; one alone is a word. Format characters (soft
/// hyphen, joiners, direction marks; not U+200B) and variation selectors are as if they were not there. Nothing else
/// belongs to a word.
///
/// kWhitespace: a word is a run of characters that are not white space (Python's str.split()).
enum class WordRule : std::uint8_t { kUnicode, kWhitespace };

/// Version of the Unicode tables, "14.0.0": that of the Python that built the core.
const char* unicode_version() noexcept;

struct AnalyzerOptions {
  WordRule words = WordRule::kUnicode;
  bool lowercase = true;  // simple (one to one) lower case of Unicode, before the stop list
  /// Words to leave out, before stemming: a word itself, or with a final 's taken off. Lower-cased if `lowercase`.
  std::vector<std::string> stop_words;
};

/// Stems many words in one call: one stem for each word, in order. An empty stem drops the word.
using Stemmer = std::function<std::vector<std::string>(const std::vector<std::string>&)>;

/// The words that an Analyzer has met, and what became of each. Private to the core.
class WordCache;

/// Makes terms of texts. Each distinct word passes the stop list and the stemmer once and is cached with its term.
///
/// Thread-safe. The stemmer and the interrupt poll are called with no lock held, by the calling thread. The cache holds
/// a million words or 32 MiB of their bytes (about 80 MiB in all for English, 200 MiB at most), then an empty one takes
/// its place; only the words of one text of many megabytes can take more.
class Analyzer {
 public:
  /// An empty `stemmer` leaves words as they are. THROWS InvalidInput if a stop word is malformed UTF-8.
  explicit Analyzer(AnalyzerOptions options, Stemmer stemmer = {});
  ~Analyzer();

  /// Appends the terms of each text to `out` as ids of `vocabulary`. An unknown term is added to it if `grow`; else its
  /// id is Vocabulary::kUnknown and keeps its place.
  ///
  /// O(bytes), single-threaded. THROWS InvalidInput that names text (counted from `first_text_number`) and byte offset
  /// of malformed UTF-8, Interrupted, and what the stemmer throws; terms of earlier texts may then have been added.
  void append_term_ids(std::span<const std::string_view> texts, Vocabulary& vocabulary, bool grow, TermIds& out,
                       std::size_t first_text_number = 0) const;

 private:
  /// Words of some texts as ids of a WordCache, and those among them whose term is not known yet.
  struct Words;

  void analyze_chunk(std::span<const std::string_view> texts, Vocabulary& vocabulary, bool grow, TermIds& out) const;
  Words read_words(std::span<const std::string_view> texts, WordCache& cache) const;
  void stem_pending(Words& words, WordCache& cache) const;
  bool is_stop_word(std::string_view word) const;
  std::shared_ptr<WordCache> current_cache() const;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view word) const noexcept { return std::hash<std::string_view>{}(word); }
  };

  const AnalyzerOptions options_;
  const Stemmer stemmer_;
  std::unordered_set<std::string, Hash, std::equal_to<>> stop_words_;
  mutable std::mutex cache_mutex_;  // guards which cache is current; each cache has a mutex of its own
  mutable std::shared_ptr<WordCache> cache_;
};

}  // namespace twotower
