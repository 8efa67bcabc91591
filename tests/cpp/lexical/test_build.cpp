// The streaming builder against build_inverted_arrays, with and without spilled blocks.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "lexical/building/block.h"
#include "lexical/building/budget.h"
#include "lexical/building/stored_block.h"
#include "lexical_fixture.h"
#include "twotower/error.h"
#include "twotower/lexical_build.h"

using namespace twotower;
using testing::Batch;

namespace {

InvertedArrays arrays_of(LexicalBuilder& builder) {
  const BuildCounts counts = builder.finish();
  InvertedArrays arrays;
  arrays.term_offsets.resize(counts.n_terms + 1);
  arrays.docs.resize(counts.n_postings);
  arrays.tfs.resize(counts.n_postings);
  arrays.doc_lengths.resize(counts.n_docs);
  builder.fill(arrays.term_offsets, arrays.docs, arrays.tfs, arrays.doc_lengths);
  return arrays;
}

void check_equal(const InvertedArrays& a, const InvertedArrays& b) {
  CHECK(a.term_offsets == b.term_offsets);
  CHECK(a.docs == b.docs);
  CHECK(a.tfs == b.tfs);
  CHECK(a.doc_lengths == b.doc_lengths);
}

// Frequent and rare terms, unknown ones, empty documents, tfs below and above what a byte holds.
Batch random_documents(std::size_t n, std::size_t n_terms, unsigned seed) {
  std::mt19937 random(seed);
  Batch batch;
  for (std::size_t d = 0; d < n; ++d) {
    std::vector<TermId> terms(random() % 9);
    for (auto& term : terms) term = static_cast<TermId>(random() % n_terms * (random() % n_terms) / n_terms) - 1;
    if (d % 97 == 0) terms.insert(terms.end(), 253 + d % 5, 3);
    batch.add(terms);
  }
  return batch;
}

}  // namespace

TEST_CASE("build: the course's documents") {
  LexicalBuilder builder({});
  builder.add(testing::kCourse.view(testing::kCourseTerms));
  check_equal(arrays_of(builder), build_inverted_arrays(testing::kCourse.view(testing::kCourseTerms)));
}

TEST_CASE("build: random documents, every thread count, limits that spill and that do not") {
  constexpr std::size_t kTerms = 3000;
  const Batch batch = random_documents(120'000, kTerms, 1);
  const InvertedArrays expected = build_inverted_arrays(batch.view(kTerms));
  for (const unsigned threads : {1u, 2u, 7u}) {
    const std::size_t tables = 600'000 + threads * 8 * kTerms;  // of documents and terms
    const std::size_t least = build::Budget(1, threads).least(tables);
    for (const std::size_t limit : {std::size_t{0}, least, std::size_t{1} << 30}) {
      CAPTURE(threads);
      CAPTURE(limit);
      LexicalBuilder builder({limit, threads, std::filesystem::temp_directory_path()});
      builder.add(batch.view(kTerms));
      builder.add(Batch{}.view(kTerms));
      const InvertedArrays built = arrays_of(builder);
      check_equal(built, expected);
      CHECK((builder.counts().spilled_bytes > 0) == (limit == least));
    }
  }
}

TEST_CASE("build: a cursor reads a spilled block as it reads one in memory, from any term") {
  constexpr std::size_t kTerms = 5000;
  const Batch batch = random_documents(20'000, kTerms, 2);
  build::Documents documents;
  documents.first_doc = 1000;
  documents.ids = batch.ids;
  for (std::size_t d = 0; d + 1 < batch.offsets.size(); ++d) {
    documents.lengths.push_back(static_cast<std::uint32_t>(batch.offsets[d + 1] - batch.offsets[d]));
  }
  build::TemporaryFile file(std::filesystem::temp_directory_path());
  file.append("before", 6);  // blocks lie anywhere in the file
  const build::StoredBlock memory(build::invert(documents, kTerms));
  build::StoredBlock spilled(build::invert(documents, kTerms));
  spilled.spill(file);
  CHECK(spilled.memory_bytes() < memory.memory_bytes() / 20);
  for (const std::uint32_t first : {0u, 1u, 511u, 512u, 513u, 2500u, 4999u, 5000u}) {
    CAPTURE(first);
    build::BlockCursor a(memory);
    build::BlockCursor b(spilled);
    a.seek(first);
    b.seek(first);
    while (a.term() != build::BlockCursor::kEnd) {
      REQUIRE(a.term() == b.term());
      REQUIRE(a.term() >= first);
      std::vector<std::pair<DocId, std::uint32_t>> left, right;
      a.drain([&](DocId doc, std::uint32_t tf) { left.emplace_back(doc, tf); });
      b.drain([&](DocId doc, std::uint32_t tf) { right.emplace_back(doc, tf); });
      REQUIRE(left == right);
      REQUIRE(!left.empty());
    }
    CHECK(b.term() == build::BlockCursor::kEnd);
  }
}

TEST_CASE("build: what a limit leaves is shared out within it") {
  for (const std::size_t workers : {1, 2, 64}) {
    const std::size_t tables = 1'000'000;
    const std::size_t least = build::Budget(1, workers).least(tables);
    for (const std::size_t limit : {least, least + 1, 10 * least, std::size_t{1} << 40}) {
      const build::Budget budget(limit, workers);
      const std::size_t inverting = workers * build::kBytesPerId * budget.block_ids(tables);
      CHECK(budget.block_ids(tables) >= build::kMinBlockIds);
      CHECK(tables + inverting + budget.waiting_bytes(tables) <= limit);
    }
    CHECK(build::Budget(least, workers).waiting_bytes(2 * least) == 0);
  }
}

TEST_CASE("build: a limit too small, or a vocabulary that shrinks, is refused") {
  LexicalBuilder builder({1000, 1, std::filesystem::temp_directory_path()});
  CHECK_THROWS_AS(builder.add(testing::kCourse.view(testing::kCourseTerms)), InvalidInput);
  LexicalBuilder reserved({1'000'000, 1, std::filesystem::temp_directory_path()});
  reserved.add(testing::kCourse.view(testing::kCourseTerms));
  reserved.reserve(900'000);
  CHECK_THROWS_AS(reserved.add(testing::kCourse.view(testing::kCourseTerms)), InvalidInput);
  LexicalBuilder shrinking({});
  shrinking.add(testing::kCourse.view(testing::kCourseTerms));
  CHECK_THROWS_AS(shrinking.add(Batch{}.view(2)), InvalidInput);
}
