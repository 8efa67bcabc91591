// Pairs of neighbouring tokens: how often each comes and where. Knows no word and no order of merging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace twotower {

/// Two tokens as one number; smaller numbers are first among equally frequent pairs.
using Pair = std::uint64_t;

constexpr Pair pair_of(std::uint32_t left, std::uint32_t right) noexcept { return Pair{left} << 32 | right; }
constexpr std::uint32_t left_of(Pair pair) noexcept { return static_cast<std::uint32_t>(pair >> 32); }
constexpr std::uint32_t right_of(Pair pair) noexcept { return static_cast<std::uint32_t>(pair); }

/// What is known of a pair. `first` and `n_places` name a slice of a list that the owner of the table keeps.
struct PairEntry {
  Pair pair;
  std::int64_t count;  // neighbours of these two tokens, each as often as its word comes
  std::uint64_t first;
  std::uint32_t n_places;
  bool used;
};

/// Open addressing, grows only. References are good until the next get(). Not thread-safe.
class PairTable {
 public:
  PairTable() : slots_(kFirstSlots) {}

  /// The entry of a pair, or nullptr.
  PairEntry* find(Pair pair) noexcept {
    PairEntry& slot = slots_[slot_of(pair)];
    return slot.used ? &slot : nullptr;
  }

  /// The entry of a pair; a new one counts 0 and is nowhere.
  PairEntry& get(Pair pair) {
    if (3 * (n_used_ + 1) > 2 * slots_.size()) grow();
    PairEntry& slot = slots_[slot_of(pair)];
    if (!slot.used) {
      slot = {pair, 0, 0, 0, true};
      ++n_used_;
    }
    return slot;
  }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (PairEntry& slot : slots_) {
      if (slot.used) visit(slot);
    }
  }

  /// Brings the slot of a pair into the cache, for a find() or get() soon.
  void prefetch(Pair pair) const noexcept { __builtin_prefetch(&slots_[home(pair)]); }

 private:
  static constexpr std::size_t kFirstSlots = std::size_t{1} << 12;

  std::size_t home(Pair pair) const noexcept {
    const std::uint64_t mixed = pair * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed ^ mixed >> 32) & (slots_.size() - 1);
  }

  std::size_t slot_of(Pair pair) const noexcept {
    std::size_t i = home(pair);
    while (slots_[i].used && slots_[i].pair != pair) i = (i + 1) & (slots_.size() - 1);
    return i;
  }

  void grow() {
    std::vector<PairEntry> old(2 * slots_.size());
    old.swap(slots_);
    for (const PairEntry& entry : old) {
      if (entry.used) slots_[slot_of(entry.pair)] = entry;
    }
  }

  std::vector<PairEntry> slots_;  // a power of two, at most two thirds full
  std::size_t n_used_ = 0;
};

}  // namespace twotower
