#include <doctest/doctest.h>

#include <functional>

#include "lexical_fixture.h"
#include "twotower/error.h"

using namespace twotower;
using testing::Batch;
using testing::Corpus;

TEST_CASE("lexical: the course's inverted index") {
  const Corpus corpus(testing::kCourse, testing::kCourseTerms);
  CHECK(corpus.arrays.term_offsets == std::vector<std::int64_t>{0, 3, 5, 7, 8, 9, 10});
  CHECK(corpus.arrays.docs == std::vector<DocId>{0, 1, 2, 0, 3, 0, 2, 1, 2, 2});
  CHECK(corpus.arrays.tfs == std::vector<std::uint32_t>{2, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(corpus.arrays.doc_lengths == std::vector<std::uint32_t>{4, 2, 4, 1});
  CHECK(corpus.index.average_length() == 2.75);
  CHECK(corpus.index.tf(0, 0) == 2);
  CHECK(corpus.index.tf(3, 0) == 0);
  CHECK(corpus.index.df(2) == 2);
}

TEST_CASE("lexical: unknown terms lengthen a document and have no postings; empty documents and corpora are legal") {
  const Corpus corpus(Batch{{-1, 0, -1}, {}, {-1}}, 2);
  CHECK(corpus.arrays.doc_lengths == std::vector<std::uint32_t>{3, 0, 1});
  CHECK(corpus.index.n_postings() == 1);
  CHECK(corpus.index.df(1) == 0);
  const Corpus empty(Batch{}, 0);
  CHECK(empty.index.n_docs() == 0);
  CHECK(empty.index.average_length() == 0.0);
}

TEST_CASE("lexical: term lists are checked") {
  const std::vector<TermId> ids{0, 1};
  using Offsets = std::vector<std::int64_t>;
  for (const Offsets& offsets : {Offsets{}, Offsets{0}, Offsets{1, 2}, Offsets{0, 3}, Offsets{0, 2, 1, 2}}) {
    CHECK_THROWS_AS(TermLists(ids, offsets, 2), InvalidInput);
  }
  CHECK_THROWS_WITH_AS(TermLists(ids, Offsets{0, 2}, 1), "term id 1 is not in [-1, 1)", InvalidInput);
  const std::vector<TermId> below{-2};
  CHECK_THROWS_AS(TermLists(below, Offsets{0, 1}, 1), InvalidInput);
}

TEST_CASE("lexical: every damage to the arrays is found") {
  const InvertedArrays good = build_inverted_arrays(testing::kCourse.view(testing::kCourseTerms));
  const std::vector<std::function<void(InvertedArrays&)>> damages{
      [](InvertedArrays& a) { a.term_offsets.clear(); },
      [](InvertedArrays& a) { a.term_offsets.front() = 1; },
      [](InvertedArrays& a) { a.term_offsets.back() = 11; },
      [](InvertedArrays& a) { a.term_offsets.back() = -1; },
      [](InvertedArrays& a) { a.term_offsets[2] = 2; },
      [](InvertedArrays& a) { a.term_offsets[1] = 1'000'000; },
      [](InvertedArrays& a) { a.docs.pop_back(); },
      [](InvertedArrays& a) { a.tfs.pop_back(); },
      [](InvertedArrays& a) { a.docs[2] = 4; },
      [](InvertedArrays& a) { a.docs[1] = 0; },
      [](InvertedArrays& a) { std::swap(a.docs[0], a.docs[1]); },
      [](InvertedArrays& a) { a.tfs[3] = 0; },
      [](InvertedArrays& a) { a.tfs[3] = 4'000'000'000u; },
      [](InvertedArrays& a) { a.doc_lengths[3] = 0; },
      [](InvertedArrays& a) { a.doc_lengths.pop_back(); },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    CAPTURE(i);
    InvertedArrays bad = good;
    damages[i](bad);
    CHECK_THROWS_AS(InvertedIndex(bad.term_offsets, bad.docs, bad.tfs, bad.doc_lengths), CorruptFile);
  }
}
