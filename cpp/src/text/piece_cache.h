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
#include <vector>

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

  std::uint64_t hash() const noexcept {
    return (low ^ high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u;
  }

 private:
  static constexpr unsigned char kMasks[2 * kMaxBytes] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
};

/// An open-addressing table that only grows: a slot is written once, then read by any thread without a lock.
///
/// A slot is empty as long as its low key word is 0. The writer fills the other three words first and then stores the
/// low key with release order; a reader that has seen the key (acquire) sees the rest.
class PieceTable {
 public:
  struct alignas(32) Slot {
    std::atomic<std::uint64_t> low{0};
    std::atomic<std::uint64_t> high{0};
    std::atomic<std::uint64_t> ids01{0};       // up to kInline ids; the place in overflow_ where there are more
    std::atomic<std::uint64_t> id2_count{0};   // the third id, and above it the number of ids
  };

  static constexpr std::uint32_t kInline = 3;
  static constexpr std::size_t kProbes = 8;  // slots that a key may stand in, from its home on

  explicit PieceTable(unsigned bits);

  std::size_t home(std::uint64_t hash) const noexcept { return hash >> shift_; }
  const Slot& slot(std::size_t at) const noexcept { return slots_[at]; }
  const std::int32_t* overflow(std::uint64_t ids01) const noexcept {
    return overflow_.data() + static_cast<std::uint32_t>(ids01);
  }

  /// The slot of a key, or nullptr.
  const Slot* find(const PieceKey& key, std::uint64_t hash) const noexcept;

  /// Adds a key if there is room; the caller holds the lock of the cache.
  void insert(const PieceKey& key, std::span<const std::int32_t> ids);

  bool half_full() const noexcept { return 2 * n_used_ > n_slots(); }
  unsigned bits() const noexcept { return 64 - shift_; }

  /// A table of 2^bits slots with the words of this one; the caller holds the lock.
  std::shared_ptr<PieceTable> grown(unsigned bits) const;

 private:
  std::size_t n_slots() const noexcept { return mask_ + 1; }

  unsigned shift_;
  std::size_t mask_;
  struct FreeSlots {
    void operator()(Slot* slots) const noexcept;
  };
  static std::unique_ptr<Slot[], FreeSlots> new_slots(std::size_t n);

  std::unique_ptr<Slot[], FreeSlots> slots_;
  std::vector<std::int32_t> overflow_;  // never grows: readers look into it
  std::size_t n_overflow_ = 0;
  std::size_t n_used_ = 0;
};

/// The current table. A reader takes it once a chunk of text; a table lives as long as someone reads it.
class PieceCache {
 public:
  PieceCache() : table_(std::make_shared<PieceTable>(kFirstBits)) {}

  std::shared_ptr<PieceTable> table() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }

  /// Remembers the pieces of a token, or does not: where another thread is writing just now, or no slot is free. Brings
  /// `seen`, the caller's table, up to date.
  void remember(const PieceKey& key, std::span<const std::int32_t> ids, std::shared_ptr<PieceTable>& seen);

 private:
  static constexpr unsigned kFirstBits = 16;  // 2 MiB
  static constexpr unsigned kLastBits = 21;   // 64 MiB and 8 of overflow

  mutable std::mutex mutex_;
  std::shared_ptr<PieceTable> table_;
};

}  // namespace twotower
