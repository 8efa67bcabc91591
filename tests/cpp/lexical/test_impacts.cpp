// The bounds of docs/math.md, section 2, measured on every document; and every algorithm against the oracle where
// windows, lists, columns and rare terms come together.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "lexical/impact_index.h"
#include "lexical/query/query_bounds.h"
#include "lexical_fixture.h"

using namespace twotower;
using testing::Batch;
using testing::Corpus;
using testing::Ranked;

namespace {

constexpr std::size_t kDocs = 40'000, kTerms = 60;  // three windows

// Term t is in a share of about 0.4 / (t + 1)^2 of the documents, so that the first are columns and the last are rare.
// Lengths and tfs vary by orders of magnitude.
Batch zipf_documents(unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  Batch batch;
  for (std::size_t d = 0; d < kDocs; ++d) {
    std::vector<TermId> list;
    for (std::size_t t = 0; t < kTerms; ++t) {
      if (unit(random) * std::pow(t + 1.0, 2.0) > 0.4) continue;
      const int tf = random() % 50 == 0 ? 300 : 1 + static_cast<int>(random() % 3);
      list.insert(list.end(), tf, static_cast<TermId>(t));
    }
    list.insert(list.end(), random() % 7, kUnknownTerm);
    batch.add(list);
  }
  return batch;
}

const Corpus& corpus() {
  static const Corpus made(zipf_documents(7), kTerms);
  return made;
}

std::vector<std::unique_ptr<Scorer>> all_scorers(const InvertedIndex& index) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  scorers.push_back(make_tfidf_scorer(index));
  for (const std::string& variant : bm25_variants()) {
    Bm25Options options;
    options.variant = variant;
    scorers.push_back(make_bm25_scorer(index, options));
  }
  return scorers;
}

const Batch kQueries{
    {0, 1, 2}, {59}, {0}, {40, 59, 0, 40}, {1, 5, 20, 30, 50, 58}, {0, 0, 0, 57}, {10, 11, 12, 13, 14, 15}};

}  // namespace

TEST_CASE("lexical: a code bounds its posting from above, and the code below it does not") {
  for (const auto& scorer : all_scorers(corpus().index)) {
    const ImpactIndex impacts(*scorer);
    std::size_t n_of_form[3] = {0, 0, 0};
    for (TermId id = 0; id < static_cast<TermId>(kTerms); ++id) {
      const ImpactTerm& term = impacts.term(id);
      const Postings postings = corpus().index.postings(id);
      ++n_of_form[static_cast<std::size_t>(term.form)];
      if (term.form == ImpactForm::kRare) {
        CHECK(postings.size() < least_kept_df(kDocs));
        continue;
      }
      QueryTerm query = scorer->weigh(std::vector<TermId>{id}).front();
      query.weight = 1.0;
      std::vector<double> sides(postings.size());
      scorer->contributions(query, postings, sides.data());
      for (std::size_t i = 0; i < postings.size(); ++i) {
        const bool column = term.form == ImpactForm::kColumn;
        const int code = column ? impacts.column(term)[postings.docs[i]] : impacts.codes(term)[i];
        REQUIRE(code >= 1);
        REQUIRE(code * static_cast<double>(term.step) >= sides[i]);
        REQUIRE((code == 1 || (code - 1) * static_cast<double>(term.step) < sides[i]));
        if (column) {
          REQUIRE(impacts.column_tfs(term)[postings.docs[i]] == std::min(postings.tfs[i], 255u));
        } else {
          REQUIRE(PlaceAndTf::place(impacts.entries(term)[i]) == postings.docs[i] % kWindow);
          REQUIRE(PlaceAndTf::tf(impacts.entries(term)[i]) == (postings.tfs[i] <= 3 ? postings.tfs[i] : 0));
        }
      }
    }
    for (const std::size_t n : n_of_form) CHECK(n > 0);  // all three forms were seen
  }
}

