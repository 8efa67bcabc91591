// What became of runs of word bytes and of words: numbers of terms. Shared by all threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/brief_mutex.h"
#include "text/piece_cache.h"
#include "text/term_store.h"

namespace twotower {

/// Two kinds of key that may have the same bytes: a run of raw text (ASCII capitals folded), and a word that was read
/// from it. A word of ASCII is its own run, and goes by kRun.
enum class KeyKind : std::uint8_t { kRun, kWord };

/// Keys of any length to numbers. One thread adds at a time; any number read meanwhile, without a lock.
class LongTable {
 public:
  LongTable();

  struct Entry {
    std::uint64_t hash;
    std::uint32_t n_bytes;
    std::uint32_t n_ids;
    // ids, then bytes, follow

    const std::int32_t* ids() const noexcept { return reinterpret_cast<const std::int32_t*>(this + 1); }
    std::string_view bytes() const noexcept { return {reinterpret_cast<const char*>(ids() + n_ids), n_bytes}; }
  };

  /// The entry of a key, or nullptr.
  const Entry* find(KeyKind kind, std::string_view key) const noexcept;

  void insert(KeyKind kind, std::string_view key, std::span<const std::int32_t> ids);

  std::size_t size() const noexcept { return size_; }
  std::size_t n_bytes() const noexcept { return arena_.n_bytes(); }

 private:
  struct Slots {
    explicit Slots(std::size_t n) : mask(n - 1), entries(std::make_unique<std::atomic<const Entry*>[]>(n)) {}

    void put(const Entry* entry) noexcept;

    std::size_t mask;
    std::unique_ptr<std::atomic<const Entry*>[]> entries;
  };

  Arena arena_;
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<Slots>> all_;  // outgrown ones too: someone may be reading them
  std::atomic<const Slots*> current_;
};

/// Thread-safe. Numbers of terms stay valid for its life.
class TermCache {
 public:
  TermCache();

  /// Different for every cache of the process.
  std::uint64_t serial() const noexcept { return serial_; }

  /// The table of keys of up to 16 bytes as it is now. A reader keeps it for a while.
  std::shared_ptr<const PieceTable> short_keys(KeyKind kind) const;

  /// Whether `table` is what short_keys would give.
  bool is_current(KeyKind kind, const PieceTable* table) const noexcept {
    return newest_[index_of(kind)].load(std::memory_order_acquire) == table;
  }

  const LongTable::Entry* find_long(KeyKind kind, std::string_view key) const noexcept {
    return long_keys_.find(kind, key);
  }

  /// Adds a term, if it is not empty, and remembers it as all that a key stands for. Returns its number, or kDropped.
  /// Threads that settle one key at once may get different numbers of equal terms.
  std::int32_t settle(KeyKind kind, std::string_view key, std::string_view term);

  /// Remembers what a key stands for. REQUIRES at most PackedIds::kMost terms.
  void remember(KeyKind kind, std::string_view key, std::span<const std::int32_t> terms);

  std::string_view term(std::int32_t number) const noexcept { return terms_.term(number); }

  /// Asks memory for where a term is written down.
  void prefetch(std::int32_t number) const noexcept { terms_.prefetch(number); }

  /// At least as many as a caller has numbers of.
  std::size_t n_terms() const noexcept { return terms_.size(); }

  bool full() const noexcept { return full_.load(std::memory_order_relaxed); }

  static constexpr std::int32_t kDropped = -1;

 private:
  static constexpr unsigned kFirstBits = 13;
  static constexpr unsigned kGrowth = 2;  // bits
  static constexpr std::size_t kMaxKeys = std::size_t{1} << 20;
  static constexpr std::size_t kMaxBytes = std::size_t{32} << 20;

  static std::size_t index_of(KeyKind kind) noexcept { return static_cast<std::size_t>(kind); }
  void insert(KeyKind kind, std::string_view key, std::span<const std::int32_t> terms);

  const std::uint64_t serial_;
  mutable BriefMutex mutex_;  // of everything but what readers look into
  std::shared_ptr<PieceTable> short_keys_[2];
  std::atomic<const PieceTable*> newest_[2];
  LongTable long_keys_;
  TermStore terms_;
  std::size_t n_keys_ = 0;
  std::atomic<bool> full_{false};
};

/// Whether a key may stand in a PieceTable: 1 to 16 bytes, none of them zero.
bool is_short_key(std::string_view key) noexcept;

/// The key of such bytes. REQUIRES is_short_key.
PieceKey short_key(std::string_view key) noexcept;

}  // namespace twotower
