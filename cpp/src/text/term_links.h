// From the numbers of a word cache to the ids of one vocabulary, as far as they are known.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace twotower {

/// A growing array of int32 that is 0 where nothing is known. Thread-safe: reading and writing take no lock. What is
/// written while the array moves to a larger one may be lost, and is then found out again.
///
/// What a number means: id + 1 above 0; -1 - n below 0: the vocabulary did not have the term when it had n terms. All
/// threads store the same id for a term.
class TermLinks {
 public:
  /// `serial` is that of the cache.
  explicit TermLinks(std::uint64_t serial) : serial_(serial) {}

  std::uint64_t serial() const noexcept { return serial_; }

  /// The array as it is now, for numbers below `size`; it lives as long as this object.
  struct View {
    std::atomic<std::int32_t>* links = nullptr;
    std::size_t size = 0;

    std::int32_t get(std::int32_t term) const noexcept {
      const auto i = static_cast<std::size_t>(term);
      return i < size ? links[i].load(std::memory_order_relaxed) : 0;
    }
  };

  /// A view with room for `n_terms`.
  View view(std::size_t n_terms) {
    const std::lock_guard lock(mutex_);
    if (arrays_.empty() || arrays_.back().size < n_terms) {
      const std::size_t size =
          std::max({n_terms + n_terms / 2, kFirst, 2 * (arrays_.empty() ? 0 : arrays_.back().size)});
      Array wider{std::make_unique<std::atomic<std::int32_t>[]>(size), size};
      if (!arrays_.empty()) {
        for (std::size_t i = 0; i < arrays_.back().size; ++i) {
          wider.links[i].store(arrays_.back().links[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
        }
      }
      arrays_.push_back(std::move(wider));
    }
    return {arrays_.back().links.get(), arrays_.back().size};
  }

  static void set_id(const View& view, std::int32_t term, std::int32_t id) noexcept {
    const auto i = static_cast<std::size_t>(term);
    if (i < view.size) view.links[i].store(id + 1, std::memory_order_relaxed);
  }

  /// Never hides an id that another thread has stored.
  static void set_absent(const View& view, std::int32_t term, std::int32_t mark) noexcept {
    const auto i = static_cast<std::size_t>(term);
    if (i >= view.size) return;
    std::int32_t seen = view.links[i].load(std::memory_order_relaxed);
    while (seen <= 0 && !view.links[i].compare_exchange_weak(seen, mark, std::memory_order_relaxed)) continue;
  }

  static std::int32_t absent_mark(std::size_t vocabulary_size) noexcept {
    return -1 - static_cast<std::int32_t>(vocabulary_size);
  }

 private:
  static constexpr std::size_t kFirst = 4096;

  struct Array {
    std::unique_ptr<std::atomic<std::int32_t>[]> links;
    std::size_t size;
  };

  const std::uint64_t serial_;
  std::mutex mutex_;           // guards the list, not what is in the arrays
  std::vector<Array> arrays_;  // outgrown ones too: someone may be using them
};

}  // namespace twotower
