#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

#include "lexical_fixture.h"
#include "twotower/error.h"

using namespace twotower;
using testing::Batch;
using testing::Corpus;
using testing::kCourse;
using testing::kCourseTerms;

namespace {

// Scores of the query "sweet love" for the four documents.
std::vector<float> course_scores(const Scorer& scorer) {
  std::vector<float> scores(4);
  score(scorer, Batch{{0, 2}}.view(kCourseTerms), std::vector<std::int64_t>{0, 1, 2, 3}, 1, scores);
  return scores;
}

void check_golden(const std::vector<float>& scores, const std::vector<double>& golden) {
  for (std::size_t d = 0; d < golden.size(); ++d) {
    CAPTURE(d);
    CHECK(std::abs(scores[d] - golden[d]) < 1e-6);
  }
}

Bm25Options options(const std::string& variant, double k1 = 1.2, double b = 0.75) { return {variant, k1, b, {}, {}}; }

}  // namespace

TEST_CASE("lexical: golden scores of the course's documents") {
  const Corpus corpus(kCourse, kCourseTerms);
  const std::map<std::string, std::vector<double>> golden{
      {"slide", {.425087, .147186, .375928, 0}},       {"robertson", {-.469535, -.433501, -.324748, 0}},
      {"lucene", {.463320, .182485, .402371, 0}},      {"atire", {.935191, .323810, .827041, 0}},
      {"bm25plus", {2.822508, 1.085801, 2.630469, 0}}, {"bm25l", {1.266375, .466262, 1.176412, 0}},
  };
  CHECK(golden.size() == bm25_variants().size());
  for (const std::string& variant : bm25_variants()) {
    CAPTURE(variant);
    check_golden(course_scores(*make_bm25_scorer(corpus.index, options(variant))), golden.at(variant));
  }
  const Bm25Options slide_10{"slide", 1.2, 0.75, {}, "10"};
  check_golden(course_scores(*make_bm25_scorer(corpus.index, slide_10)), {.184613, .063922, .163263, 0});
  check_golden(course_scores(*make_bm25_scorer(corpus.index, options("lucene", .9, .4))),
               {.568730, .197953, .508724, 0});
  check_golden(course_scores(*make_tfidf_scorer(corpus.index)), {.746865, .077889, .357498, 0});
}

TEST_CASE("lexical: BM25 options are checked and filled in") {
  CHECK(resolve_bm25_options(options("bm25l")).delta == 0.5);
  CHECK(resolve_bm25_options(options("bm25plus")).delta == 1.0);
  CHECK_FALSE(resolve_bm25_options(options("lucene")).delta.has_value());
  CHECK(resolve_bm25_options(options("slide")).log_base == "e");
  CHECK_THROWS_WITH_AS(resolve_bm25_options(options("bm26")),
                       "unknown BM25 variant 'bm26': choose one of robertson, lucene, atire, bm25l, bm25plus, slide",
                       InvalidInput);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double k1 : {-0.1, nan, infinity, 2e6}) {
    CHECK_THROWS_AS(resolve_bm25_options(options("lucene", k1)), InvalidInput);
  }
  for (const double b : {-0.1, 1.1, nan}) {
    CHECK_THROWS_AS(resolve_bm25_options(options("lucene", 1.2, b)), InvalidInput);
  }
  Bm25Options with_delta = options("lucene");
  with_delta.delta = 1.0;
  CHECK_THROWS_WITH_AS(resolve_bm25_options(with_delta),
                       "variant 'lucene' has no delta: leave it out, or choose one of 'bm25l', 'bm25plus'",
                       InvalidInput);
  Bm25Options negative = options("bm25l");
  negative.delta = -1.0;
  CHECK_THROWS_AS(resolve_bm25_options(negative), InvalidInput);
  const Bm25Options base_2{"slide", 1.2, 0.75, {}, "2"};
  CHECK_THROWS_AS(resolve_bm25_options(base_2), InvalidInput);
  const Bm25Options no_base{"atire", 1.2, 0.75, {}, "10"};
  CHECK_THROWS_AS(resolve_bm25_options(no_base), InvalidInput);
}

TEST_CASE("lexical: k1 = 0 and b at its ends give finite scores") {
  const Corpus corpus(kCourse, kCourseTerms);
  for (const std::string& variant : bm25_variants()) {
    for (const double k1 : {0.0, 1e6}) {
      for (const double b : {0.0, 1.0}) {
        for (const float value : course_scores(*make_bm25_scorer(corpus.index, options(variant, k1, b)))) {
          CHECK(std::isfinite(value));
        }
      }
    }
  }
}

TEST_CASE("lexical: tf-idf with a norm of zero scores zero and still hits") {
  const Corpus corpus(Batch{{0}, {0, 1}}, 2);  // term 0 is in every document: its idf is 0
  const auto ranked = testing::run_search(*make_tfidf_scorer(corpus.index), Batch{{0}}, 3);
  CHECK(ranked.docs == std::vector<std::int64_t>{0, 1, -1});
  CHECK(ranked.scores[0] == 0.0f);
  CHECK(ranked.scores[1] == 0.0f);
}

TEST_CASE("lexical: unknown query terms are outside |q|, repeated ones count by their number") {
  const Corpus corpus(kCourse, kCourseTerms);
  const auto tfidf = make_tfidf_scorer(corpus.index);
  CHECK(testing::run_search(*tfidf, Batch{{0, -1, 2}}, 4).scores ==
        testing::run_search(*tfidf, Batch{{0, 2}}, 4).scores);
  CHECK(tfidf->weigh(std::vector<TermId>{0, 2, 0}).size() == 2);
  const auto bm25 = make_bm25_scorer(corpus.index, options("lucene"));
  const float once = testing::run_search(*bm25, Batch{{0}}, 1).scores[0];
  CHECK(testing::run_search(*bm25, Batch{{0, 0}}, 1).scores[0] == 2 * once);
}
