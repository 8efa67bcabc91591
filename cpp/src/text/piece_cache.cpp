#include "text/piece_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace twotower {
namespace {
constexpr std::align_val_t kHugePage{std::size_t{1} << 21};
}

// Words are spread at random over the table: with pages of 4 KiB nearly every look-up would miss the TLB.
std::unique_ptr<PieceTable::Slot[], PieceTable::FreeSlots> PieceTable::new_slots(std::size_t n) {
  void* const memory = ::operator new(n * sizeof(Slot), kHugePage);
#ifdef MADV_HUGEPAGE
  madvise(memory, n * sizeof(Slot), MADV_HUGEPAGE);  // a wish: an error changes nothing but the speed
#endif
  return std::unique_ptr<Slot[], FreeSlots>(new (memory) Slot[n]);
}

void PieceTable::FreeSlots::operator()(Slot* slots) const noexcept { ::operator delete(slots, kHugePage); }

PieceTable::PieceTable(unsigned bits)
    : shift_(64 - bits),
      mask_((std::size_t{1} << bits) - 1),
      slots_(new_slots(std::size_t{1} << bits)),
      overflow_(std::size_t{1} << bits) {}

const PieceTable::Slot* PieceTable::find(const PieceKey& key, std::uint64_t hash) const noexcept {
  std::size_t at = home(hash);
  for (std::size_t probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask_) {
    const std::uint64_t low = slots_[at].low.load(std::memory_order_acquire);
    if (low == key.low && slots_[at].high.load(std::memory_order_relaxed) == key.high) return &slots_[at];
    if (low == 0) return nullptr;
  }
  return nullptr;
}

void PieceTable::insert(const PieceKey& key, std::span<const std::int32_t> ids) {
  if (ids.size() > kInline && overflow_.size() - n_overflow_ < ids.size()) return;
  std::size_t at = home(key.hash());
  for (std::size_t probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    const std::uint64_t low = slot.low.load(std::memory_order_relaxed);
    if (low == key.low && slot.high.load(std::memory_order_relaxed) == key.high) return;
    if (low != 0) continue;
    std::uint32_t words[kInline] = {};
    if (ids.size() <= kInline) {
      std::copy(ids.begin(), ids.end(), words);
    } else {
      words[0] = static_cast<std::uint32_t>(n_overflow_);
      std::copy(ids.begin(), ids.end(), overflow_.begin() + static_cast<std::ptrdiff_t>(n_overflow_));
      n_overflow_ += ids.size();
    }
    slot.high.store(key.high, std::memory_order_relaxed);
    slot.ids01.store(words[0] | std::uint64_t{words[1]} << 32, std::memory_order_relaxed);
    slot.id2_count.store(words[2] | std::uint64_t{ids.size()} << 32, std::memory_order_relaxed);
    slot.low.store(key.low, std::memory_order_release);
    ++n_used_;
    return;
  }
}

std::shared_ptr<PieceTable> PieceTable::grown(unsigned bits) const {
  auto larger = std::make_shared<PieceTable>(bits);
  for (std::size_t i = 0; i < n_slots(); ++i) {
    const Slot& slot = slots_[i];
    const std::uint64_t low = slot.low.load(std::memory_order_relaxed);
    if (low == 0) continue;
    const std::uint64_t ids01 = slot.ids01.load(std::memory_order_relaxed);
    const std::uint64_t id2_count = slot.id2_count.load(std::memory_order_relaxed);
    const auto count = static_cast<std::size_t>(id2_count >> 32);
    const std::int32_t ids[kInline] = {static_cast<std::int32_t>(ids01), static_cast<std::int32_t>(ids01 >> 32),
                                       static_cast<std::int32_t>(id2_count)};
    larger->insert({low, slot.high.load(std::memory_order_relaxed)},
                   {count <= kInline ? ids : overflow(ids01), count});
  }
  return larger;
}

void PieceCache::remember(const PieceKey& key, std::span<const std::int32_t> ids, std::shared_ptr<PieceTable>& seen) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  if (table_->half_full()) {
    table_ = table_->bits() < kLastBits ? table_->grown(table_->bits() + 1) : std::make_shared<PieceTable>(kFirstBits);
  }
  table_->insert(key, ids);
  seen = table_;
}

}  // namespace twotower
