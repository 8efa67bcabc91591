#include "text/term_cache.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace twotower {
namespace {

constexpr std::size_t kFirstSlots = 64;

std::uint64_t next_serial() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::uint64_t hash_of(KeyKind kind, std::string_view key) noexcept {
  return hash_of_bytes(key, static_cast<std::uint64_t>(kind));
}

}  // namespace

bool is_short_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= PieceKey::kMaxBytes && std::memchr(key.data(), 0, key.size()) == nullptr;
}

PieceKey short_key(std::string_view key) noexcept {
  std::array<unsigned char, PieceKey::kMaxBytes> bytes{};
  std::memcpy(bytes.data(), key.data(), key.size());
  return PieceKey::of(bytes.data(), key.size());
}

// ---------------------------------------------------------------- long keys

LongTable::LongTable() {
  all_.push_back(std::make_unique<Slots>(kFirstSlots));
  current_.store(all_.back().get());
}

const LongTable::Entry* LongTable::find(KeyKind kind, std::string_view key) const noexcept {
  const Slots& slots = *current_.load(std::memory_order_acquire);
  const std::uint64_t hash = hash_of(kind, key);
  for (std::size_t i = hash >> 32 & slots.mask;; i = (i + 1) & slots.mask) {
    const Entry* const entry = slots.entries[i].load(std::memory_order_acquire);
    if (entry == nullptr || (entry->hash == hash && entry->bytes() == key)) return entry;
  }
}

void LongTable::Slots::put(const Entry* entry) noexcept {
  std::size_t i = entry->hash >> 32 & mask;
  while (entries[i].load(std::memory_order_relaxed) != nullptr) i = (i + 1) & mask;
  entries[i].store(entry, std::memory_order_release);
}

void LongTable::insert(KeyKind kind, std::string_view key, std::span<const std::int32_t> ids) {
  if (find(kind, key) != nullptr) return;
  if (2 * (size_ + 1) > all_.back()->mask) {
    auto wider = std::make_unique<Slots>(2 * (all_.back()->mask + 1));
    for (std::size_t i = 0; i <= all_.back()->mask; ++i) {
      const Entry* const entry = all_.back()->entries[i].load(std::memory_order_relaxed);
      if (entry != nullptr) wider->put(entry);
    }
    all_.push_back(std::move(wider));
    current_.store(all_.back().get(), std::memory_order_release);
  }
  char* const memory = arena_.take(sizeof(Entry) + ids.size_bytes() + key.size());
  auto* const entry = new (memory)
      Entry{hash_of(kind, key), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(ids.size())};
  char* const after = reinterpret_cast<char*>(entry + 1);
  if (!ids.empty()) std::memcpy(after, ids.data(), ids.size_bytes());
  std::memcpy(after + ids.size_bytes(), key.data(), key.size());
  all_.back()->put(entry);
  ++size_;
}

// ---------------------------------------------------------------- cache

TermCache::TermCache() : serial_(next_serial()) {
  for (std::size_t i = 0; i < 2; ++i) {
    short_keys_[i] = std::make_shared<PieceTable>(kFirstBits);
    newest_[i].store(short_keys_[i].get());
  }
}

std::shared_ptr<const PieceTable> TermCache::short_keys(KeyKind kind) const {
  const std::lock_guard lock(mutex_);
  return short_keys_[index_of(kind)];
}

std::int32_t TermCache::settle(KeyKind kind, std::string_view key, std::string_view term) {
  const std::lock_guard lock(mutex_);
  if (term.empty()) {
    insert(kind, key, {});
    return kDropped;
  }
  const std::int32_t number = terms_.add(term);
  insert(kind, key, {&number, 1});
  return number;
}

void TermCache::remember(KeyKind kind, std::string_view key, std::span<const std::int32_t> terms) {
  const std::lock_guard lock(mutex_);
  insert(kind, key, terms);
}

void TermCache::insert(KeyKind kind, std::string_view key, std::span<const std::int32_t> terms) {
  std::shared_ptr<PieceTable>& table = short_keys_[index_of(kind)];
  if (is_short_key(key)) {
    const PieceKey short_form = short_key(key);
    if (table->half_full()) {
      table = table->grown(table->bits() + kGrowth);
      newest_[index_of(kind)].store(table.get(), std::memory_order_release);
    }
    // No slot is free near its home: it goes with the long ones, so that nothing is stemmed again and again.
    if (!table->insert(short_form, terms)) long_keys_.insert(kind, key, terms);
  } else {
    long_keys_.insert(kind, key, terms);
  }
  if (++n_keys_ >= kMaxKeys || long_keys_.n_bytes() + terms_.n_bytes() >= kMaxBytes) full_.store(true);
}

}  // namespace twotower
