// Batches of queries over threads, and the scores of single documents. Ranking itself is in query/.
#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>

#include "lexical/impact_index.h"
#include "lexical/query/algorithms.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/lexical_search.h"
#include "util/parallel_for.h"
#include "util/work_meter.h"

namespace twotower {
namespace {

constexpr float kNoScore = -std::numeric_limits<float>::infinity();

// The DocId, or an error that says where the bad one stands.
DocId checked_doc(const Scorer& scorer, std::int64_t doc) {
  const std::size_t n_docs = scorer.index().n_docs();
  if (doc < 0 || static_cast<std::uint64_t>(doc) >= n_docs) {
    throw InvalidInput("document " + std::to_string(doc) + " is not in the index: DocIds go from 0 to " +
                       std::to_string(n_docs) + " (excluded), and -1 is padding");
  }
  return static_cast<DocId>(doc);
}

double contribution(const Scorer& scorer, const QueryTerm& term, DocId doc, std::uint32_t tf) {
  double part = 0.0;
  scorer.contributions(term, {{&doc, 1}, {&tf, 1}}, &part);
  return part;
}

std::vector<QueryTerm> weigh(const Scorer& scorer, const TermLists& queries, std::size_t q) {
  return queries.has_weights() ? scorer.weigh_given(queries[q], queries.weights(q)) : scorer.weigh(queries[q]);
}

std::vector<TermPart> parts_of(const Scorer& scorer, std::span<const QueryTerm> terms, std::int64_t doc) {
  const DocId d = checked_doc(scorer, doc);
  std::vector<TermPart> parts;
  WorkMeter meter;
  for (const QueryTerm& term : terms) {
    meter.add(1);
    const std::uint32_t tf = scorer.index().tf(term.term, d);
    const double part = tf != 0 ? contribution(scorer, term, d, tf) : 0.0;
    parts.push_back({term.term, tf, scorer.index().df(term.term), term.idf, term.weight, part});
  }
  return parts;
}

float score_document(const Scorer& scorer, std::span<const QueryTerm> terms, std::int64_t doc, WorkMeter& meter) {
  if (doc == -1) return kNoScore;
  const DocId d = checked_doc(scorer, doc);
  double sum = 0.0;
  for (const QueryTerm& term : terms) {
    meter.add(1);
    const std::uint32_t tf = scorer.index().tf(term.term, d);
    if (tf != 0) sum += contribution(scorer, term, d, tf);
  }
  return static_cast<float>(sum);
}

}  // namespace

SearchCounts& SearchCounts::operator+=(const SearchCounts& other) noexcept {
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i] += other.queries[i];
  postings += other.postings;
  postings_scored += other.postings_scored;
  lookups += other.lookups;
  candidates += other.candidates;
  rescored += other.rescored;
  windows += other.windows;
  windows_pruned += other.windows_pruned;
  return *this;
}

Searcher::Searcher(const Scorer& scorer) : scorer_(scorer), impacts_(std::make_unique<ImpactIndex>(scorer)) {}
Searcher::Searcher(const Scorer& scorer, WithoutImpacts) : scorer_(scorer) {}
Searcher::~Searcher() = default;
std::size_t Searcher::n_bytes() const noexcept { return impacts_ ? impacts_->n_bytes() : 0; }

void search(const Searcher& searcher, const TermLists& queries, std::size_t k, unsigned threads,
            std::string_view algorithm, const DocFilter* filter, std::span<float> scores, std::span<std::int64_t> docs,
            SearchCounts* counts) {
  std::optional<std::size_t> forced;
  if (algorithm != kAutoAlgorithm) forced = find_query_algorithm(algorithm);
  if (!searcher.has_impacts()) forced = find_query_algorithm("exhaustive");
  const std::size_t n_docs = searcher.scorer().index().n_docs();
  if (scores.size() != queries.size() * k || docs.size() != scores.size()) {
    throw InvalidInput("scores and docs must have room for n_queries * k values");
  }
  if (filter != nullptr && filter->n_words() != (n_docs + 63) / 64) {
    throw InvalidInput("the filter must have one bit for each of the " + std::to_string(n_docs) + " documents");
  }
  if (k == 0) return;
  const std::size_t n_places = std::max<std::size_t>(std::min(k, n_docs), 1);
  const auto rank = [&](std::size_t q, SearchCounts& cost) {
    const auto row_scores = scores.subspan(q * k, k);
    const auto row_docs = docs.subspan(q * k, k);
    const std::vector<QueryTerm> terms = weigh(searcher.scorer(), queries, q);
    if (searcher.has_impacts() && q + 1 < queries.size()) searcher.impacts().prefetch(queries[q + 1]);
    TopDocs best(n_places);
    if (!terms.empty()) {
      const RankInput query{searcher, terms, filter};
      const std::size_t number = choose_query_algorithm(query, n_places, forced);
      ++cost.queries[number];
      query_algorithm(number)(query, best, cost);
    }
    const std::size_t n_hits = best.write(row_scores, row_docs);
    std::ranges::fill(row_scores.subspan(n_hits), kNoScore);
    std::ranges::fill(row_docs.subspan(n_hits), -1);
  };
  // Some queries at a time, so that threads share neither cache lines of rows nor the counts at every query.
  constexpr std::size_t kChunk = 8;
  std::mutex counts_mutex;
  parallel_for((queries.size() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    SearchCounts cost;
    for (std::size_t q = chunk * kChunk; q < std::min((chunk + 1) * kChunk, queries.size()); ++q) {
      rank(q, cost);
      check_interrupt();
    }
    if (counts == nullptr) return;
    const std::lock_guard<std::mutex> lock(counts_mutex);
    *counts += cost;
  });
}

void score(const Scorer& scorer, const TermLists& queries, std::span<const std::int64_t> docs, unsigned threads,
           std::span<float> scores) {
  if (scores.size() != docs.size() || (queries.size() == 0 ? !docs.empty() : docs.size() % queries.size() != 0)) {
    throw InvalidInput("docs and scores must both have n_queries rows of one length");
  }
  const std::size_t n_candidates = queries.size() == 0 ? 0 : docs.size() / queries.size();
  parallel_for(queries.size(), threads, [&](std::size_t q) {
    const std::vector<QueryTerm> terms = weigh(scorer, queries, q);
    WorkMeter meter;
    for (std::size_t i = q * n_candidates; i < (q + 1) * n_candidates; ++i) {
      scores[i] = score_document(scorer, terms, docs[i], meter);
    }
  });
}

std::vector<TermPart> explain(const Scorer& scorer, std::span<const TermId> query, std::int64_t doc) {
  return parts_of(scorer, scorer.weigh(query), doc);
}

std::vector<TermPart> explain(const Scorer& scorer, const TermLists& queries, std::size_t q, std::int64_t doc) {
  return parts_of(scorer, weigh(scorer, queries, q), doc);
}

}  // namespace twotower
