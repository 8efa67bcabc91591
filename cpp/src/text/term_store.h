// Memory of the word cache that never moves: bytes, and distinct terms by number.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace twotower {

/// Multiply and fold, eight bytes a step. Results never depend on it: only the speed does.
std::uint64_t hash_of_bytes(std::string_view bytes, std::uint64_t seed = 0) noexcept;

/// Where number `i` stands in blocks of which each is as large as all before it together.
struct BlockPlace {
  static constexpr unsigned kFirstBits = 12;
  static constexpr std::size_t kBlocks = 32 - kFirstBits;

  explicit BlockPlace(std::uint32_t i) noexcept
      : block(static_cast<unsigned>(std::bit_width(i >> kFirstBits))),
        index(block == 0 ? i : i - (std::uint32_t{1} << (kFirstBits + block - 1))) {}

  static std::size_t size_of(unsigned block) noexcept {
    return std::size_t{1} << (kFirstBits + (block == 0 ? 0 : block - 1));
  }

  unsigned block;
  std::uint32_t index;
};

/// Gives out memory until its end, and takes none back. Not thread-safe.
class Arena {
 public:
  /// Memory for `size` bytes, aligned to 8.
  char* take(std::size_t size);

  std::size_t n_bytes() const noexcept { return n_bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t n_bytes_ = 0;
};

/// Terms numbered from 0, in the order in which they come, a term perhaps more than once: a vocabulary finds equal ones
/// anyway. One thread adds at a time; others may read the terms whose numbers they have got from it meanwhile, by any
/// means that orders memory.
class TermStore {
 public:
  std::int32_t add(std::string_view term);

  std::string_view term(std::int32_t number) const noexcept {
    const BlockPlace place(static_cast<std::uint32_t>(number));
    return blocks_[place.block][place.index];
  }

  void prefetch(std::int32_t number) const noexcept {
    const BlockPlace place(static_cast<std::uint32_t>(number));
    __builtin_prefetch(&blocks_[place.block][place.index]);
  }

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  std::size_t n_bytes() const noexcept { return arena_.n_bytes(); }

 private:
  Arena arena_;
  std::array<std::unique_ptr<std::string_view[]>, BlockPlace::kBlocks> blocks_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace twotower
