// The terms of a query with their counts, for formulas in which a repeated term has a weight of its own.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "twotower/inverted_index.h"
#include "util/work_meter.h"

namespace twotower {

struct QueryCount {
  TermId term;
  std::uint32_t tf;
};

/// Each term of the query that has postings, once, in the order of their first places. O(L). THROWS Interrupted.
inline std::vector<QueryCount> count_query_terms(const InvertedIndex& index, std::span<const TermId> query) {
  std::vector<QueryCount> counts;
  std::unordered_map<TermId, std::size_t> places;
  WorkMeter meter;
  for (const TermId id : query) {
    meter.add(1);
    if (id == kUnknownTerm || index.df(id) == 0) continue;
    const auto [place, is_new] = places.try_emplace(id, counts.size());
    if (is_new) {
      counts.push_back({id, 1});
    } else {
      ++counts[place->second].tf;
    }
  }
  return counts;
}

}  // namespace twotower
