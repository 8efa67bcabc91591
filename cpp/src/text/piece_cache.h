// From the bytes of a whole surface token to its pieces, shared by all threads. Knows no text and no rule.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>

#include "text/zero_pages.h"

namespace twotower {

/// Up to 16 bytes of a token, padded with zero bytes. No token has a zero byte (kFoldedNul).
struct PieceKey {
  std::uint64_t low, high;

  static constexpr std::size_t kMaxBytes = 16;

  /// REQUIRES 1 to kMaxBytes bytes, and kMaxBytes readable ones.
  static PieceKey of(const unsigned char* bytes, std::size_t size) noexcept {
    static_assert(std::endian::native == std::endian::little, "padding keeps the first bytes");
    const auto read = [](const unsigned char* at) {
      std::uint64_t word;
      std::memcpy(&word, at, sizeof word);
      return word;
    };
    const unsigned char* const mask = kMasks + kMaxBytes - size;
    return {read(bytes) & read(mask), read(bytes + 8) & read(mask + 8)};
  }

  std::uint64_t hash() const noexcept { return (low ^ high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u; }

 private:
  static constexpr unsigned char kMasks[2 * kMaxBytes] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
};

/// The ids of a token in 16 bytes: up to three as they are, four or five of 24 bits each, or the place of more. The
/// last byte is their number, and its highest bit says that they are elsewhere.
struct PackedIds {
  std::uint64_t first, second;

  static constexpr std::size_t kPlain = 3;
  static constexpr std::size_t kPacked = 5;
  static constexpr std::size_t kMost = 127;

  bool plain() const noexcept { return second >> 56 <= kPlain; }
  bool elsewhere() const noexcept { return second >> 63 != 0; }
  std::size_t count() const noexcept { return second >> 56 & kMost; }
  std::uint32_t place() const noexcept { return static_cast<std::uint32_t>(first); }

  /// Copies up to kPlain ids, and always writes four numbers.
  void copy_plain(std::int32_t* out) const noexcept {
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + 2, &second, sizeof second);
  }

  /// REQUIRES kPlain < count() <= kPacked. Always writes five numbers.
  void copy_packed(std::int32_t* out) const noexcept {
    constexpr std::uint64_t kMask = 0xFFFFFF;
    out[0] = static_cast<std::int32_t>(first & kMask);
    out[1] = static_cast<std::int32_t>(first >> 24 & kMask);
    out[2] = static_cast<std::int32_t>((first >> 48 | second << 16) & kMask);
    out[3] = static_cast<std::int32_t>(second >> 8 & kMask);
    out[4] = static_cast<std::int32_t>(second >> 32 & kMask);
  }

  /// REQUIRES at most kMost ids.
  static PackedIds of(std::span<const std::int32_t> ids, std::uint32_t place) noexcept;

  /// Whether there is no room for the ids themselves: they are more than kPacked, or too large for 24 bits.
  static bool need_place(std::span<const std::int32_t> ids) noexcept;
};

/// 64 bits that several threads read and write. Memory of zeros is an array of them that holds 0.
struct SharedWord {
  std::uint64_t value;

  std::uint64_t load() const noexcept { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
  std::uint64_t load_acquire() const noexcept { return __atomic_load_n(&value, __ATOMIC_ACQUIRE); }
  void store(std::uint64_t to) noexcept { __atomic_store_n(&value, to, __ATOMIC_RELAXED); }
  void store_release(std::uint64_t to) noexcept { __atomic_store_n(&value, to, __ATOMIC_RELEASE); }

  /// Stores `to` if there is 0, and tells whether it did.
  bool claim(std::uint64_t to) noexcept {
    std::uint64_t zero = 0;
    return __atomic_compare_exchange_n(&value, &zero, to, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }
};

/// An open-addressing table that only grows: a slot is written once, then read by any thread without a lock.
///
/// A slot is empty as long as its low key word is 0. A writer claims it by a word that no key has, fills the other
/// three and then stores the low key with release order; a reader that has seen the key (acquire) sees the rest. Two
/// threads that insert one key at once may give it two slots, of which one is never read.
class PieceTable {
 public:
  struct alignas(32) Slot {
    SharedWord low, high, first_ids, last_ids;

    PackedIds ids() const noexcept { return {first_ids.load(), last_ids.load()}; }
  };

  static constexpr std::size_t kProbes = 8;  // slots that a key may stand in, from its home on

  explicit PieceTable(unsigned bits);

  std::size_t home(std::uint64_t hash) const noexcept { return hash >> shift_; }
  const Slot& slot(std::size_t at) const noexcept { return slots_[at]; }

  /// The slot of a key, or nullptr.
  const Slot* find(const PieceKey& key) const noexcept;

  /// Copies the ids of a slot, however many, and returns their end. REQUIRES room for five.
  std::int32_t* copy_ids(const PackedIds& ids, std::int32_t* out) const noexcept;

  /// Adds a key if there is room, and tells whether the table has it now. Any number of threads may call it. REQUIRES
  /// at most PackedIds::kMost ids.
  bool insert(const PieceKey& key, std::span<const std::int32_t> ids) noexcept;

  bool half_full() const noexcept { return 2 * n_used_.load(std::memory_order_relaxed) > n_slots(); }
  unsigned bits() const noexcept { return 64 - shift_; }

  /// A table of 2^bits slots with the words of this one; what other threads insert meanwhile may be missing.
  std::shared_ptr<PieceTable> grown(unsigned bits) const;

 private:
  // Of a slot whose words are being written: no key begins with a zero byte.
  static constexpr std::uint64_t kClaimed = std::uint64_t{1} << 8;

  std::size_t n_slots() const noexcept { return mask_ + 1; }

  unsigned shift_;
  std::size_t mask_;
  ZeroPages memory_;  // of the slots, and behind them of the ids that have no room there: as many numbers as slots
  Slot* const slots_;
  std::int32_t* const overflow_;
  std::atomic<std::size_t> n_overflow_{0};
  std::atomic<std::size_t> n_used_{0};
};

/// The current table. A reader takes it once a chunk of text; a table lives as long as someone reads it.
class PieceCache {
 public:
  PieceCache() : table_(std::make_shared<PieceTable>(kFirstBits)), newest_(table_.get()) {}

  std::shared_ptr<PieceTable> table() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }

  /// Remembers the pieces of a token, or does not: where no slot is free, or another thread is just making a larger
  /// table. Waits for nobody. Brings `seen`, the caller's table, up to date.
  void remember(const PieceKey& key, std::span<const std::int32_t> ids, std::shared_ptr<PieceTable>& seen);

 private:
  static constexpr unsigned kFirstBits = 16;  // 2 MiB
  static constexpr unsigned kLastBits = 21;   // 64 MiB and 8 of overflow
  static constexpr unsigned kGrowth = 2;      // bits: each growth costs a copy, and all copies are a third of the last

  void grow();

  std::mutex growing_;        // held by the one that makes a larger table
  mutable std::mutex mutex_;  // guards table_
  std::shared_ptr<PieceTable> table_;
  std::atomic<const PieceTable*> newest_;
};

}  // namespace twotower
