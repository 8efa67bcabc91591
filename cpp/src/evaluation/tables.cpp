// Judgements and whole runs as tables of (query, document).
#include <algorithm>
#include <cstring>
#include <limits>

#include "evaluation/gather.h"
#include "twotower/evaluation.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

std::string key_of(std::int32_t query, std::string_view doc_id) {
  std::string key(sizeof query + doc_id.size(), '\0');
  std::memcpy(key.data(), &query, sizeof query);
  std::memcpy(key.data() + sizeof query, doc_id.data(), doc_id.size());
  return key;
}

// Pair numbers by query, ascending within each, and where each query begins.
void order_by_query(const PairTable& pairs, std::vector<std::size_t>& begins, std::vector<std::int32_t>& by_query) {
  begins.assign(pairs.n_queries() + 1, 0);
  const auto n = static_cast<std::int32_t>(pairs.size());
  for (std::int32_t pair = 0; pair < n; ++pair) ++begins[static_cast<std::size_t>(pairs.query_of(pair)) + 1];
  for (std::size_t query = 0; query < pairs.n_queries(); ++query) begins[query + 1] += begins[query];
  std::vector<std::size_t> next(begins.begin(), begins.end() - 1);
  by_query.resize(pairs.size());
  for (std::int32_t pair = 0; pair < n; ++pair) by_query[next[static_cast<std::size_t>(pairs.query_of(pair))]++] = pair;
}

}  // namespace

std::pair<std::int32_t, bool> PairTable::add(std::int32_t query, std::string_view doc_id) {
  const std::size_t before = pairs_.size();
  const std::int32_t pair = pairs_.add(key_of(query, doc_id));
  return {pair, pairs_.size() != before};
}

std::int32_t PairTable::find(std::int32_t query, std::string_view doc_id) const {
  return pairs_.find(key_of(query, doc_id));
}

std::string_view PairTable::doc_id(std::int32_t pair) const noexcept {
  return pairs_.term(pair).substr(sizeof(std::int32_t));
}

std::int32_t PairTable::query_of(std::int32_t pair) const noexcept {
  std::int32_t query = 0;
  std::memcpy(&query, pairs_.term(pair).data(), sizeof query);
  return query;
}

void Judgements::add(std::string_view query_id, std::string_view doc_id, std::int32_t grade, std::uint64_t line_number,
                     std::string_view line) {
  const auto [pair, is_new] = pairs_.add(pairs_.add_query(query_id), doc_id);
  if (is_new) {
    grades_.push_back(grade);
    if (line_number != 0) lines_.push_back(line_number);
    return;
  }
  const auto at = static_cast<std::size_t>(pair);
  if (grades_[at] == grade) return;
  throw BadLine(line_number, line,
                "query '" + std::string(query_id) + "' and document '" + std::string(doc_id) + "' have grade " +
                    std::to_string(grade) + ", but " + std::to_string(grades_[at]) +
                    (at < lines_.size() ? " at line " + std::to_string(lines_[at]) : " before"));
}

void Judgements::finish() {
  order_by_query(pairs_, begins_, by_query_);
  std::vector<std::uint64_t>().swap(lines_);
}

std::span<const std::int32_t> Judgements::of_query(std::int32_t query) const noexcept {
  const auto q = static_cast<std::size_t>(query);
  return std::span<const std::int32_t>(by_query_).subspan(begins_[q], begins_[q + 1] - begins_[q]);
}

void RunTable::add(std::string_view query_id, std::string_view doc_id, double score, std::uint64_t line_number,
                   std::string_view line) {
  const auto [pair, is_new] = pairs_.add(pairs_.add_query(query_id), doc_id);
  if (!is_new) throw_twice(query_id, doc_id, line_number, line);
  scores_.push_back(static_cast<float>(score));
}

void RunTable::finish() {
  std::vector<std::size_t> begins;
  std::vector<std::int32_t> by_query;
  order_by_query(pairs_, begins, by_query);
  places_.resize(pairs_.size());
  n_retrieved_.resize(pairs_.n_queries());
  PlaceFinder finder;
  std::vector<float> scores;
  std::vector<WantedDocument> wanted;
  std::vector<std::uint32_t> places;
  for (std::size_t query = 0; query < pairs_.n_queries(); ++query) {
    const auto list = std::span<const std::int32_t>(by_query).subspan(begins[query], begins[query + 1] - begins[query]);
    scores.clear();
    wanted.clear();
    for (const std::int32_t pair : list) {
      scores.push_back(scores_[static_cast<std::size_t>(pair)]);
      wanted.push_back({scores.back(), pairs_.doc_id(pair)});
    }
    places.resize(list.size());
    finder.find(scores, wanted, [&wanted](std::size_t i) { return wanted[i].doc_id; }, places.data());
    for (std::size_t i = 0; i < list.size(); ++i) places_[static_cast<std::size_t>(list[i])] = places[i];
    n_retrieved_[query] = static_cast<std::int64_t>(list.size());
    check_interrupt();
  }
  std::vector<float>().swap(scores_);
}

FoundDocuments RunTable::find(const Judgements& judgements) const {
  FoundDocuments found;
  found.n_retrieved.assign(judgements.pairs().n_queries(), -1);
  std::vector<FoundAt> of_query;
  for (std::size_t query = 0; query < judgements.pairs().n_queries(); ++query) {
    const auto number = static_cast<std::int32_t>(query);
    const std::int32_t here = pairs_.find_query(judgements.pairs().query_id(number));
    if (here == PairTable::kUnknown) continue;
    found.n_retrieved[query] = n_retrieved_[static_cast<std::size_t>(here)];
    of_query.clear();
    for (const std::int32_t pair : judgements.of_query(number)) {
      const std::int32_t listed = pairs_.find(here, judgements.pairs().doc_id(pair));
      if (listed != PairTable::kUnknown) of_query.push_back({places_[static_cast<std::size_t>(listed)], pair});
    }
    append_by_place(of_query, found);
    check_interrupt();
  }
  return found;
}

}  // namespace twotower
