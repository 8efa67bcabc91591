// From the numbers of a word cache to the ids of one vocabulary, as far as they are known.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "text/term_store.h"

namespace twotower {

/// A growing array of int32 that is 0 where nothing was stored. Thread-safe without a lock: all threads store the same
/// number at a place, or a newer one.
///
/// What a number means: id + 1 above 0; -1 - n below 0: the vocabulary did not have the term when it had n terms.
class TermLinks {
 public:
  /// `serial` is that of the cache.
  explicit TermLinks(std::uint64_t serial) : serial_(serial) {}
  TermLinks(const TermLinks&) = delete;
  TermLinks& operator=(const TermLinks&) = delete;
  ~TermLinks() {
    for (auto& block : blocks_) delete[] block.load();
  }

  std::uint64_t serial() const noexcept { return serial_; }

  std::int32_t get(std::int32_t term) const noexcept {
    const BlockPlace place(static_cast<std::uint32_t>(term));
    const std::atomic<std::int32_t>* const block = blocks_[place.block].load(std::memory_order_acquire);
    return block == nullptr ? 0 : block[place.index].load(std::memory_order_relaxed);
  }

  void set_id(std::int32_t term, std::int32_t id) { at(term).store(id + 1, std::memory_order_relaxed); }

  /// Never hides an id that another thread has stored.
  void set_absent(std::int32_t term, std::int32_t mark) {
    std::atomic<std::int32_t>& link = at(term);
    for (std::int32_t seen = link.load(std::memory_order_relaxed); seen <= 0;) {
      if (link.compare_exchange_weak(seen, mark, std::memory_order_relaxed)) return;
    }
  }

  static std::int32_t absent_mark(std::size_t vocabulary_size) noexcept {
    return -1 - static_cast<std::int32_t>(vocabulary_size);
  }

 private:
  std::atomic<std::int32_t>& at(std::int32_t term) {
    const BlockPlace place(static_cast<std::uint32_t>(term));
    std::atomic<std::int32_t>* block = blocks_[place.block].load(std::memory_order_acquire);
    if (block == nullptr) {
      auto made = std::make_unique<std::atomic<std::int32_t>[]>(BlockPlace::size_of(place.block));
      if (blocks_[place.block].compare_exchange_strong(block, made.get())) block = made.release();
    }
    return block[place.index];
  }

  const std::uint64_t serial_;
  std::array<std::atomic<std::atomic<std::int32_t>*>, BlockPlace::kBlocks> blocks_{};
};

}  // namespace twotower
