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

PackedIds PackedIds::of(std::span<const std::int32_t> ids, std::uint32_t place) noexcept {
  PackedIds packed{0, std::uint64_t{ids.size()} << 56};
  if (need_place(ids)) {
    packed.first = place;
    packed.second |= std::uint64_t{1} << 63;
  } else if (ids.size() > kPlain) {
    std::uint64_t five[kPacked] = {};
    for (std::size_t i = 0; i < ids.size(); ++i) five[i] = static_cast<std::uint32_t>(ids[i]);
    packed.first = five[0] | five[1] << 24 | five[2] << 48;
    packed.second |= five[2] >> 16 | five[3] << 8 | five[4] << 32;
  } else {
    std::uint64_t three[kPlain] = {};
    for (std::size_t i = 0; i < ids.size(); ++i) three[i] = static_cast<std::uint32_t>(ids[i]);
    packed.first = three[0] | three[1] << 32;
    packed.second |= three[2];
  }
  return packed;
}

bool PackedIds::need_place(std::span<const std::int32_t> ids) noexcept {
  if (ids.size() <= kPlain) return false;
  return ids.size() > kPacked || std::any_of(ids.begin(), ids.end(), [](std::int32_t id) { return id >> 24 != 0; });
}

const PieceTable::Slot* PieceTable::find(const PieceKey& key) const noexcept {
  std::size_t at = home(key.hash());
  for (std::size_t probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask_) {
    const std::uint64_t low = slots_[at].low.load(std::memory_order_acquire);
    if (low == key.low && slots_[at].high.load(std::memory_order_relaxed) == key.high) return &slots_[at];
    if (low == 0) return nullptr;
  }
  return nullptr;
}

std::int32_t* PieceTable::copy_ids(const PackedIds& ids, std::int32_t* out) const noexcept {
  if (ids.plain()) {
    ids.copy_plain(out);
  } else if (ids.elsewhere()) {
    std::copy_n(overflow_.data() + ids.place(), ids.count(), out);
  } else {
    ids.copy_packed(out);
  }
  return out + ids.count();
}

void PieceTable::insert(const PieceKey& key, std::span<const std::int32_t> ids) {
  const bool elsewhere = PackedIds::need_place(ids);
  if (elsewhere && overflow_.size() - n_overflow_ < ids.size()) return;
  std::size_t at = home(key.hash());
  for (std::size_t probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    const std::uint64_t low = slot.low.load(std::memory_order_relaxed);
    if (low == key.low && slot.high.load(std::memory_order_relaxed) == key.high) return;
    if (low != 0) continue;
    const PackedIds packed = PackedIds::of(ids, static_cast<std::uint32_t>(n_overflow_));
    if (elsewhere) {
      std::copy(ids.begin(), ids.end(), overflow_.begin() + static_cast<std::ptrdiff_t>(n_overflow_));
      n_overflow_ += ids.size();
    }
    slot.high.store(key.high, std::memory_order_relaxed);
    slot.first_ids.store(packed.first, std::memory_order_relaxed);
    slot.last_ids.store(packed.second, std::memory_order_relaxed);
    slot.low.store(key.low, std::memory_order_release);
    ++n_used_;
    return;
  }
}

std::shared_ptr<PieceTable> PieceTable::grown(unsigned bits) const {
  auto larger = std::make_shared<PieceTable>(bits);
  for (std::size_t i = 0; i < n_slots(); ++i) {
    const PieceKey key{slots_[i].low.load(std::memory_order_relaxed), slots_[i].high.load(std::memory_order_relaxed)};
    if (key.low == 0) continue;
    std::int32_t ids[PackedIds::kMost + 1];
    larger->insert(key, {ids, copy_ids(slots_[i].ids(), ids)});
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
  if (seen != table_) seen = table_;
}

}  // namespace twotower
