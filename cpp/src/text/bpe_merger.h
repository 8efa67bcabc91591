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

/// From a pair of tokens to its rank and what it is merged into. Open addressing; immutable once it is filled.
class MergeTable {
 public:
  static constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

  struct Merge {
    std::uint32_t rank = kNoRank;
    std::int32_t merged = 0;
  };

  /// The rank of a merge is its place in the list.
  explicit MergeTable(std::span<const BpeMerge> merges);

  /// The merge of a pair; kNoRank if there is none. O(1).
  Merge find(std::int32_t left, std::int32_t right) const noexcept {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t at = home(key);; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == kEmpty) return {};
    }
  }

 private:
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };

  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // no pair: ids are not negative

  static std::uint64_t key_of(std::int32_t left, std::int32_t right) noexcept {
    return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t home(std::uint64_t key) const noexcept { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> shift_; }

  unsigned shift_;
  std::size_t mask_;
  std::vector<Slot> slots_;
};

/// The merges of a vocabulary. Immutable, thread-safe.
class BpeMerger {
 public:
  /// Memory that one thread uses again and again.
  struct Scratch {
    struct Symbol {
      std::int32_t id, previous, next;
      MergeTable::Merge merge;  // with the next one
    };
    std::vector<Symbol> symbols;
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
  std::size_t merge_short(std::string_view word, std::int32_t* out) const noexcept;
  std::size_t merge_long(std::string_view word, std::int32_t* out, Scratch& scratch) const;

  std::array<std::int32_t, 256> id_of_byte_;
  MergeTable table_;
  std::vector<std::uint32_t> token_bytes_;                    // by id
  std::unordered_map<std::string, std::int32_t> id_of_word_;  // of ignore_merges
};

}  // namespace twotower
