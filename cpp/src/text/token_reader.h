// What a tokenizer gives to the batch encoder: a reader of single texts for each thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "twotower/token_batch.h"

namespace twotower {

/// Reads texts and appends their tokens. Not thread-safe; keeps its buffers from text to text.
class TokenReader {
 public:
  virtual ~TokenReader() = default;

  /// Appends the tokens of a text, at least the first `limit` of them; with `spans` also the bytes of each token, begin
  /// and end. THROWS Interrupted. REQUIRES well-formed UTF-8 of less than 2 GiB.
  virtual void append(std::string_view text, std::size_t limit, IdBuffer& ids, IdBuffer* spans) = 0;

  /// Takes up the words that other threads have cached. Call it now and then.
  virtual void refresh() = 0;
};

/// Makes a reader for one thread. Thread-safe.
using TokenReaderFactory = std::function<std::unique_ptr<TokenReader>()>;

}  // namespace twotower
