// From text to terms: words, lower case, elisions, accents, stop words, stems.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/stored_text.h"
#include "twotower/vocabulary.h"
#include "twotower/wordpiece.h"

namespace twotower {

/// Where a word begins and ends.
///
/// kUnicode: a word is a run of letters, numbers (categories L and N) and the marks (M) that follow one of them, so
/// that "x2" is one word and "os.path" two. An apostrophe (' U+2019 U+FF07) belongs to the word where a letter or mark
/// stands before it and a letter behind it, and becomes '. Han, Hiragana, Katakana and Hangul syllables, written
/// without spaces or with particles joined, become overlapping n-grams; a run shorter than each n is a word. Format
/// characters (soft hyphen, joiners, direction marks; not U+200B) and variation selectors are as if they were not
/// there. Nothing else belongs to a word.
///
/// kWhitespace: a word is a run of characters that are not white space (Python's str.split()).
enum class WordRule : std::uint8_t { kUnicode, kWhitespace };

/// Version of the Unicode tables, "14.0.0": that of the Python that built the core.
const char* unicode_version() noexcept;

/// What is done to a word, in this order.
struct AnalyzerOptions {
  WordRule words = WordRule::kUnicode;
  bool lowercase = true;          // simple (one to one) lower case of Unicode
  bool turkish = false;           // with lower case: I becomes U+0131
  std::uint8_t cjk_sizes = 0b10;  // bit n - 1: n-grams of CJK characters; one to three bits
  bool cut_apostrophe = false;    // a word ends before its first apostrophe
  /// What goes away, with the apostrophe, where it stands before a word's first apostrophe ("l" of "l'amour").
  std::vector<std::string> articles = {};
  bool fold_accents = false;  // see folding.h
  /// Words to leave out: a word itself, or with a final 's taken off. Articles and stop words are lower-cased and
  /// folded as texts are.
  std::vector<std::string> stop_words = {};
};

/// Stems many words in one call: one stem for each word, in order. An empty stem drops the word. Called by any thread.
using Stemmer = std::function<std::vector<std::string>(const std::vector<std::string>&)>;

/// Stems one word; each thread makes one for itself. An empty stem drops the word.
class WordStemmer {
 public:
  virtual ~WordStemmer() = default;

  /// The stem, valid until the next call.
  virtual std::string_view stem(std::string_view word) = 0;
};

using StemmerFactory = std::function<std::unique_ptr<WordStemmer>()>;

/// Functions of a libstemmer (sb_stemmer_new, _delete, _stem, _length) that stays loaded.
struct SnowballLibrary {
  void* (*create)(const char* algorithm, const char* encoding);
  void (*destroy)(void* stemmer);
  const unsigned char* (*stem)(void* stemmer, const unsigned char* word, int size);
  int (*length)(void* stemmer);
};

/// Makes stemmers of a Snowball algorithm. THROWS InvalidInput if the library does not have it.
StemmerFactory snowball_stemmer(const SnowballLibrary& library, const std::string& algorithm);

/// Texts, and where their terms go.
struct AnalyzeRequest {
  std::span<const StoredText> texts;
  Vocabulary& vocabulary;
  bool grow;             // unknown terms are added; else their id is Vocabulary::kUnknown and keeps its place
  unsigned threads = 0;  // 0: every core
  std::size_t first_text_number = 0;  // for messages
};

/// Terms of N texts as ids of a vocabulary.
struct AnalyzedBatch {
  IdBuffer ids;                       // [T]
  std::vector<std::int64_t> offsets;  // [N + 1]
};

/// Makes terms of texts. What became of each distinct run of word bytes, and of each word, is cached for all threads.
///
/// Thread-safe; stemmers and the interrupt poll are called with no lock held. The cache holds up to a million runs and
/// words, or 32 MiB of their bytes (at most 200 MiB in all), then an empty one takes its place; only the words of one
/// run without ASCII separators can take more.
class Analyzer {
 public:
  /// An empty `stemmer` leaves words as they are. THROWS InvalidInput if a stop word or article is malformed UTF-8.
  explicit Analyzer(AnalyzerOptions options, Stemmer stemmer = {});
  Analyzer(AnalyzerOptions options, StemmerFactory stemmer);
  ~Analyzer();

  /// The terms of each text. New terms get their ids in order of first appearance, whatever the number of threads.
  ///
  /// O(bytes). THROWS InvalidInput as utf8_of does, Interrupted, and what the stemmer throws; terms of some of the
  /// texts may then have been added.
  AnalyzedBatch term_ids(const AnalyzeRequest& request) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace twotower
