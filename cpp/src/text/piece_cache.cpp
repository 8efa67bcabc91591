#include "text/piece_cache.h"

#include <algorithm>

namespace twotower {

// Words are spread at random over the table: with pages of 4 KiB nearly every look-up would miss the TLB.
PieceTable::PieceTable(unsigned bits)
    : shift_(64 - bits),
      mask_((std::size_t{1} << bits) - 1),
      memory_((sizeof(Slot) + sizeof(std::int32_t)) << bits),
      slots_(static_cast<Slot*>(memory_.data())),
      overflow_(reinterpret_cast<std::int32_t*>(slots_ + n_slots())) {}

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
    const std::uint64_t low = slots_[at].low.load_acquire();
    if (low == key.low && slots_[at].high.load() == key.high) return &slots_[at];
    if (low == 0) return nullptr;
  }
  return nullptr;
}

std::int32_t* PieceTable::copy_ids(const PackedIds& ids, std::int32_t* out) const noexcept {
  if (ids.plain()) {
    ids.copy_plain(out);
  } else if (ids.elsewhere()) {
    std::copy_n(overflow_ + ids.place(), ids.count(), out);
  } else {
    ids.copy_packed(out);
  }
  return out + ids.count();
}

bool PieceTable::insert(const PieceKey& key, std::span<const std::int32_t> ids) noexcept {
  const bool elsewhere = PackedIds::need_place(ids);
  std::size_t at = home(key.hash());
  for (std::size_t probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    const std::uint64_t low = slot.low.load_acquire();
    if (low == key.low && slot.high.load() == key.high) return true;
    if (low != 0 || !slot.low.claim(kClaimed)) continue;
    const std::size_t place = elsewhere ? n_overflow_.fetch_add(ids.size(), std::memory_order_relaxed) : 0;
    if (elsewhere && place + ids.size() > n_slots()) return false;  // the slot stays claimed, and empty for readers
    if (elsewhere) std::copy(ids.begin(), ids.end(), overflow_ + place);
    const PackedIds packed = PackedIds::of(ids, static_cast<std::uint32_t>(place));
    slot.high.store(key.high);
    slot.first_ids.store(packed.first);
    slot.last_ids.store(packed.second);
    slot.low.store_release(key.low);
    n_used_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

std::shared_ptr<PieceTable> PieceTable::grown(unsigned bits) const {
  auto larger = std::make_shared<PieceTable>(bits);
  for (std::size_t i = 0; i < n_slots(); ++i) {
    const std::uint64_t low = slots_[i].low.load_acquire();
    if (low == 0 || low == kClaimed) continue;
    std::int32_t ids[PackedIds::kMost + 1];
    larger->insert({low, slots_[i].high.load()}, {ids, copy_ids(slots_[i].ids(), ids)});
  }
  return larger;
}

void PieceCache::remember(const PieceKey& key, std::span<const std::int32_t> ids, std::shared_ptr<PieceTable>& seen) {
  if (seen->half_full()) grow();
  if (newest_.load(std::memory_order_acquire) != seen.get()) seen = table();
  seen->insert(key, ids);
}

void PieceCache::grow() {
  const std::unique_lock alone(growing_, std::try_to_lock);
  if (!alone.owns_lock()) return;
  const std::shared_ptr<PieceTable> old = table();
  if (!old->half_full()) return;  // another thread was faster
  const bool can_grow = old->bits() < kLastBits;
  auto next =
      can_grow ? old->grown(std::min(old->bits() + kGrowth, kLastBits)) : std::make_shared<PieceTable>(kFirstBits);
  const std::lock_guard lock(mutex_);
  table_ = std::move(next);
  newest_.store(table_.get(), std::memory_order_release);
}

}  // namespace twotower
