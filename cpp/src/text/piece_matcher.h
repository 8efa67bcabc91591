// Cuts a word into the longest pieces of a vocabulary, in linear time. Knows bytes; knows no text and no cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "twotower/wordpiece.h"

namespace twotower {

/// Longest match first ("maximum matching") by a trie with failure links: X. Song et al., "Fast WordPiece
/// Tokenization", EMNLP 2021 (arXiv 2012.15524), algorithms 1 and 2. Where no longer piece goes on, the failure link
/// leads to the node of what is left after the pieces that are certain by then, so that no byte is read twice.
///
/// Immutable, thread-safe.
class PieceMatcher {
 public:
  /// Tokens that begin with `prefix` go on inside a word (without it); every token may begin a word as it is.
  PieceMatcher(std::span<const VocabularyEntry> vocabulary, const std::string& prefix);

  /// Writes the ids of the pieces of a word to `out` and returns their number; 0 if it cannot be cut.
  ///
  /// REQUIRES a word of at least one byte, and room for one id a byte. O(bytes).
  std::size_t match(std::string_view word, std::int32_t* out) const noexcept;

  /// Bytes of a word that a piece covers; `first` if it begins the word.
  std::size_t piece_bytes(std::int32_t id, bool first) const noexcept {
    const std::size_t bytes = token_bytes_[static_cast<std::size_t>(id)];
    return first ? bytes : bytes - prefix_bytes_;
  }

 private:
  // Where to go on when no child fits, and the pieces that are certain then: pops_[begin, begin + n).
  struct Failure {
    std::int32_t node = ByteTrie::kNone;
    std::uint32_t pops_begin = 0;
    std::uint32_t n_pops = 0;
  };

  void link_failures();
  const Failure& failure_of(std::int32_t node) const noexcept { return failures_[static_cast<std::size_t>(node)]; }

  ByteTrie trie_;  // node 0: the start of a word; node 1: inside a word
  std::vector<Failure> failures_;
  std::vector<std::int32_t> pops_;
  std::vector<std::uint32_t> token_bytes_;  // by id
  std::size_t prefix_bytes_;
};

}  // namespace twotower