TEST_CASE("lexical: sums of values bound every score from both sides") {
  for (const auto& scorer : all_scorers(corpus().index)) {
    const ImpactIndex impacts(*scorer);
    QueryBounds bounds;
    for (std::size_t q = 0; q < kQueries.offsets.size() - 1; ++q) {
      const auto query = scorer->weigh(kQueries.view(kTerms)[q]);
      bounds.set(*scorer, impacts, query);
      std::vector<std::uint32_t> sums(kDocs, 0);
      for (std::size_t t = 0; t < bounds.terms().size(); ++t) {
        const BoundedTerm& term = bounds.terms()[t];
        for (std::size_t i = 0; i < term.postings.size(); ++i) {
          const DocId doc = term.postings.docs[i];
          const std::uint32_t value = term.impacts->form == ImpactForm::kRare ? bounds.rare_values(t)[i]
                                      : term.impacts->form == ImpactForm::kList
                                          ? bounds.values(t)[impacts.codes(*term.impacts)[i]]
                                          : bounds.values(t)[impacts.column(*term.impacts)[doc]];
          REQUIRE(value >= 1);
          REQUIRE(value <= term.greatest);
          sums[doc] += value;
        }
      }
      std::vector<double> scores(kDocs, 0.0);
      for (const QueryTerm& term : query) {
        const Postings postings = corpus().index.postings(term.term);
        std::vector<double> parts(postings.size());
        scorer->contributions(term, postings, parts.data());
        for (std::size_t i = 0; i < parts.size(); ++i) scores[postings.docs[i]] += parts[i];
      }
      for (std::size_t d = 0; d < kDocs; ++d) {
        if (sums[d] == 0) continue;
        REQUIRE(sums[d] < 65'536);
        REQUIRE(scores[d] <= sums[d] * bounds.unit());
        REQUIRE(scores[d] >= (static_cast<double>(sums[d]) - bounds.error()) * bounds.unit());
      }
      for (const std::size_t k : {1, 10, 100, 1000}) {  // fewer than k documents may exceed what least_sum promises
        const std::uint32_t least = bounds.least_sum(k);
        if (least == 1) continue;
        const auto above = [&](double score) { return score > least * bounds.unit(); };
        CHECK(static_cast<std::size_t>(std::count_if(scores.begin(), scores.end(), above)) >= k);
      }
    }
  }
}

TEST_CASE("lexical: every algorithm equals the oracle over windows, lists, columns and rare terms") {
  for (const auto& scorer : all_scorers(corpus().index)) {
    const Searcher searcher(*scorer);
    for (const std::size_t k : {1, 10, 100, 1000, 40'000}) {
      const auto run = [&](std::string_view algorithm) {
        Ranked ranked;
        ranked.scores.resize(k * (kQueries.offsets.size() - 1));
        ranked.docs.resize(ranked.scores.size());
        search(searcher, kQueries.view(kTerms), k, 1, algorithm, nullptr, ranked.scores, ranked.docs);
        return ranked;
      };
      const Ranked expected = run("exhaustive");
      for (const char* algorithm : {"auto", "windowed", "maxscore", "adaptive"}) {
        CAPTURE(algorithm);
        const Ranked got = run(algorithm);
        CHECK(got.docs == expected.docs);
        CHECK(got.scores == expected.scores);
      }
    }
  }
}

TEST_CASE("lexical: counts are the postings really scored, and maxscore scores few") {
  const auto scorer = make_bm25_scorer(corpus().index, {});
  const Searcher searcher(*scorer);
  const Batch query{{0, 1, 40}};
  std::vector<float> scores(10);
  std::vector<std::int64_t> docs(10);
  const auto counts_of = [&](std::string_view algorithm) {
    SearchCounts counts;
    search(searcher, query.view(kTerms), 10, 1, algorithm, nullptr, scores, docs, &counts);
    return counts;
  };
  const std::size_t all = corpus().index.df(0) + corpus().index.df(1) + corpus().index.df(40);
  const SearchCounts exhaustive = counts_of("exhaustive"), windowed = counts_of("windowed");
  const SearchCounts maxscore = counts_of("maxscore");
  CHECK(exhaustive.postings == all);
  CHECK(exhaustive.postings_scored == all);
  CHECK(windowed.postings_scored == all);
  CHECK(windowed.windows == 3);
  CHECK(windowed.windows_pruned == 0);
  CHECK(maxscore.postings == all);
  CHECK(maxscore.postings_scored < all / 2);
  CHECK(maxscore.windows_pruned > 0);
  CHECK(maxscore.rescored >= 10);
}

TEST_CASE("lexical: a filter leaves out documents and no other, with every algorithm") {
  const auto scorer = make_bm25_scorer(corpus().index, {});
  const Searcher searcher(*scorer);
  std::vector<std::uint64_t> words((kDocs + 63) / 64, 0);
  for (std::size_t d = 0; d < kDocs; d += 3) words[d / 64] |= std::uint64_t{1} << (d % 64);
  const DocFilter filter(words);
  const std::size_t n_queries = kQueries.offsets.size() - 1;
  const Ranked all = testing::run_search(*scorer, kQueries, kDocs);
  for (const std::string& algorithm : query_algorithms()) {
    CAPTURE(algorithm);
    for (const std::size_t k : {10, 2000}) {
      std::vector<float> scores(n_queries * k);
      std::vector<std::int64_t> docs(n_queries * k);
      search(searcher, kQueries.view(kTerms), k, 1, algorithm, &filter, scores, docs);
      for (std::size_t q = 0; q < n_queries; ++q) {
        std::vector<std::int64_t> expected;
        for (std::size_t i = 0; i < kDocs && expected.size() < k; ++i) {
          const std::int64_t doc = all.docs[q * kDocs + i];
          if (doc >= 0 && doc % 3 == 0) expected.push_back(doc);
        }
        expected.resize(k, -1);
        CHECK(std::equal(expected.begin(), expected.end(), docs.begin() + static_cast<std::ptrdiff_t>(q * k)));
      }
    }
  }
}
