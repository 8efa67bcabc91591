// A trie over bytes in a double array. Knows keys and values; knows no text and no matching rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace twotower {

/// Immutable trie with one or more roots. Node r is the root of the keys of set r.
///
/// child() is two array reads. Built in O(bytes of the keys) but for the search of free places, which is near it.
class ByteTrie {
 public:
  using Key = std::pair<std::string_view, std::int32_t>;  // key and its value, at least 0

  static constexpr std::int32_t kNone = -1;

  struct Edge {
    std::int32_t parent;
    std::int32_t node;
    std::uint8_t byte;
  };

  /// One list of keys for each root. REQUIRES distinct keys within a list. An empty key has no node and is left out.
  /// THROWS Interrupted.
  explicit ByteTrie(std::vector<std::vector<Key>> key_sets);

  /// The node behind a byte, or kNone.
  std::int32_t child(std::int32_t node, std::uint8_t byte) const noexcept {
    const std::size_t at = static_cast<std::size_t>(cells_[static_cast<std::size_t>(node)].base) + byte;
    return cells_[at].parent == node ? static_cast<std::int32_t>(at) : kNone;
  }

  /// The value of the key that ends at a node, or kNone.
  std::int32_t value(std::int32_t node) const noexcept { return values_[static_cast<std::size_t>(node)]; }

  /// Numbers of nodes are below this.
  std::size_t n_cells() const noexcept { return cells_.size(); }

  /// All edges, parents before their children, level by level.
  const std::vector<Edge>& edges() const noexcept { return edges_; }

  /// Gives the memory of edges() back.
  void drop_edges() noexcept { edges_ = {}; }

 private:
  struct Cell {
    std::int32_t base = 0;
    std::int32_t parent = kNone;
  };

  std::size_t place(const std::vector<std::uint8_t>& bytes);

  std::vector<Cell> cells_;
  std::vector<std::int32_t> values_;
  std::vector<Edge> edges_;
  std::size_t search_from_ = 0;  // nearly every cell before it is taken
  std::size_t steps_ = 0;        // cells seen by the search since the last poll for an interrupt
};

}  // namespace twotower
