#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "lexical/query/top_k.h"
#include "lexical_fixture.h"
#include "twotower/error.h"

using namespace twotower;
using testing::Batch;
using testing::Corpus;
using testing::Ranked;
using testing::run_search;

namespace {

constexpr float kNoScore = -std::numeric_limits<float>::infinity();

// Zipf-like documents of 0 to 12 terms; every tenth document is empty.
Batch random_lists(std::size_t n, std::size_t n_terms, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  Batch batch;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<TermId> list(i % 10 == 9 ? 0 : random() % 13);
    for (TermId& id : list) {
      id = static_cast<TermId>(static_cast<double>(n_terms) * std::pow(unit(random), 3.0)) -
           (random() % 20 == 0 ? 1 : 0);
    }
    batch.add(list);
  }
  return batch;
}

// The definition, one document after the other: sums over the query's terms, then a sort.
Ranked brute_force(const Scorer& scorer, const TermLists& queries, std::size_t k) {
  Ranked ranked;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    std::vector<std::pair<float, std::int64_t>> found;
    for (std::size_t d = 0; d < scorer.index().n_docs(); ++d) {
      double sum = 0.0;
      bool hit = false;
      for (const TermPart& part : explain(scorer, queries[q], static_cast<std::int64_t>(d))) {
        sum += part.part;
        hit = hit || part.tf != 0;
      }
      if (hit) found.emplace_back(-static_cast<float>(sum), static_cast<std::int64_t>(d));
    }
    std::sort(found.begin(), found.end());
    for (std::size_t i = 0; i < k; ++i) {
      ranked.scores.push_back(i < found.size() ? -found[i].first : kNoScore);
      ranked.docs.push_back(i < found.size() ? found[i].second : -1);
    }
  }
  return ranked;
}

}  // namespace

TEST_CASE("lexical: every algorithm and variant gives the documents and scores of brute force") {
  constexpr std::size_t kDocs = 300, kTerms = 40;
  const Corpus corpus(random_lists(kDocs, kTerms, 1), kTerms);
  const Batch queries = random_lists(20, kTerms, 2);
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(make_tfidf_scorer(corpus.index));
  for (const std::string& variant : bm25_variants()) {
    Bm25Options options;
    options.variant = variant;
    scorers.push_back(make_bm25_scorer(corpus.index, options));
  }
  for (const auto& scorer : scorers) {
    for (const std::string& algorithm : query_algorithms()) {
      for (const std::size_t k : {1, 3, 10, 300, 305}) {
        const Ranked expected = brute_force(*scorer, queries.view(kTerms), k);
        for (const unsigned threads : {1u, 2u}) {
          const Ranked got = run_search(*scorer, queries, k, threads, algorithm);
          CHECK(got.docs == expected.docs);
          CHECK(got.scores == expected.scores);
        }
      }
    }
  }
}

TEST_CASE("lexical: a corpus of several windows equals the sum of its postings") {
  constexpr std::size_t kDocs = 70'000, kTerms = 50;
  const Corpus corpus(random_lists(kDocs, kTerms, 3), kTerms);
  const auto scorer = make_bm25_scorer(corpus.index, {});
  const Batch queries{{0, 7, 0}, {49}, {3, 4, 5, 6}};
  const Ranked got = run_search(*scorer, queries, kDocs);
  const Ranked best = run_search(*scorer, queries, 100);
  std::vector<float> scores(got.docs.size());
  score(*scorer, queries.view(kTerms), got.docs, 1, scores);
  CHECK(got.scores == scores);
  for (std::size_t q = 0; q < 3; ++q) {
    const auto* row = &got.docs[q * kDocs];
    CHECK(std::equal(&best.docs[q * 100], &best.docs[q * 100] + 100, row));
    const auto n_hits = static_cast<std::size_t>(std::count_if(row, row + kDocs, [](auto d) { return d >= 0; }));
    std::vector<bool> matched(kDocs);
    for (const TermId term : queries.view(kTerms)[q]) {
      for (const DocId d : corpus.index.postings(term).docs) matched[d] = true;
    }
    CHECK(n_hits == static_cast<std::size_t>(std::count(matched.begin(), matched.end(), true)));
  }
}

TEST_CASE("lexical: ties go by DocId, padding is -1 and -inf, k = 0 and empty queries are legal") {
  const Corpus corpus(Batch{{1}, {0}, {0}, {}, {0}}, 2);
  const auto scorer = make_bm25_scorer(corpus.index, {});
  CHECK(run_search(*scorer, Batch{{0}}, 2).docs == std::vector<std::int64_t>{1, 2});
  CHECK(run_search(*scorer, Batch{{0}}, 6).docs == std::vector<std::int64_t>{1, 2, 4, -1, -1, -1});
  CHECK(run_search(*scorer, Batch{{0}}, 0).docs.empty());
  CHECK(run_search(*scorer, Batch{{}, {-1}}, 1).docs == std::vector<std::int64_t>{-1, -1});
  CHECK(run_search(*scorer, Batch{{}, {-1}}, 1).scores == std::vector<float>{kNoScore, kNoScore});
  CHECK(run_search(*scorer, Batch{}, 3).docs.empty());
  const Corpus empty(Batch{}, 0);
  CHECK(run_search(*make_bm25_scorer(empty.index, {}), Batch{{-1}}, 1).docs == std::vector<std::int64_t>{-1});
  CHECK_THROWS_WITH_AS(run_search(*scorer, Batch{{0}}, 1, 1, "fast"),
                       "unknown query algorithm 'fast': choose one of auto, exhaustive, windowed, maxscore, adaptive",
                       InvalidInput);
}

TEST_CASE("lexical: scores of given documents") {
  const Corpus corpus(Batch{{1}, {0}}, 2);
  const auto scorer = make_bm25_scorer(corpus.index, {});
  std::vector<float> scores(3);
  score(*scorer, Batch{{0}}.view(2), std::vector<std::int64_t>{0, -1, 1}, 1, scores);
  CHECK(scores[0] == 0.0f);
  CHECK(scores[1] == kNoScore);
  CHECK(scores[2] == run_search(*scorer, Batch{{0}}, 1).scores[0]);
  for (const std::int64_t doc : {-2, 2}) {
    const std::vector<std::int64_t> docs(3, doc);
    CHECK_THROWS_AS(score(*scorer, Batch{{0}}.view(2), docs, 1, scores), InvalidInput);
    CHECK_THROWS_AS(explain(*scorer, std::vector<TermId>{0}, doc), InvalidInput);
  }
}

TEST_CASE("lexical: top-k orders negative, zero and equal scores") {
  TopDocs best(4);
  const std::vector<double> scores{-2.0, 0.0, -0.0, 1.5, -1e-30, 1.5, -3.0, 0.0};
  for (std::size_t d = 0; d < scores.size(); ++d) best.offer(scores[d], static_cast<DocId>(d));
  std::vector<float> out(4);
  std::vector<std::int64_t> docs(4);
  best.write(out, docs);
  CHECK(docs == std::vector<std::int64_t>{3, 5, 1, 2});
  CHECK(out == std::vector<float>{1.5f, 1.5f, 0.0f, 0.0f});
}
