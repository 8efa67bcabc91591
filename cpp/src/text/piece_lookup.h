// Reads many words at once from the cache of pieces. Knows keys and slots; knows no text and no rule.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "text/piece_cache.h"

namespace twotower {

/// Writes the ids of `n` words to `out` and returns their end. Word i begins at `bytes + place(i)` and has size(i)
/// bytes; kMaxBytes bytes behind each begin are readable. A word that is long, new, not in its home slot or of many
/// pieces goes to `slow(i, out)`, which returns the end of its ids and may put another table into `table`.
///
/// Slots are asked for a group ahead of reading them, so that the waits for memory overlap. REQUIRES room for
/// PackedIds::kPacked ids behind the last one.
template <class Place, class Size, class Slow>
std::int32_t* read_pieces(const std::shared_ptr<PieceTable>& table, const unsigned char* bytes, std::size_t n,
                          const Place& place, const Size& size, const Slow& slow, std::int32_t* out) {
  constexpr std::size_t kGroup = 128;
  struct Asked {
    PieceKey key;
    std::size_t home;
    std::size_t bytes;
  };
  std::array<Asked, kGroup> asked;
  const PieceTable* seen = table.get();
  for (std::size_t begin = 0; begin < n; begin += kGroup) {
    const std::size_t n_asked = std::min(kGroup, n - begin);
    for (std::size_t i = 0; i < n_asked; ++i) {
      const std::size_t n_bytes = size(begin + i);
      const PieceKey key = PieceKey::of(bytes + place(begin + i), std::min(n_bytes, PieceKey::kMaxBytes));
      asked[i] = {key, seen->home(key.hash()), n_bytes};
      __builtin_prefetch(&seen->slot(asked[i].home));
    }
    for (std::size_t i = 0; i < n_asked; ++i) {
      const auto& [key, home, n_bytes] = asked[i];
      const PieceTable::Slot& slot = seen->slot(home);
      const std::uint64_t low = slot.low.load_acquire();
      const std::uint64_t high = slot.high.load();
      const PackedIds ids = slot.ids();
      const bool found = ((low ^ key.low) | (high ^ key.high)) == 0 && n_bytes <= PieceKey::kMaxBytes;
      if (found & ids.plain()) [[likely]] {
        ids.copy_plain(out);
        out += ids.count();
      } else if (found & !ids.elsewhere()) {
        ids.copy_packed(out);
        out += ids.count();
      } else {
        out = slow(begin + i, out);
        if (seen == table.get()) continue;
        seen = table.get();
        for (std::size_t k = i + 1; k < n_asked; ++k) asked[k].home = seen->home(asked[k].key.hash());
      }
    }
  }
  return out;
}

}  // namespace twotower
