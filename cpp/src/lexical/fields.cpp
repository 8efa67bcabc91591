// The postings of fields in one list a term. Knows no formula.
#include "twotower/fields.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

// Numbers rows of tfs in the order in which they come first, and counts them.
class Combinations {
 public:
  explicit Combinations(std::size_t n_fields) : n_fields_(n_fields), numbers_(16, Hash{this}, Equal{this}) {}

  std::uint32_t number(std::span<const std::uint32_t> row) {
    const auto next = static_cast<std::uint32_t>(counts_.size());
    rows_.insert(rows_.end(), row.begin(), row.end());  // the set compares rows by their numbers, so it comes first
    const auto [found, is_new] = numbers_.try_emplace(next, next);
    if (is_new) {
      if (next >= std::numeric_limits<std::uint32_t>::max() - 1)
        throw InvalidInput("fields have too many combinations");
      counts_.push_back(1);
    } else {
      rows_.resize(rows_.size() - n_fields_);
      ++counts_[found->second];
    }
    return found->second;
  }

  // The numbers, the most frequent first.
  std::vector<std::uint32_t> by_frequency() const {
    std::vector<std::uint32_t> order(counts_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, [this](std::uint32_t a, std::uint32_t b) {
      if (counts_[a] != counts_[b]) return counts_[a] > counts_[b];
      return std::ranges::lexicographical_compare(row(a), row(b));
    });
    return order;
  }

  std::span<const std::uint32_t> row(std::uint32_t number) const noexcept {
    return std::span(rows_).subspan(number * n_fields_, n_fields_);
  }

 private:
  struct Hash {
    const Combinations* all;
    std::size_t operator()(std::uint32_t number) const noexcept {
      std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a over words
      for (const std::uint32_t tf : all->row(number)) hash = (hash ^ tf) * 0x100000001B3u;
      return static_cast<std::size_t>(hash ^ hash >> 32);
    }
  };
  struct Equal {
    const Combinations* all;
    bool operator()(std::uint32_t a, std::uint32_t b) const noexcept {
      return std::ranges::equal(all->row(a), all->row(b));
    }
  };

  std::size_t n_fields_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint64_t> counts_;
  std::unordered_map<std::uint32_t, std::uint32_t, Hash, Equal> numbers_;
};

// Appends one term's documents, ascending, and the numbers of their combinations.
class TermMerge {
 public:
  explicit TermMerge(std::span<const FieldPostings> fields)
      : fields_(fields), next_(fields.size()), ends_(fields.size()), row_(fields.size()) {}

  void run(std::size_t term, Combinations& combinations, FieldedArrays& arrays) {
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      next_[f] = static_cast<std::size_t>(fields_[f].term_offsets[term]);
      ends_[f] = static_cast<std::size_t>(fields_[f].term_offsets[term + 1]);
    }
    for (;;) {
      constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
      std::uint64_t doc = kNone;
      for (std::size_t f = 0; f < fields_.size(); ++f) {
        if (next_[f] != ends_[f]) doc = std::min<std::uint64_t>(doc, fields_[f].docs[next_[f]]);
      }
      if (doc == kNone) return;
      for (std::size_t f = 0; f < fields_.size(); ++f) {
        const bool here = next_[f] != ends_[f] && fields_[f].docs[next_[f]] == doc;
        row_[f] = here ? fields_[f].tfs[next_[f]++] : 0;
      }
      arrays.docs.push_back(static_cast<DocId>(doc));
      arrays.numbers.push_back(combinations.number(row_));
    }
  }

 private:
  std::span<const FieldPostings> fields_;
  std::vector<std::size_t> next_, ends_;  // of each field's postings of the term
  std::vector<std::uint32_t> row_;
};

}  // namespace

FieldedArrays merge_fields(std::span<const FieldPostings> fields) {
  if (fields.empty()) throw InvalidInput("there is no field: give at least one");
  std::size_t n_postings = 0;
  for (const FieldPostings& field : fields) {
    if (field.term_offsets.size() != fields[0].term_offsets.size()) {
      throw InvalidInput("the fields' postings are of " + std::to_string(fields[0].term_offsets.size()) + " and " +
                         std::to_string(field.term_offsets.size()) + " term offsets: give all of one vocabulary");
    }
    n_postings = std::max(n_postings, field.docs.size());
  }
  FieldedArrays arrays;
  arrays.term_offsets.assign(1, 0);
  arrays.docs.reserve(n_postings);
  arrays.numbers.reserve(n_postings);
  Combinations combinations(fields.size());
  TermMerge merge(fields);
  for (std::size_t t = 0; t + 1 < fields[0].term_offsets.size(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    merge.run(t, combinations, arrays);
    arrays.term_offsets.push_back(static_cast<std::int64_t>(arrays.docs.size()));
  }
  const std::vector<std::uint32_t> order = combinations.by_frequency();
  std::vector<std::uint32_t> renumbered(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    renumbered[order[i]] = static_cast<std::uint32_t>(i) + 1;
    const auto row = combinations.row(order[i]);
    arrays.combinations.insert(arrays.combinations.end(), row.begin(), row.end());
  }
  for (std::uint32_t& number : arrays.numbers) number = renumbered[number];
  return arrays;
}

}  // namespace twotower
