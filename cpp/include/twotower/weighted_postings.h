// Documents and queries as sparse vectors: terms with weights instead of occurrences, on the engine of BM25.
//
// The score of a document is the sum over the query's terms, in its order, of (query weight) * (document weight): exact
// products in float64, summed in float64, rounded once to float32. Weights are float32 of either sign, kept bit for
// bit; a weight of 0 is as if the term was not there. Learned weights come from elsewhere (SPLADE: Formal, Piwowarski
// and Clinchant, SIGIR 2021; SPARC: Lee, Seo, Hajishirzi and Kang, ACL 2020); this knows no model.
#pragma once

#include <memory>

#include "twotower/inverted_index.h"
#include "twotower/scoring.h"

namespace twotower {

/// The arrays of an index over weighted terms (V terms, P postings). Postings::tfs holds the bits of their weights.
struct WeightedArrays {
  std::vector<std::int64_t> term_offsets;  ///< [V + 1]
  std::vector<DocId> docs;                 ///< [P]: strictly ascending within a term
  std::vector<float> weights;              ///< [P]: never 0
};

/// Turns documents [N] with weights into postings by term. Weights of 0 and unknown terms make none. Two passes, no
/// sort: O(T + V) time. REQUIRES documents.has_weights(). THROWS InvalidInput for more than 2^32 - 1 documents;
/// Interrupted.
WeightedArrays build_weighted_arrays(const TermLists& documents);

/// Scores by weights alone. Its queries come with weights; one without gives each term the weight 1.
///
/// Terms of which a document has a weight below 0 are never quantised, so searches prune less; answers stay exact.
/// THROWS CorruptFile unless every posting's bits are those of a finite float32 of a magnitude of at most kMostWeight.
std::unique_ptr<Scorer> make_weight_scorer(const InvertedIndex& index);

}  // namespace twotower
