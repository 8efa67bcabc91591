// Small pieces that tables and streams share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "twotower/evaluation.h"

namespace twotower {

/// A judged document found: where, and which.
struct FoundAt {
  std::uint32_t place;
  std::int32_t pair;
};

/// Puts the found documents of one query in order and behind the others.
inline void append_by_place(std::vector<FoundAt>& of_query, FoundDocuments& found) {
  std::sort(of_query.begin(), of_query.end(), [](FoundAt a, FoundAt b) { return a.place < b.place; });
  for (const FoundAt document : of_query) {
    found.pair.push_back(document.pair);
    found.place.push_back(document.place);
  }
}

[[noreturn]] inline void throw_twice(std::string_view query_id, std::string_view doc_id, std::uint64_t line_number,
                                     std::string_view line) {
  throw BadLine(line_number, line,
                "document '" + std::string(doc_id) + "' comes twice for query '" + std::string(query_id) +
                    "': keep its best line");
}

}  // namespace twotower
