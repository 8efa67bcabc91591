// Merges the bytes of a word into tokens. Knows bytes and ids; knows no text and no cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "twotower/bpe.h"

namespace twotower {

/// From a pair of symbols to the rank of its merge. A symbol is a number of the merger's own, below 2^21, so that a
/// pair and its rank fit one word of memory. Open addressing; pairs of bytes have a table of their own.
class MergeTable {
 public:
  static constexpr std::uint32_t kNoRank = 0xFFFFFFFF;
  static constexpr unsigned kBits = 21;               // of a symbol and of a rank
  static constexpr std::uint32_t kFirstMerged = 256;  // symbols below it are bytes

  explicit MergeTable(std::size_t n_merges);

  /// The last rank that is given to a pair counts. REQUIRES no more calls than n_merges.
  void insert(std::uint32_t left, std::uint32_t right, std::uint32_t rank);

  /// The rank of a pair; kNoRank if there is none. O(1).
  std::uint32_t find(std::uint32_t left, std::uint32_t right) const noexcept {
    if ((left | right) < kFirstMerged) return of_bytes_[left << 8 | right];
    const std::uint64_t pair = std::uint64_t{left} << kBits | right;
    for (std::size_t at = home(pair);; at = (at + 1) & mask_) {
      const std::uint64_t slot = slots_[at];
      if (slot >> kBits == pair) return static_cast<std::uint32_t>(slot & kRankMask);
      if (slot == kEmpty) return kNoRank;
    }
  }

 private:
  static constexpr std::uint64_t kRankMask = (std::uint64_t{1} << kBits) - 1;
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // its highest bit is that of no pair

  std::size_t home(std::uint64_t pair) const noexcept { return (pair ^ pair >> kBits) * 0x9E3779B97F4A7C15u >> shift_; }

  unsigned shift_;
  std::size_t mask_;
  std::vector<std::uint64_t> slots_;     // pair and rank
  std::vector<std::uint32_t> of_bytes_;  // [256, 256]
};

/// The merges of a vocabulary. Immutable, thread-safe.
class BpeMerger {
 public:
  /// Memory that one thread uses again and again.
  struct Scratch {
    struct Node {
      std::uint32_t symbol;
      std::uint32_t rank;  // with the next one
      std::int32_t previous, next;
    };
    std::vector<Node> nodes;
    std::vector<std::uint64_t> heap;
  };

  /// THROWS InvalidInput as the constructor of Bpe does for merges and for bytes without a token.
  BpeMerger(std::span<const VocabularyEntry> vocabulary, std::span<const BpeMerge> merges, bool ignore_merges);

  /// Writes the ids of a word (kWordNul for NUL) to `out` and returns their number.
  ///
  /// REQUIRES bytes of well-formed UTF-8, and room for one id a byte. O(n log n); short words by a plain search.
  std::size_t merge(std::string_view word, std::int32_t* out, Scratch& scratch) const;

  /// Bytes of a token that merge() gives.
  std::size_t token_bytes(std::int32_t id) const noexcept { return token_bytes_[static_cast<std::size_t>(id)]; }

 private:
  void number_symbols(std::span<const VocabularyEntry> vocabulary, std::span<const BpeMerge> merges);
  std::size_t merge_short(std::string_view word, std::int32_t* out) const noexcept;
  std::size_t merge_long(std::string_view word, std::int32_t* out, Scratch& scratch) const;

  MergeTable table_;
  std::vector<std::uint32_t> merged_;                         // by rank: symbol
  std::vector<std::int32_t> id_of_;                           // by symbol
  std::vector<std::uint32_t> token_bytes_;                    // by id
  std::unordered_map<std::string, std::int32_t> id_of_word_;  // of ignore_merges
};

}  // namespace twotower
