#include "text/term_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace twotower {
namespace {
constexpr std::size_t kArenaBlock = std::size_t{1} << 16;
}  // namespace

std::uint64_t hash_of_bytes(std::string_view bytes, std::uint64_t seed) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = (bytes.size() + 1 + seed) * kOdd;
  const char* at = bytes.data();
  for (std::size_t left = bytes.size(); left > 0;) {
    std::uint64_t eight = 0;
    const std::size_t n = std::min(left, sizeof eight);
    std::memcpy(&eight, at, n);
    hash = (hash ^ eight) * kOdd;
    hash ^= hash >> 32;
    at += n;
    left -= n;
  }
  return hash * kOdd;
}

char* Arena::take(std::size_t size) {
  size = (size + 7) / 8 * 8;
  if (size > left_) {
    const std::size_t block = std::max(size, kArenaBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    at_ = blocks_.back().get();
    left_ = block;
    n_bytes_ += block;
  }
  left_ -= size;
  return std::exchange(at_, at_ + size);
}

std::int32_t TermStore::add(std::string_view term) {
  const std::size_t number = size();
  const BlockPlace place(static_cast<std::uint32_t>(number));
  auto& block = blocks_[place.block];
  if (block == nullptr) block = std::make_unique<std::string_view[]>(BlockPlace::size_of(place.block));
  char* const bytes = arena_.take(term.size());
  std::memcpy(bytes, term.data(), term.size());
  block[place.index] = {bytes, term.size()};
  size_.store(number + 1, std::memory_order_relaxed);
  return static_cast<std::int32_t>(number);
}

}  // namespace twotower
