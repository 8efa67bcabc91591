// Fields merged into one list a term, and BM25F worked by hand and against BM25.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "lexical_fixture.h"
#include "twotower/error.h"
#include "twotower/fields.h"

using namespace twotower;
using testing::Batch;

namespace {

// The arrays of one field after the other, over one vocabulary.
struct FieldedCorpus {
  std::vector<InvertedArrays> fields;
  FieldedArrays merged;
  std::unique_ptr<InvertedIndex> index;

  FieldedCorpus(std::initializer_list<Batch> batches, std::size_t n_terms) {
    std::vector<FieldPostings> views;
    for (const Batch& batch : batches) fields.push_back(build_inverted_arrays(batch.view(n_terms)));
    for (const InvertedArrays& field : fields) views.push_back({field.term_offsets, field.docs, field.tfs});
    merged = merge_fields(views);
    index =
        std::make_unique<InvertedIndex>(merged.term_offsets, merged.docs, merged.numbers, fields[0].doc_lengths.size());
  }

  std::unique_ptr<Scorer> scorer(std::vector<double> weights, std::vector<double> bs, double k1) const {
    std::vector<Field> options;
    for (std::size_t f = 0; f < fields.size(); ++f) options.push_back({weights[f], bs[f], fields[f].doc_lengths});
    return make_bm25f_scorer(*index, merged.combinations, options, k1);
  }
};

std::vector<float> scores_of(const Scorer& scorer, const Batch& query, std::size_t n_docs) {
  std::vector<std::int64_t> docs(n_docs);
  for (std::size_t d = 0; d < n_docs; ++d) docs[d] = static_cast<std::int64_t>(d);
  std::vector<float> scores(n_docs);
  score(scorer, query.view(scorer.index().n_terms()), docs, 1, scores);
  return scores;
}

Batch random_documents(unsigned seed, std::size_t n_docs, std::size_t n_terms, std::size_t longest) {
  std::mt19937 random(seed);
  Batch batch;
  for (std::size_t d = 0; d < n_docs; ++d) {
    std::vector<TermId> list(random() % (longest + 1));
    for (TermId& id : list) id = static_cast<TermId>(std::min(random() % n_terms, random() % n_terms));
    batch.add(list);
  }
  return batch;
}

}  // namespace

TEST_CASE("lexical: fields merge into one list a term, frequent combinations first") {
  // Titles: {0}, {}, {1}. Texts: {0, 0, 1}, {1}, {1}.
  const FieldedCorpus corpus({{{0}, {}, {1}}, {{0, 0, 1}, {1}, {1}}}, 3);
  CHECK(corpus.merged.term_offsets == std::vector<std::int64_t>{0, 1, 4, 4});
  CHECK(corpus.merged.docs == std::vector<DocId>{0, 0, 1, 2});
  CHECK(corpus.merged.combinations == std::vector<std::uint32_t>{0, 1, 1, 1, 1, 2});  // (0, 1) comes twice
  CHECK(corpus.merged.numbers == std::vector<std::uint32_t>{3, 1, 1, 2});
}

TEST_CASE("lexical: BM25F worked by hand") {
  // Titles: {0}, {}, {1}, of mean length 2/3; texts: {0, 0, 1}, {1}, {1}, of mean length 5/3.
  // k1 = 1, w = (2, 1), b = (.5, .5). Term 0 is in document 0 alone: idf = ln(1 + 2.5 / 1.5). Its title has
  // r = .5 + .5 * 1.5 = 1.25 and tf' = 2 / 1.25 = 1.6, its text r = .5 + .5 * 1.8 = 1.4 and tf' = 2 / 1.4.
  const FieldedCorpus corpus({{{0}, {}, {1}}, {{0, 0, 1}, {1}, {1}}}, 3);
  const auto scorer = corpus.scorer({2.0, 1.0}, {0.5, 0.5}, 1.0);
  const double tf = 1.6 + 2.0 / 1.4;
  const std::vector<float> of_0 = scores_of(*scorer, {{0}}, 3);
  CHECK(of_0[0] == doctest::Approx(std::log(1.0 + 2.5 / 1.5) * tf / (1.0 + tf)).epsilon(1e-6));
  CHECK(of_0[1] == 0.0f);
  // Term 1 is in all three, each with a text of its own: idf = ln(1 + .5 / 3.5), r of the short texts .5 + .5 * .6 =
  // .8.
  const double idf = std::log(1.0 + 0.5 / 3.5);
  const std::vector<float> of_1 = scores_of(*scorer, {{1}}, 3);
  CHECK(of_1[0] == doctest::Approx(idf * (1 / 1.4) / (1 + 1 / 1.4)).epsilon(1e-6));
  CHECK(of_1[1] == doctest::Approx(idf * 1.25 / 2.25).epsilon(1e-6));
  CHECK(of_1[2] == doctest::Approx(idf * (1.6 + 1.25) / (1 + 1.6 + 1.25)).epsilon(1e-6));
}

