// One call of a tokenizer's encode: texts over threads, what goes around them, what is kept of them. Knows no rule of
// tokenization.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "text/ordered_ids.h"
#include "text/token_reader.h"
#include "twotower/token_batch.h"

namespace twotower {

/// Number of tokens that are kept of a text and of its pair.
struct KeptTokens {
  std::size_t first, second;
};

/// The rule of "longest first": the longer one loses tokens until both are half of `room`. Of an odd room the longer
/// one, or the second of two equals, has one more.
KeptTokens longest_first(KeptTokens tokens, std::size_t room) noexcept;

/// Use it once. The threads that read are "lanes": each takes the next chunk of texts until there is none.
class BatchEncoder {
 public:
  /// THROWS InvalidInput if max_length has no room for what goes around.
  BatchEncoder(TokenReaderFactory make_reader, const EncodeRequest& request);

  EncodedBatch run();

 private:
  struct Chunk {
    std::size_t begin, end;  // texts
  };
  struct Lane;

  void cut_chunks();
  void read_chunks(bool alone);
  void read_text(Lane& lane, std::size_t number);
  void read_side(Lane& lane, const StoredText& text, const char* name, std::size_t number);
  void keep_of_pair(Lane& lane, std::size_t first, std::size_t second, std::size_t number);
  void put(Lane& lane, const std::vector<std::int32_t>& ids);
  void set_size(Lane& lane, std::size_t n_ids);

  const TokenReaderFactory make_reader_;
  const EncodeRequest& request_;
  const bool spans_;
  TokenTemplate around_;
  std::size_t room_;  // for tokens of the texts
  std::vector<Chunk> chunks_;
  std::size_t n_units_ = 0;  // of all texts: about their bytes
  std::atomic<std::size_t> next_chunk_{0};
  OrderedIds* ordered_ids_ = nullptr;
  OrderedIds* ordered_spans_ = nullptr;
  EncodedBatch out_;
};

}  // namespace twotower
