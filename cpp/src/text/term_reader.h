// Reads texts as numbers of a TermCache. One for each thread; knows no vocabulary and no batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels/text.h"
#include "text/term_cache.h"
#include "text/term_rules.h"
#include "twotower/analyzer.h"

namespace twotower {

/// How words become stems: at most one of the two is set.
struct Stemming {
  Stemmer batch;
  StemmerFactory single;
};

/// Cuts text into runs of word bytes (kernels/text.h, mark_words), finds each in the cache by its bytes, and reads it
/// word by word where it is not there. No rule looks across a byte that is no word byte.
///
/// Not thread-safe; keeps its buffers from text to text. Texts are well-formed UTF-8 of less than 2 GiB. What the
/// stemmer throws passes through.
class TermReader {
 public:
  TermReader(const TermRules& rules, const Stemming& stemming);

  /// The cache to use from now on.
  void use(std::shared_ptr<TermCache> cache);

  /// Stems the words of texts that the cache lacks in one call, if the stemmer wants many words at once: call `prime`
  /// for each, then `settle_primed`.
  void prime(std::string_view text);
  void settle_primed();

  /// Begins a text; `append` appends the numbers of its next 32 KiB or so, and returns false at its end.
  void start(std::string_view text) { rest_ = text; }
  bool append(IdBuffer& numbers);

 private:
  std::string_view next_segment();
  void mark(std::string_view segment);
  std::int32_t* read_segment(std::string_view segment, std::int32_t* out);
  std::int32_t* read_slowly(std::string_view segment, std::size_t start, const PieceKey& key, std::int32_t* out);
  std::int32_t* resolve(std::string_view run, std::string_view folded, std::int32_t* out);
  std::int32_t number_of(std::string_view word);
  std::int32_t settle(KeyKind kind, std::string_view word);
  bool find(KeyKind kind, std::string_view key, std::int32_t*& out);
  bool find_short(KeyKind kind, const PieceKey& key, std::int32_t*& out, bool& may_be_long);
  std::size_t run_bytes(std::size_t start, std::size_t size) const noexcept;
  std::string_view stem(std::string_view word);

  const TermRules& rules_;
  const Stemming& stemming_;
  const kernels::WordScan scan_;
  decltype(kernels::TextKernels::mark_words) const mark_words_;
  std::shared_ptr<TermCache> cache_;
  std::shared_ptr<const PieceTable> tables_[2];  // by KeyKind
  std::unique_ptr<WordStemmer> stemmer_;         // made for the first new word
  std::string_view rest_;
  bool priming_ = false;
  std::unordered_map<std::string, std::string> primed_;  // word to what of it is stemmed
  std::string word_buffer_, kept_buffer_, stem_buffer_;
  std::vector<unsigned char> folded_;
  std::vector<std::uint64_t> bits_;  // bit map of mark_words, and a word of zeros
  std::vector<std::uint32_t> starts_;
  std::size_t n_starts_ = 0;
};

}  // namespace twotower
