// From text to the tokens of a byte-level BPE vocabulary: the tokenizers of GPT-2, RoBERTa and ModernBERT.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/token_batch.h"

namespace twotower {

/// Two tokens that are merged into a third one where they stand side by side.
struct BpeMerge {
  std::int32_t left, right, merged;
};

/// How text is cut into words, inside which merges happen.
enum class SplitRule : std::uint8_t {
  kGpt2,          // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kGpt4,          // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
                  // ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  kGpt4OneDigit,  // the same with \p{N} alone
  kNone,          // the whole text is one word
};

/// Meanings are those of NFC, ByteLevel and BPE of the `tokenizers` package, version 0.23.
struct BpeOptions {
  SplitRule rule = SplitRule::kGpt2;
  bool nfc = false;               // compose text first
  bool add_prefix_space = false;  // before each stretch of text between added tokens that has none
  bool ignore_merges = false;     // a word that is a token is that token, whatever the merges say
  bool trim_spans = false;        // spans leave out the spaces of a token
  bool trim_keeps_first = false;  // ... but not the one space of the first token, which may have been added
};

/// Text in Unicode normalisation form C, with the tables of the `tokenizers` package. REQUIRES well-formed UTF-8.
std::string composed_text(std::string_view text);

/// Cuts texts into tokens: of the pairs of neighbours inside a word, the one whose merge comes first in the list is
/// merged, the leftmost of equals, until none can be (R. Sennrich et al., ACL 2016, arXiv 1508.07909; on bytes: A.
/// Radford et al., 2019). Whole words that it has met are kept in a cache that all threads share.
///
/// Thread-safe. The cache holds up to a million words of up to 16 bytes (at most 80 MiB), then an empty one takes its
/// place.
class Bpe {
 public:
  /// Tokens are written in GPT-2's alphabet, one character a byte; a token with another character in it is only found
  /// as an added one. Of merges of one pair the last one counts.
  ///
  /// THROWS InvalidInput if a token is malformed UTF-8, longer than 1,000 bytes or comes twice, an id is negative,
  /// 2^24 or more, or comes twice, a byte of UTF-8 has no token, a merge names an id that is not there or a third token
  /// that is not its two put together, or an added token is empty.
  Bpe(std::vector<VocabularyEntry> vocabulary, std::vector<BpeMerge> merges, std::vector<AddedToken> added,
      BpeOptions options);
  ~Bpe();

  /// Tokens of texts or of pairs of texts, as WordPiece::encode has it.
  ///
  /// O(bytes log(bytes of the longest word)) on any text. Equal for every number of threads and every instruction set.
  /// THROWS as WordPiece::encode.
  EncodedBatch encode(const EncodeRequest& request) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace twotower
