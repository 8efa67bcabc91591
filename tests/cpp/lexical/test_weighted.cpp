// Postings of weights of either sign: bounds measured on every document, and every algorithm against the oracle.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "lexical/impact_index.h"
#include "lexical/query/query_bounds.h"
#include "lexical_fixture.h"
#include "twotower/error.h"
#include "twotower/weighted_postings.h"

using namespace twotower;
using testing::Batch;
using testing::Ranked;

namespace {

constexpr std::size_t kDocs = 40'000, kTerms = 60;  // three windows

struct WeightedBatch {
  Batch lists;
  std::vector<float> weights;
  void add(const std::vector<TermId>& ids, const std::vector<float>& with) {
    lists.add(ids);
    weights.insert(weights.end(), with.begin(), with.end());
  }
  TermLists view(std::size_t n_terms) const { return {lists.ids, lists.offsets, n_terms, weights}; }
};

struct WeightedCorpus {
  WeightedArrays arrays;
  InvertedIndex index;
  std::unique_ptr<Scorer> scorer;
  WeightedCorpus(const WeightedBatch& documents, std::size_t n_terms)
      : arrays(build_weighted_arrays(documents.view(n_terms))),
        index(arrays.term_offsets, arrays.docs,
              {reinterpret_cast<const std::uint32_t*>(arrays.weights.data()), arrays.weights.size()},
              documents.lists.offsets.size() - 1),
        scorer(make_weight_scorer(index)) {}
};

// Term t is in a share of about 0.4 / (t + 1)^2 of the documents: the first are columns, the last are rare. A tenth of
// the terms have negative weights too.
WeightedBatch zipf_documents() {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  WeightedBatch batch;
  for (std::size_t d = 0; d < kDocs; ++d) {
    std::vector<TermId> ids;
    std::vector<float> weights;
    for (std::size_t t = 0; t < kTerms; ++t) {
      if (unit(random) * std::pow(static_cast<double>(t) + 1.0, 2.0) > 0.4) continue;
      const double sign = t % 10 == 4 && random() % 3 == 0 ? -1.0 : 1.0;
      ids.push_back(static_cast<TermId>(t));
      weights.push_back(static_cast<float>(sign * std::exp(6.0 * unit(random) - 4.0)));
    }
    batch.add(ids, weights);
  }
  return batch;
}

const WeightedCorpus& corpus() {
  static const WeightedCorpus made(zipf_documents(), kTerms);
  return made;
}

const WeightedBatch& queries() {
  static const WeightedBatch made = [] {
    WeightedBatch batch;
    batch.add({0, 1, 2}, {1.0f, 0.5f, 2.0f});
    batch.add({59}, {1e-3f});
    batch.add({4, 14, 0}, {1.0f, 3.0f, 0.1f});
    batch.add({4, 0, 24}, {-1.0f, 1.0f, -2.0f});
    batch.add({0, 50}, {-1.0f, 1.0f});
    std::vector<TermId> all;
    std::vector<float> weights;
    for (std::size_t t = 0; t < kTerms; ++t) {
      all.push_back(static_cast<TermId>(kTerms - 1 - t));
      weights.push_back(0.1f * static_cast<float>(t % 13 + 1));
    }
    batch.add(all, weights);
    return batch;
  }();
  return made;
}

Ranked run(const WeightedCorpus& over, const WeightedBatch& asked, std::size_t k, std::string_view algorithm) {
  Ranked ranked;
  ranked.scores.resize(k * (asked.lists.offsets.size() - 1));
  ranked.docs.resize(ranked.scores.size());
  const Searcher searcher(*over.scorer);
  search(searcher, asked.view(over.index.n_terms()), k, 1, algorithm, nullptr, ranked.scores, ranked.docs);
  return ranked;
}

}  // namespace

