#include "lexical/query/algorithms.h"

#include <array>
#include <string>

#include "twotower/error.h"
#include "twotower/lexical_search.h"

namespace twotower {
namespace {

struct Entry {
  std::string_view name;
  QueryAlgorithm rank;
};

constexpr std::array kAlgorithms{Entry{"exhaustive", &rank_exhaustively}};

}  // namespace

std::vector<std::string> query_algorithms() {
  std::vector<std::string> names;
  for (const Entry& entry : kAlgorithms) names.emplace_back(entry.name);
  return names;
}

QueryAlgorithm find_query_algorithm(std::string_view name) {
  std::string known;
  for (const Entry& entry : kAlgorithms) {
    if (entry.name == name) return entry.rank;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw InvalidInput("unknown query algorithm '" + std::string(name) + "': choose one of " + known);
}

}  // namespace twotower
