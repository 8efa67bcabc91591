// Strings and how often each came. Knows no text.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "twotower/term_table.h"

namespace twotower {

/// Open addressing over keys of 16 bytes for strings of up to 15, and a TermTable for longer ones. Not thread-safe.
class WordTable {
 public:
  static constexpr std::size_t kShortBytes = 15;

  WordTable() : slots_(kFirstSlots) {}

  std::size_t size() const noexcept { return n_short_ + long_words_.size(); }

  /// Counts a string that is there, or adds it. THROWS InvalidInput past 2^31 - 1 long strings.
  void add(std::string_view word, std::uint64_t count = 1) {
    if (word.size() > kShortBytes) return add_long(word, count);
    std::array<unsigned char, 16> bytes{};
    std::memcpy(bytes.data(), word.data(), word.size());
    add_short(key_of(bytes.data(), word.size()), count);
  }

  /// The same for a string with 16 readable bytes from its first on: faster.
  void add_padded(const unsigned char* bytes, std::size_t size) {
    if (size > kShortBytes) return add_long({reinterpret_cast<const char*>(bytes), size}, 1);
    add_short(key_of(bytes, size), 1);
  }

  /// Calls visit(string, count) for each, in no order that means anything.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.count == 0) continue;
      char bytes[16];
      std::memcpy(bytes, &slot.key, sizeof bytes);
      visit(std::string_view(bytes, slot.key.high >> 56), slot.count);
    }
    for (std::size_t i = 0; i < long_words_.size(); ++i) {
      visit(long_words_.term(static_cast<std::int32_t>(i)), long_counts_[i]);
    }
  }

 private:
  /// The bytes, zeros behind them, and their number in the last byte.
  struct Key {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    Key key;
    std::uint64_t count = 0;  // 0: empty
  };
  static constexpr std::size_t kFirstSlots = std::size_t{1} << 10;

  // REQUIRES 16 readable bytes.
  static Key key_of(const unsigned char* bytes, std::size_t size) noexcept {
    static_assert(std::endian::native == std::endian::little, "the last byte of a key is the highest of `high`");
    Key key;
    std::memcpy(&key, bytes, sizeof key);
    const std::size_t n_low = size < 8 ? size : 8, n_high = size - n_low;
    key.low &= n_low == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * n_low);
    key.high &= n_high == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * n_high);
    key.high |= std::uint64_t{size} << 56;
    return key;
  }

  std::size_t home(const Key& key) const noexcept {
    const std::uint64_t mixed = (key.low ^ key.high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed ^ mixed >> 32) & (slots_.size() - 1);
  }

  void add_short(const Key& key, std::uint64_t count) {
    std::size_t i = home(key);
    while (slots_[i].count != 0 && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    if (slots_[i].count == 0) {
      slots_[i].key = key;
      if (2 * ++n_short_ > slots_.size()) {
        slots_[i].count = count;
        return grow();
      }
    }
    slots_[i].count += count;
  }

  void add_long(std::string_view word, std::uint64_t count) {
    const auto id = static_cast<std::size_t>(long_words_.add(word));
    if (id == long_counts_.size()) long_counts_.push_back(0);
    long_counts_[id] += count;
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.count == 0) continue;
      std::size_t i = home(slot.key);
      while (slots_[i].count != 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t n_short_ = 0;
  TermTable long_words_;
  std::vector<std::uint64_t> long_counts_;
};

}  // namespace twotower
