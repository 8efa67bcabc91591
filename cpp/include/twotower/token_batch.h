// What subword tokenizers take and give: added tokens, templates, batches of ids. Knows no rule of tokenization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "twotower/stored_text.h"

namespace twotower {

/// A token that is found in the text as it is, before anything else is done to it.
struct AddedToken {
  std::string content;
  std::int32_t id;
  bool lstrip = false;  // takes the white space before it, too
  bool rstrip = false;
  bool normalized = false;  // found in normalised text instead (BPE alone)
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

}  // namespace twotower
