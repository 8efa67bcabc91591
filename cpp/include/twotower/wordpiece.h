// From text to the subword tokens of a BERT vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/stored_text.h"

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

/// A token that is found in the text as it is, before anything else is done to it.
struct AddedToken {
  std::string content;
  std::int32_t id;
  bool lstrip = false;  // takes the white space before it, too
  bool rstrip = false;
};

/// Ids that are put around the tokens of a text, or of a pair of texts A and B.
struct TokenTemplate {
  std::vector<std::int32_t> before;   // A
  std::vector<std::int32_t> between;  // only of a pair: between A and B
  std::vector<std::int32_t> after;    // A, or B
  std::size_t size() const noexcept { return before.size() + between.size() + after.size(); }
};

/// A token of the vocabulary and its id.
struct VocabularyEntry {
  std::string token;
  std::int32_t id;
};

/// A growing array of ids (or of places) that can be handed over without a copy. New room is not initialised. Not
/// thread-safe.
class IdBuffer {
 public:
  IdBuffer() = default;
  IdBuffer(IdBuffer&& other) noexcept;
  IdBuffer& operator=(IdBuffer&& other) noexcept;
  ~IdBuffer();

  std::size_t size() const noexcept { return size_; }
  std::int32_t* data() noexcept { return data_; }
  const std::int32_t* data() const noexcept { return data_; }

  /// Room for `n` ids behind the last one; write there, then call set_size. THROWS std::bad_alloc.
  std::int32_t* room(std::size_t n) {
    if (!has_room(n)) grow(size_ + n);
    return data_ + size_;
  }

  /// Whether room(n) would leave the ids where they are.
  bool has_room(std::size_t n) const noexcept { return capacity_ - size_ >= n; }

  /// REQUIRES ids up to `size` to have been written.
  void set_size(std::size_t size) noexcept { size_ = size; }

  /// Gives back the memory behind the last id.
  void shrink() noexcept;

  /// Has the system bring the memory of ids [begin, end) that no one has written yet, as far as there is room for them.
  /// Changes no id; any number of threads may call it.
  void prepare(std::size_t begin, std::size_t end) const noexcept;

 private:
  void grow(std::size_t needed);

  std::int32_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Where a token stands in its text: not asked for, in bytes of UTF-8, or in characters.
enum class SpanUnit : std::uint8_t { kNone, kByte, kChar };

/// What to make of a batch.
struct EncodeRequest {
  std::span<const StoredText> texts;
  std::span<const StoredText> pairs;      // empty, or one for each text
  const TokenTemplate* around = nullptr;  // nullptr: nothing is put around the tokens
  std::size_t max_length = kNoLimit;      // of each text or pair with what is put around it
  SpanUnit spans = SpanUnit::kNone;
  unsigned threads = 0;  // 0: every core

  static constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);
};

/// Tokens of N texts.
struct EncodedBatch {
  IdBuffer ids;                       // [T]
  std::vector<std::int64_t> offsets;  // [N + 1]
  std::vector<std::int64_t> n_first;  // [N] with pairs: tokens of A that were kept; else empty
  IdBuffer spans;                     // [T, 2] begin and end, if asked for; 0, 0 for what was put around
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