TEST_CASE("lexical: BM25F of one field is BM25 to a unit in the last place") {
  const Batch documents = random_documents(3, 2000, 40, 30);
  const FieldedCorpus fielded({documents}, 40);
  const testing::Corpus plain(documents, 40);
  for (const double b : {0.0, 0.4, 1.0}) {
    const auto bm25f = fielded.scorer({1.0}, {b}, 0.9);
    const auto bm25 = make_bm25_scorer(plain.index, {"lucene", 0.9, b, {}, {}});
    for (const auto& query : {Batch{{0, 1, 2}}, Batch{{39}}, Batch{{5, 5, 30}}}) {
      const auto got = scores_of(*bm25f, query, 2000), expected = scores_of(*bm25, query, 2000);
      for (std::size_t d = 0; d < 2000; ++d) {
        REQUIRE(std::abs(got[d] - expected[d]) <= std::ldexp(std::abs(expected[d]), -23));
      }
    }
  }
}

TEST_CASE("lexical: every algorithm equals the oracle on fields") {
  const FieldedCorpus corpus({random_documents(5, 36'000, 300, 6), random_documents(6, 36'000, 300, 40)}, 300);
  const auto scorer = corpus.scorer({3.0, 0.5}, {0.2, 0.9}, 1.2);
  const Batch queries{{0, 1, 2}, {299, 298, 250}, {0}, {10, 50, 90, 130, 170, 210, 250, 290}};
  for (const std::size_t k : {1, 10, 1000, 36'000}) {
    const auto expected = testing::run_search(*scorer, queries, k);
    for (const char* algorithm : {"auto", "windowed", "maxscore", "adaptive"}) {
      CAPTURE(algorithm);
      const auto got = testing::run_search(*scorer, queries, k, 1, algorithm);
      CHECK(got.docs == expected.docs);
      CHECK(got.scores == expected.scores);
    }
  }
}

TEST_CASE("lexical: BM25F refuses options out of range and arrays that do not fit together") {
  const FieldedCorpus corpus({{{0}, {}, {1}}, {{0, 0, 1}, {1}, {1}}}, 3);
  CHECK_THROWS_AS(corpus.scorer({0.0, 1.0}, {0.5, 0.5}, 1.0), InvalidInput);
  CHECK_THROWS_AS(corpus.scorer({1.0, 1.0}, {0.5, 1.5}, 1.0), InvalidInput);
  CHECK_THROWS_AS(corpus.scorer({1.0, 1.0}, {0.5, 0.5}, -1.0), InvalidInput);
  CHECK_THROWS_AS(merge_fields({}), InvalidInput);
  const std::vector<std::uint32_t> short_lengths{1, 0, 1}, rows = corpus.merged.combinations;
  const std::vector<Field> short_texts{{1.0, 0.5, corpus.fields[0].doc_lengths}, {1.0, 0.5, short_lengths}};
  CHECK_THROWS_AS(make_bm25f_scorer(*corpus.index, rows, short_texts, 1.0), CorruptFile);
  const std::vector<Field> fields{{1.0, 0.5, corpus.fields[0].doc_lengths}, {1.0, 0.5, corpus.fields[1].doc_lengths}};
  CHECK_THROWS_AS(make_bm25f_scorer(*corpus.index, std::vector<std::uint32_t>{0, 1}, fields, 1.0), CorruptFile);
  CHECK_THROWS_AS(make_bm25f_scorer(*corpus.index, std::vector<std::uint32_t>{0, 0, 1, 1, 1, 2}, fields, 1.0),
                  CorruptFile);
}
