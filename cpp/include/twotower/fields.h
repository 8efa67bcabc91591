// Documents of several fields, and BM25F: one saturation over the weighted occurrences in all fields.
//
// A posting is a document that has the term in any field. Its number (Postings::tfs) is 1 + the row of a table of
// combinations: the occurrences in field 0, field 1 and so on. Few combinations are ever seen, the frequent ones have
// the small numbers, and so everything that packs, saves and searches postings of occurrences takes these as well.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "twotower/inverted_index.h"
#include "twotower/scoring.h"

namespace twotower {

/// One field's own inverted index, as build_inverted_arrays or LexicalBuilder gives it. REQUIRES arrays that outlive
/// it.
struct FieldPostings {
  std::span<const std::int64_t> term_offsets;
  std::span<const DocId> docs;
  std::span<const std::uint32_t> tfs;
};

/// The postings of all fields together (V terms, P documents with a term in any field, C combinations, F fields).
struct FieldedArrays {
  std::vector<std::int64_t> term_offsets;   ///< [V + 1]
  std::vector<DocId> docs;                  ///< [P]: strictly ascending within a term
  std::vector<std::uint32_t> numbers;       ///< [P]: 1 + the row of the posting's combination
  std::vector<std::uint32_t> combinations;  ///< [C * F]: rows of tfs, most frequent first, then by their tfs
};

/// Merges the postings of fields, which share one vocabulary and one numbering of documents. Deterministic.
///
/// O(F (P + V)) time, 8 bytes a posting beside the result. THROWS InvalidInput without fields, or for fields of
/// different numbers of terms, or more than 2^32 - 2 combinations; Interrupted. REQUIRES checked postings.
FieldedArrays merge_fields(std::span<const FieldPostings> fields);

/// What BM25F needs of one field. REQUIRES lengths [N] that outlive the making of the scorer.
struct Field {
  double weight;  ///< w: from 1e-6 to 1e6
  double b;       ///< from 0 to 1
  std::span<const std::uint32_t> lengths;
};

/// BM25F with a b for each field (Zaragoza, Craswell, Taylor, Saria and Robertson, TREC-13, 2004; Robertson, Zaragoza
/// and Taylor, CIKM 2004, have one for all): a contribution is idf * tf' / (k1 + tf'), with
///
///     tf' = sum over the fields f, in their order, of (w_f * tf_f) / (1 - b_f + b_f * length_f / mean length_f)
///
/// and the idf of "lucene" over documents with the term in any field. Mean lengths are over all N documents.
/// 8 F N + 8 F C bytes. THROWS InvalidInput that names the option out of range; CorruptFile if a posting's number is no
/// row of `combinations` [C * F], a row is all 0, or a document has more occurrences in a field than the field's
/// length.
std::unique_ptr<Scorer> make_bm25f_scorer(const InvertedIndex& index, std::span<const std::uint32_t> combinations,
                                          std::span<const Field> fields, double k1);

}  // namespace twotower
