// Finds added tokens ("[SEP]") in raw text. Knows no words and no pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/text.h"
#include "text/byte_trie.h"
#include "twotower/token_batch.h"

namespace twotower {

/// Leftmost and then longest match of a set of tokens, with the white space that a token takes along.
///
/// Immutable, thread-safe.
class AddedTokens {
 public:
  explicit AddedTokens(std::span<const AddedToken> tokens);

  struct Match {
    std::size_t begin, end;  // bytes of the text
    std::int32_t id;
  };

  /// The first match at or behind `from`; false if there is none. White space before `from` is not taken along.
  /// O(bytes looked at) times the longest token at worst. REQUIRES well-formed UTF-8.
  bool find(std::string_view text, std::size_t from, Match& match) const noexcept;

  /// Adds the first two bytes of every token to a filter.
  void add_to(kernels::PairFilter& filter) const noexcept;

  /// The byte with which every token begins; 0xFF, which no UTF-8 has, if there is no token; -1 if they differ.
  int first_byte() const noexcept { return first_byte_; }

 private:
  const char* next_candidate(const char* at, const char* end) const noexcept;

  std::vector<AddedToken> tokens_;  // by value of the trie
  ByteTrie trie_;
  kernels::PairFilter filter_{};
  int first_byte_ = -1;
};

}  // namespace twotower
