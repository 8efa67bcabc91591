// An inverted index made in place from term ids, for tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "twotower/inverted_index.h"
#include "twotower/lexical_search.h"
#include "twotower/scoring.h"

namespace twotower::testing {

// A batch of term lists that owns its arrays.
struct Batch {
  std::vector<TermId> ids;
  std::vector<std::int64_t> offsets{0};
  Batch() = default;
  Batch(std::initializer_list<std::vector<TermId>> lists) {
    for (const auto& list : lists) add(list);
  }
  void add(const std::vector<TermId>& list) {
    ids.insert(ids.end(), list.begin(), list.end());
    offsets.push_back(static_cast<std::int64_t>(ids.size()));
  }
  TermLists view(std::size_t n_terms) const { return {ids, offsets, n_terms}; }
};

struct Corpus {
  InvertedArrays arrays;
  InvertedIndex index;
  Corpus(const Batch& documents, std::size_t n_terms)
      : arrays(build_inverted_arrays(documents.view(n_terms))),
        index(arrays.term_offsets, arrays.docs, arrays.tfs, arrays.doc_lengths) {}
};

// The course's four documents. Terms: sweet 0, nurse 1, love 2, sorrow 3, how 4, is 5.
inline const Batch kCourse{{0, 0, 1, 2}, {0, 3}, {4, 0, 5, 2}, {1}};
constexpr std::size_t kCourseTerms = 6;

struct Ranked {
  std::vector<float> scores;
  std::vector<std::int64_t> docs;
};

inline Ranked run_search(const Scorer& scorer, const Batch& queries, std::size_t k, unsigned threads = 1,
                         std::string_view algorithm = "exhaustive") {
  Ranked ranked;
  ranked.scores.resize((queries.offsets.size() - 1) * k);
  ranked.docs.resize(ranked.scores.size());
  const Searcher searcher(scorer);
  search(searcher, queries.view(scorer.index().n_terms()), k, threads, algorithm, nullptr, ranked.scores, ranked.docs);
  return ranked;
}

}  // namespace twotower::testing