TEST_CASE("lexical: weights are kept bit for bit, and those of 0 make no posting") {
  WeightedBatch documents;
  documents.add({2, 0, 1, kUnknownTerm}, {0.1f, 0.0f, -3e-40f, 5.0f});
  documents.add({}, {});
  documents.add({1, 0}, {0x1p50f, -0.0f});
  const WeightedArrays arrays = build_weighted_arrays(documents.view(3));
  CHECK(arrays.term_offsets == std::vector<std::int64_t>{0, 0, 2, 3});
  CHECK(arrays.docs == std::vector<DocId>{0, 2, 0});
  CHECK(arrays.weights == std::vector<float>{-3e-40f, 0x1p50f, 0.1f});
}

TEST_CASE("lexical: a score is the sum of exact products") {
  WeightedBatch documents;
  documents.add({0, 1}, {0.1f, 0.7f});
  documents.add({1}, {-2.0f});
  documents.add({0}, {3e-45f});
  const WeightedCorpus over(documents, 2);
  WeightedBatch asked;
  asked.add({1, 0}, {0.3f, 1e-45f});
  const Ranked ranked = run(over, asked, 3, "exhaustive");
  CHECK(ranked.docs == std::vector<std::int64_t>{0, 2, 1});  // 2 matches with a score that float32 rounds to 0
  CHECK(ranked.scores[0] == static_cast<float>(double{0.3f} * double{0.7f} + double{1e-45f} * double{0.1f}));
  CHECK(ranked.scores[1] == 0.0f);
  CHECK(ranked.scores[2] == static_cast<float>(double{0.3f} * -2.0));
  const auto parts = explain(*over.scorer, asked.view(2), 0, 1);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].weight == double{0.3f});
  CHECK(parts[0].part == double{0.3f} * -2.0);
  CHECK(parts[1].tf == 0);
}

TEST_CASE("lexical: weighted lists are checked") {
  const auto view = [](const WeightedBatch& batch) { return batch.view(3); };
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 0x1.2p50f}) {
    WeightedBatch batch;
    batch.add({0, 1}, {1.0f, bad});
    CHECK_THROWS_AS(view(batch), InvalidInput);
  }
  WeightedBatch twice;
  twice.add({0}, {1.0f});
  twice.add({1, kUnknownTerm, 0, kUnknownTerm, 1}, {1.0f, 1.0f, 1.0f, 1.0f, 1.0f});
  CHECK_THROWS_WITH_AS(view(twice), "vector 1 has term 1 twice: add its weights up first", InvalidInput);
  WeightedBatch short_of_weights;
  short_of_weights.add({0, 1}, {1.0f});
  CHECK_THROWS_AS(view(short_of_weights), InvalidInput);
  const std::vector<std::int64_t> offsets{0, 1};
  const std::vector<DocId> docs{0};
  for (const std::uint32_t bits : {0x7F800000u, 0x7FC00000u, 0x80000000u, 0x7F000000u}) {  // inf, NaN, -0, too great
    const std::vector<std::uint32_t> numbers{bits};
    const InvertedIndex index(offsets, docs, numbers, 1);
    CHECK_THROWS_AS(make_weight_scorer(index), CorruptFile);
  }
  CHECK_THROWS_AS(InvertedIndex(offsets, docs, std::vector<std::uint32_t>{0}, 1), CorruptFile);
  CHECK_THROWS_AS(InvertedIndex(offsets, docs, std::vector<std::uint32_t>{1}, 0), CorruptFile);
}

