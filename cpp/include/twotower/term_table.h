// A set of strings with dense ids in order of first appearance. Vocabulary and the word cache of Analyzer stand on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace twotower {

/// Open-addressing hash map from string to dense id, and back by an offset table. Grows only.
///
/// The same additions in the same order give the same ids on every machine. Lookup and addition are O(bytes of the
/// term) expected. Memory: the bytes of the terms, and 24 to 40 bytes a term. Not thread-safe; concurrent reads are
/// fine.
class TermTable {
 public:
  static constexpr std::int32_t kUnknown = -1;

  TermTable();

  std::size_t size() const noexcept { return offsets_.size() - 1; }

  /// Sum of the lengths of all terms.
  std::size_t n_bytes() const noexcept { return bytes_.size(); }

  /// Id of `term`, or kUnknown.
  std::int32_t find(std::string_view term) const noexcept;

  /// Id of `term`, which is added if it is new. `term` must not lie in this table. THROWS InvalidInput past 2^31 - 1
  /// terms; after any exception the table is as it was.
  std::int32_t add(std::string_view term);

  /// find or add for many terms, whose slots are asked for ahead. The same ids and exceptions.
  void append_ids(std::span<const std::string_view> terms, bool grow, std::vector<std::int32_t>& ids);

  /// The term of an id; valid until the next addition. REQUIRES 0 <= id < size().
  std::string_view term(std::int32_t id) const noexcept;

  /// All terms one behind the other, and where each begins: size() + 1 entries from 0 to n_bytes().
  const std::vector<char>& bytes() const noexcept { return bytes_; }
  const std::vector<std::int64_t>& offsets() const noexcept { return offsets_; }

 private:
  struct Slot {
    std::uint32_t hash;
    std::int32_t id;  // kUnknown: empty
  };

  std::int32_t add(std::string_view term, std::uint32_t hash);
  std::size_t slot_of(std::string_view term, std::uint32_t hash) const noexcept;
  void double_slots();

  std::vector<char> bytes_;
  std::vector<std::int64_t> offsets_{0};
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace twotower
