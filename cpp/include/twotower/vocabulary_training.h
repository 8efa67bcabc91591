// From texts to the vocabulary of a subword tokenizer: words are counted, then pairs of tokens are merged.
//
// The two steps are two classes, so that a caller can stream texts, show progress and stop in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/bpe.h"
#include "twotower/stored_text.h"
#include "twotower/wordpiece.h"

namespace twotower {

/// Distinct words, one behind the other in `bytes`; word i owns bytes[offsets[i], offsets[i + 1]) and came counts[i]
/// times. Ordered by count, highest first, then by bytes.
struct WordCounts {
  std::string bytes;
  std::vector<std::size_t> offsets{0};
  std::vector<std::uint64_t> counts;

  std::size_t size() const noexcept { return counts.size(); }
  std::string_view word(std::size_t i) const noexcept {
    return std::string_view(bytes).substr(offsets[i], offsets[i + 1] - offsets[i]);
  }
};

class WordTable;

/// Cuts texts into words and counts them. One for each thread; implementations are private (text/training).
class WordCutter {
 public:
  virtual ~WordCutter() = default;

  /// Counts the words of a text. REQUIRES well-formed UTF-8 of less than 2 GiB. THROWS Interrupted.
  virtual void count(std::string_view text) = 0;

  /// Entries that wait to be moved: not more than this many distinct words.
  virtual std::size_t n_waiting() const noexcept = 0;

  /// Adds what was counted to `words` and forgets it.
  virtual void move_to(WordTable& words) = 0;
};

/// Counts words in parallel. What comes out is the same for every number of threads and every cut into calls.
///
/// Not thread-safe; add() works on threads of its own. Memory: the distinct words, 40 to 70 bytes each for common
/// words, and once more for each thread.
class WordCounter {
 public:
  using MakeCutter = std::function<std::unique_ptr<WordCutter>()>;

  /// Words as WordPiece's encoder sees them: `special_tokens` are taken out of raw text, text is normalised as
  /// `options` say, words of more than max_input_chars_per_word are left out (they become unk_token whatever is
  /// learnt).
  static WordCounter of_wordpiece(const WordPieceOptions& options, std::vector<std::string> special_tokens,
                                  std::size_t max_words);

  /// Words as byte-level BPE's encoder sees them: `special_tokens` are taken out of raw text, the rest is composed, put
  /// behind a space and cut as `options` say. Byte 0xFF, which no UTF-8 has, stands for NUL.
  static WordCounter of_byte_level(const BpeOptions& options, std::vector<std::string> special_tokens,
                                   std::size_t max_words);

  WordCounter(MakeCutter make, std::size_t max_words);
  WordCounter(WordCounter&&) noexcept;
  ~WordCounter();

  /// Counts the words of texts, the first of which is text number `first` for messages. threads == 0 means every core.
  ///
  /// O(bytes). THROWS InvalidInput as utf8_of does, and where there are more than `max_words` distinct words; no word
  /// is ever dropped to save room. Interrupted. After an exception the counts are of no use.
  void add(std::span<const StoredText> texts, std::size_t first, unsigned threads);

  /// All words, and forgets them. THROWS InvalidInput as add() does.
  WordCounts take();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// What a vocabulary should be like.
struct VocabularyRequest {
  std::vector<std::string> special_tokens;  // the first ids, in this order
  std::size_t vocabulary_size = 0;          // special tokens and alphabet included
  std::size_t n_candidates = 0;             // tokens to learn, where some are dropped later; else 0
  std::uint64_t min_frequency = 2;          // times that a pair must come to be merged
  std::size_t max_token_length = 100;       // units: characters of WordPiece, bytes of BPE
  std::size_t limit_alphabet = 1000;        // WordPiece: most characters that are tokens; of equally frequent ones
                                            // those go first that never stand inside a word, then by code point
};

/// Two tokens that became one.
struct Merge {
  std::int32_t left, right, merged;
};

/// Learns tokens by byte-pair encoding: again and again the most frequent pair of neighbours becomes a token.
///
/// The frequency of a pair is the number of merges it allows, so that "aaa" has one pair and "aaaa" two. Of equally
/// frequent pairs the one whose left token has the smaller id goes first, then the one whose right token has; ids are
/// given to special tokens, to the alphabet in order of code points (WordPiece: characters, then characters that go on
/// inside a word, "##a"), then to merged tokens as they come. A merged token that is spelled
/// as a special one is that one.
///
/// Memory: 8 bytes a unit of each distinct word, 12 more for places, about 50 a pair. Not thread-safe.
class VocabularyLearner {
 public:
  /// Tokens of a WordPiece vocabulary. A word with characters outside the limited alphabet will be unk_token, whatever
  /// is learnt; what stands between them is learnt from all the same, for other words of its script. THROWS
  /// InvalidInput if there is no word, a word begins with the prefix (of BERT's words none does), a special token comes
  /// twice, or vocabulary_size is below special tokens and alphabet; Interrupted.
  static VocabularyLearner of_wordpiece(const WordCounts& words, const VocabularyRequest& request,
                                        const std::string& prefix);

  /// Tokens of byte-level BPE in GPT-2's alphabet, of which all 256 characters are tokens. Words are those of
  /// WordCounter::of_byte_level. THROWS as of_wordpiece.
  static VocabularyLearner of_byte_level(const WordCounts& words, const VocabularyRequest& request);

  VocabularyLearner(VocabularyLearner&&) noexcept;
  ~VocabularyLearner();

  /// Makes up to `n` merges more. Returns whether there may be others. THROWS Interrupted; run() may be called again.
  bool run(std::size_t n);

  /// Number of special tokens and of the alphabet: the first ids.
  std::size_t n_fixed() const noexcept;

  /// Number of tokens so far.
  std::size_t size() const noexcept;

  /// The tokens so far, by id.
  std::vector<std::string> tokens() const;

  /// The merges so far, in order.
  const std::vector<Merge>& merges() const noexcept;

 private:
  struct Parts;
  explicit VocabularyLearner(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Of the tokens of a WordPiece vocabulary, the `size` that its encoder misses least to lose the others; their order
/// stays. The first `n_fixed` are always kept.
///
/// In rounds, each of which drops the tokens of the smallest loss: how often longest-match-first uses a token for
/// `words`, times the pieces more that the token itself is cut into without it. Of equal ones the later goes first. A
/// round drops three tenths of those that are too many, and at least one in 64 of `size`, then the words that had them
/// are cut anew.
///
/// O(bytes of the words) and of the tokens, a round. THROWS InvalidInput if size is below n_fixed; Interrupted.
std::vector<std::string> prune_vocabulary(const WordCounts& words, const std::vector<std::string>& tokens,
                                          std::size_t n_fixed, std::size_t size, const std::string& prefix);

}  // namespace twotower
