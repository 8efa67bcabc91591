// Which pairs of tokens to merge, in which order. Knows tokens as numbers with a width; knows no characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "text/training/pair_table.h"

namespace twotower {

/// All distinct words as tokens, and what neighbours they have.
///
/// A word is a row of cells, one a unit, with an edge before and behind it. A token of width n holds n cells: its
/// number stands in the first and in the last. So the neighbours of a token are found without links: the one behind
/// it begins at its place plus its width, the one before it ends in the cell before its place.
///
/// A string comes to be a token in one way alone: as long as no merge goes beyond its ends, what happens inside does
/// not depend on what is outside, and where one does, it never is a token there. So all places of a pair come up in one
/// merge, in ascending order, and a pair that was merged is gone for good.
///
/// A place in the list of a pair is right as long as the two tokens stand there: a token never splits, and a token
/// that became the right part of another is wiped from its first cell, so places that are no more are recognised when
/// they are read, and lists need no removal.
class MergeLearner {
 public:
  /// `max_width`: the widest token that may come of a merge. `min_frequency` is at least 1.
  MergeLearner(std::size_t max_width, std::uint64_t min_frequency);

  /// Adds a word of tokens of width 1 that came `count` times. REQUIRES counts that never rise from word to word, and
  /// tokens below 2^32 - 2. THROWS InvalidInput past 2^30 cells.
  void add_word(std::span<const std::uint32_t> tokens, std::uint64_t count);

  /// Counts all pairs. Call it once, behind the last word. THROWS Interrupted.
  void start(std::size_t n_tokens);

  /// The pair to merge next: the most frequent, of equals the smallest. Nothing where none comes min_frequency times.
  std::optional<Pair> next();

  /// Merges a pair that next() gave into the token `merged`, everywhere: the next number, or that of a token that has
  /// been in no word. THROWS Interrupted, between two pairs only.
  void merge(Pair pair, std::uint32_t merged);

 private:
  static constexpr std::uint32_t kEdge = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t kWiped = kEdge - 1;

  struct Cell {
    std::uint32_t token;
    std::uint32_t weight;  // its number in weights_
  };

  // A claim that a pair comes at most `count` times; what became wrong is put right when it is popped.
  struct Claim {
    std::int64_t count;
    Pair pair;
    bool operator<(const Claim& other) const noexcept {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  // Neighbours of one merge on one side: by token, how often they come, and the places of the pairs that they make.
  struct Side {
    struct Sum {
      std::int64_t lost = 0, gained = 0;
      std::uint64_t next = 0;  // where its next place goes
      std::uint32_t n_places = 0;
      bool noted = false;
    };
    struct Found {
      std::uint32_t token, place;
    };
    const bool before;
    std::vector<Sum> sums;              // by token
    std::vector<std::uint32_t> tokens;  // those with a sum, in order of appearance
    std::vector<Found> found;

    Sum& sum(std::uint32_t token);
    Pair pair(std::uint32_t token, std::uint32_t merged) const noexcept {
      return before ? pair_of(token, merged) : pair_of(merged, token);
    }
  };

  bool fits(std::uint32_t left, std::uint32_t right) const noexcept {
    return std::size_t{width_[left]} + width_[right] <= max_width_;
  }
  bool stands(Pair pair, std::uint32_t place) const noexcept;
  std::int64_t weight(std::uint32_t place) const noexcept { return weights_[cells_[place].weight]; }
  std::span<std::uint32_t> places_of(const PairEntry& entry) noexcept;
  std::int64_t bound(const PairEntry& entry) const noexcept;
  std::int64_t count_disjoint(PairEntry& entry);
  void replace(Pair pair, std::uint32_t merged);
  void note(Side& side, std::uint32_t token, std::int64_t count, bool lost, bool gained, std::uint32_t place);
  void gain(Side& side, std::uint32_t merged);
  void lose(Side& side, std::uint32_t part);
  void claim(std::int64_t count, Pair pair);

  const std::size_t max_width_;
  const std::int64_t min_frequency_;
  std::vector<Cell> cells_;
  std::vector<std::int64_t> weights_;  // distinct counts of words, falling
  std::vector<std::uint32_t> width_;   // by token
  PairTable pairs_;
  std::vector<std::uint32_t> places_;  // lists of all pairs
  std::priority_queue<Claim> claims_;
  // Of the pair of a token with itself: most merges it can give, and whether that is its true number.
  struct Double {
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    bool exact = false;
  };
  std::vector<Double> doubles_;  // by token
  std::vector<std::uint32_t> at_hand_;
  Side left_{true, {}, {}, {}}, right_{false, {}, {}, {}};
};

}  // namespace twotower