TEST_CASE("lexical: sums of values bound scores of weights of either sign from both sides") {
  const ImpactIndex impacts(*corpus().scorer);
  CHECK(impacts.term(0).form == ImpactForm::kColumn);
  CHECK(impacts.term(5).form == ImpactForm::kList);
  CHECK(impacts.term(4).form == ImpactForm::kRare);  // because of its negative weights
  CHECK(corpus().index.df(4) > least_kept_df(kDocs));
  const TermLists asked = queries().view(kTerms);
  QueryBounds bounds;
  for (std::size_t q = 0; q < asked.size(); ++q) {
    const auto query = corpus().scorer->weigh_given(asked[q], asked.weights(q));
    bounds.set(*corpus().scorer, impacts, query);
    std::vector<std::uint32_t> sums(kDocs, 0);
    std::vector<double> scores(kDocs, 0.0);
    for (std::size_t t = 0; t < query.size(); ++t) {
      const BoundedTerm& term = bounds.terms()[t];
      std::vector<double> parts(term.postings.size());
      corpus().scorer->contributions(query[t], term.postings, parts.data());
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const DocId doc = term.postings.docs[i];
        const std::uint32_t value = term.impacts->form == ImpactForm::kRare ? bounds.rare_values(t)[i]
                                    : term.impacts->form == ImpactForm::kList
                                        ? bounds.values(t)[impacts.codes(*term.impacts)[i]]
                                        : bounds.values(t)[impacts.column(*term.impacts)[doc]];
        REQUIRE(value >= 1);
        REQUIRE(value <= term.greatest);
        sums[doc] += value;
        scores[doc] += parts[i];
      }
    }
    for (std::size_t d = 0; d < kDocs; ++d) {
      if (sums[d] == 0) continue;
      REQUIRE(sums[d] < 65'536);
      REQUIRE(scores[d] <= sums[d] * bounds.unit());
      REQUIRE(scores[d] >= (static_cast<double>(sums[d]) - bounds.error()) * bounds.unit());
    }
    for (const std::size_t k : {1, 10, 100, 1000}) {
      const std::uint32_t least = bounds.least_sum(k);
      if (least == 1) continue;
      const auto above = [&](double score) { return score > least * bounds.unit(); };
      CHECK(static_cast<std::size_t>(std::count_if(scores.begin(), scores.end(), above)) >= k);
    }
  }
}

TEST_CASE("lexical: every algorithm equals the oracle on weights of either sign") {
  for (const std::size_t k : {1, 10, 100, 1000, 40'000}) {
    const Ranked expected = run(corpus(), queries(), k, "exhaustive");
    for (const char* algorithm : {"auto", "windowed", "maxscore", "adaptive"}) {
      CAPTURE(algorithm);
      CAPTURE(k);
      const Ranked got = run(corpus(), queries(), k, algorithm);
      CHECK(got.docs == expected.docs);
      CHECK(got.scores == expected.scores);
    }
  }
}

TEST_CASE("lexical: what one term promises does not count where another takes from it") {
  WeightedBatch documents;  // the ten best of term 0 are the worst of all, because of term 1
  for (std::size_t d = 0; d < 1000; ++d) {
    if (d < 10) documents.add({0, 1}, {10.0f, -100.0f});
    if (d >= 10) documents.add({0}, {5.0f});
  }
  const WeightedCorpus over(documents, 2);
  WeightedBatch asked;
  asked.add({0, 1}, {1.0f, 1.0f});
  for (const std::string& algorithm : query_algorithms()) {
    CAPTURE(algorithm);
    const Ranked ranked = run(over, asked, 10, algorithm);
    for (std::size_t i = 0; i < 10; ++i) {
      CHECK(ranked.docs[i] == static_cast<std::int64_t>(10 + i));
      CHECK(ranked.scores[i] == 5.0f);
    }
  }
}

TEST_CASE("lexical: formulas that weigh queries themselves take no weights") {
  const testing::Corpus plain(testing::kCourse, testing::kCourseTerms);
  const auto bm25 = make_bm25_scorer(plain.index, {});
  WeightedBatch asked;
  asked.add({0}, {1.0f});
  std::vector<float> scores(1);
  CHECK_THROWS_AS(score(*bm25, asked.view(testing::kCourseTerms), std::vector<std::int64_t>{0}, 1, scores),
                  InvalidInput);
}
