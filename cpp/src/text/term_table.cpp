#include "twotower/term_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "twotower/error.h"

namespace twotower {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kGroup = 64;  // terms between asking for their slots and reading them

// Multiply and fold, eight bytes a step. Ids never depend on it: only the speed does.
std::uint32_t hash_of(std::string_view term) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = (term.size() + 1) * kOdd;
  const char* at = term.data();
  std::size_t left = term.size();
  while (left > 0) {
    std::uint64_t eight = 0;
    const std::size_t n = std::min(left, sizeof eight);
    std::memcpy(&eight, at, n);
    hash = (hash ^ eight) * kOdd;
    hash ^= hash >> 32;
    at += n;
    left -= n;
  }
  return static_cast<std::uint32_t>((hash * kOdd) >> 32);
}

// Makes room for `extra` more elements, doubling as push_back does, so that the additions that follow cannot throw.
template <class T>
void make_room(std::vector<T>& values, std::size_t extra) {
  const std::size_t needed = values.size() + extra;
  if (needed > values.capacity()) values.reserve(std::max(needed, 2 * values.capacity()));
}

}  // namespace

TermTable::TermTable() : slots_(kFirstSlots, Slot{0, kUnknown}) {}

std::string_view TermTable::term(std::int32_t id) const noexcept {
  const auto i = static_cast<std::size_t>(id);
  return {bytes_.data() + offsets_[i], static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])};
}

// The slot that holds `term`, or the empty slot where it belongs.
std::size_t TermTable::slot_of(std::string_view wanted, std::uint32_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].id != kUnknown && (slots_[i].hash != hash || term(slots_[i].id) != wanted)) i = (i + 1) & mask;
  return i;
}

std::int32_t TermTable::find(std::string_view wanted) const noexcept {
  return slots_[slot_of(wanted, hash_of(wanted))].id;
}

std::int32_t TermTable::add(std::string_view wanted) { return add(wanted, hash_of(wanted)); }

std::int32_t TermTable::add(std::string_view wanted, std::uint32_t hash) {
  std::size_t slot = slot_of(wanted, hash);
  if (slots_[slot].id != kUnknown) return slots_[slot].id;
  if (size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw InvalidInput("a vocabulary holds at most 2147483647 terms: count terms first and keep the frequent ones");
  }
  if (2 * (size() + 1) > slots_.size()) {
    double_slots();
    slot = slot_of(wanted, hash);
  }
  make_room(offsets_, 1);
  make_room(bytes_, wanted.size());
  bytes_.insert(bytes_.end(), wanted.begin(), wanted.end());
  slots_[slot] = {hash, static_cast<std::int32_t>(size())};
  offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
  return slots_[slot].id;
}

void TermTable::append_ids(std::span<const std::string_view> terms, bool grow, std::vector<std::int32_t>& ids) {
  std::array<std::uint32_t, kGroup> hashes;
  ids.reserve(ids.size() + terms.size());
  for (; !terms.empty(); terms = terms.subspan(std::min(terms.size(), kGroup))) {
    const std::size_t n = std::min(terms.size(), kGroup);
    for (std::size_t i = 0; i < n; ++i) {
      hashes[i] = hash_of(terms[i]);
      __builtin_prefetch(&slots_[hashes[i] & (slots_.size() - 1)]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      ids.push_back(grow ? add(terms[i], hashes[i]) : slots_[slot_of(terms[i], hashes[i])].id);
    }
  }
}

void TermTable::double_slots() {
  std::vector<Slot> wider(2 * slots_.size(), Slot{0, kUnknown});
  const std::size_t mask = wider.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.id == kUnknown) continue;
    std::size_t i = slot.hash & mask;
    while (wider[i].id != kUnknown) i = (i + 1) & mask;
    wider[i] = slot;
  }
  slots_.swap(wider);
}

}  // namespace twotower
