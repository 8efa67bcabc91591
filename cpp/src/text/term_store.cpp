#include "text/term_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace twotower {
namespace {
constexpr std::size_t kArenaBlock = std::size_t{1} << 16;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::int32_t kEmpty = -1;
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

TermStore::TermStore() : slots_(kFirstSlots, Slot{0, kEmpty}) {}

std::int32_t TermStore::add(std::string_view wanted) {
  if (2 * (size_ + 1) > slots_.size()) double_slots();
  const auto hash = static_cast<std::uint32_t>(hash_of_bytes(wanted) >> 32);
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  for (; slots_[i].number != kEmpty; i = (i + 1) & mask) {
    if (slots_[i].hash == hash && term(slots_[i].number) == wanted) return slots_[i].number;
  }
  const BlockPlace place(static_cast<std::uint32_t>(size_));
  auto& block = blocks_[place.block];
  if (block == nullptr) block = std::make_unique<std::string_view[]>(BlockPlace::size_of(place.block));
  char* const bytes = arena_.take(wanted.size());
  std::memcpy(bytes, wanted.data(), wanted.size());
  block[place.index] = {bytes, wanted.size()};
  slots_[i] = {hash, static_cast<std::int32_t>(size_)};
  return static_cast<std::int32_t>(size_++);
}

void TermStore::double_slots() {
  std::vector<Slot> wider(2 * slots_.size(), Slot{0, kEmpty});
  const std::size_t mask = wider.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.number == kEmpty) continue;
    std::size_t i = slot.hash & mask;
    while (wider[i].number != kEmpty) i = (i + 1) & mask;
    wider[i] = slot;
  }
  slots_.swap(wider);
}

}  // namespace twotower
