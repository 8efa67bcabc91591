#include "text/byte_trie.h"

#include <algorithm>

#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::int32_t kRoot = -2;  // parent of a root: no node has this number
constexpr std::size_t kBytes = 256;
constexpr std::size_t kStepsPerPoll = std::size_t{1} << 16;

// The keys [begin, end) of one sorted set share their first `depth` bytes, which lead to `node`.
struct Range {
  std::size_t set, begin, end, depth;
  std::int32_t node;
};

}  // namespace

ByteTrie::ByteTrie(std::vector<std::vector<Key>> key_sets)
    : cells_(std::max(kBytes, key_sets.size()) + kBytes), values_(cells_.size(), kNone), search_from_(key_sets.size()) {
  std::vector<Range> level, next;
  for (std::size_t set = 0; set < key_sets.size(); ++set) {
    auto& keys = key_sets[set];
    std::erase_if(keys, [](const Key& key) { return key.first.empty(); });
    std::sort(keys.begin(), keys.end());
    cells_[set].parent = kRoot;
    level.push_back({set, 0, keys.size(), 0, static_cast<std::int32_t>(set)});
  }
  std::vector<Range> groups;
  std::vector<std::uint8_t> bytes;
  for (; !level.empty(); level.swap(next), next.clear()) {
    for (const Range& range : level) {
      const auto& keys = key_sets[range.set];
      groups.clear();
      bytes.clear();
      std::size_t i = range.begin;
      if (i < range.end && keys[i].first.size() == range.depth) ++i;  // the key that ends here sorts first
      for (; i < range.end; ++i) {
        const auto byte = static_cast<std::uint8_t>(keys[i].first[range.depth]);
        if (bytes.empty() || bytes.back() != byte) {
          bytes.push_back(byte);
          groups.push_back({range.set, i, i, range.depth + 1, kNone});
        }
        groups.back().end = i + 1;
      }
      if (bytes.empty()) continue;
      const std::size_t base = place(bytes);
      cells_[static_cast<std::size_t>(range.node)].base = static_cast<std::int32_t>(base);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        Range group = groups[g];
        group.node = static_cast<std::int32_t>(base + bytes[g]);
        cells_[base + bytes[g]].parent = range.node;
        const Key& first = keys[group.begin];
        if (first.first.size() == group.depth) values_[base + bytes[g]] = first.second;
        edges_.push_back({range.node, group.node, bytes[g]});
        next.push_back(group);
      }
    }
  }
}

// A base at which a cell is free for each byte; the array grows so that every base leaves room for all 256 bytes.
std::size_t ByteTrie::place(const std::vector<std::uint8_t>& bytes) {
  std::size_t taken = 0;
  std::size_t at = std::max<std::size_t>(search_from_, bytes.front());
  const std::size_t first = at;
  for (;; ++at) {
    if (++steps_ % kStepsPerPoll == 0) check_interrupt();
    if (at + kBytes >= cells_.size()) {
      cells_.resize(cells_.size() * 2);
      values_.resize(cells_.size(), kNone);
    }
    if (cells_[at].parent != kNone) {
      ++taken;
      continue;
    }
    const std::size_t base = at - bytes.front();
    const bool fits =
        std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return cells_[base + byte].parent == kNone; });
    if (!fits) continue;
    if (taken * 16 >= (at - first + 1) * 15) search_from_ = at;
    return base;
  }
}

}  // namespace twotower
