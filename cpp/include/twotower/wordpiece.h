// From text to the subword tokens of a BERT vocabulary.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "twotower/token_batch.h"

namespace twotower {

/// What is done to text before it is cut into pieces, and the rules of the cut. Meanings are those of BertNormalizer,
/// BertPreTokenizer and WordPiece of the `tokenizers` package, version 0.23.
struct WordPieceOptions {
  bool clean_text = true;            // take out controls, make every white space a space
  bool handle_chinese_chars = true;  // each Han character is a word by itself
  bool strip_accents = true;         // decompose canonically, take out non-spacing marks
  bool lowercase = true;
  std::string unk_token = "[UNK]";               // stands for a word that cannot be cut
  std::string continuing_subword_prefix = "##";  // marks a token that goes on inside a word
  std::size_t max_input_chars_per_word = 100;    // a longer word becomes unk_token
};

/// Cuts texts into tokens of a vocabulary. Whole words that it has met are kept in a cache that all threads share.
///
/// Thread-safe. The cache holds up to a million words of up to 16 bytes (at most 80 MiB), then an empty one takes its
/// place.
class WordPiece {
 public:
  /// THROWS InvalidInput if a token is malformed UTF-8, longer than 1,000 bytes or comes twice, an id is negative or
  /// comes twice, unk_token is not in the vocabulary, or an added token is empty.
  WordPiece(std::vector<VocabularyEntry> vocabulary, std::vector<AddedToken> added, WordPieceOptions options);
  ~WordPiece();

  /// Tokens of texts or of pairs of texts. A pair that is too long loses the last tokens of its longer text first,
  /// until both are half of what there is room for; a single text loses its last tokens.
  ///
  /// O(bytes) on any text. Equal for every number of threads and every instruction set. THROWS InvalidInput as utf8_of
  /// does, with the number of the text or pair, and for a max_length that has no room for what is put around;
  /// Interrupted.
  EncodedBatch encode(const EncodeRequest& request) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace twotower
