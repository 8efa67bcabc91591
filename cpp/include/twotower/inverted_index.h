// The inverted index: for each term, the documents that contain it and how often. Knows term ids, no text and no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace twotower {

using DocId = std::uint32_t;  ///< Dense number of a document, 0 <= DocId < n_docs.
using TermId = std::int32_t;  ///< Dense number of a term, 0 <= TermId < n_terms; -1 is a term the vocabulary lacks.
constexpr TermId kUnknownTerm = -1;
constexpr float kMostWeight = 0x1p50f;  ///< of a term in a document or a query: no score is then beyond float32

/// A read-only view over a batch of term lists (documents or queries): list i is ids[offsets[i], offsets[i + 1]), and
/// its terms may carry weights.
///
/// REQUIRES that the arrays outlive the view. Immutable, so safe on every thread.
class TermLists {
 public:
  /// THROWS InvalidInput unless offsets rise from 0 to ids.size() and every id is in [-1, n_terms). O(T + N).
  TermLists(std::span<const TermId> ids, std::span<const std::int64_t> offsets, std::size_t n_terms);
  /// The same, with a weight for each id. THROWS InvalidInput also unless there are as many weights as ids, each finite
  /// and of a magnitude of at most kMostWeight, and no list has a known term twice. O(T log L + N).
  TermLists(std::span<const TermId> ids, std::span<const std::int64_t> offsets, std::size_t n_terms,
            std::span<const float> weights);

  std::size_t size() const noexcept { return offsets_.size() - 1; }
  std::size_t n_terms() const noexcept { return n_terms_; }
  std::span<const TermId> operator[](std::size_t i) const noexcept {
    return ids_.subspan(static_cast<std::size_t>(offsets_[i]), static_cast<std::size_t>(offsets_[i + 1] - offsets_[i]));
  }
  bool has_weights() const noexcept { return has_weights_; }
  /// The weights of list i. REQUIRES has_weights().
  std::span<const float> weights(std::size_t i) const noexcept {
    return weights_.subspan(static_cast<std::size_t>(offsets_[i]), (*this)[i].size());
  }

 private:
  std::span<const TermId> ids_;
  std::span<const std::int64_t> offsets_;
  std::size_t n_terms_;
  std::span<const float> weights_;
  bool has_weights_ = false;
};

/// The arrays of an inverted index in compressed sparse row form (V terms, P postings, N documents).
struct InvertedArrays {
  std::vector<std::int64_t> term_offsets;  ///< [V + 1]: postings of term t are [term_offsets[t], term_offsets[t + 1])
  std::vector<DocId> docs;                 ///< [P]: strictly ascending within a term
  std::vector<std::uint32_t> tfs;          ///< [P]: occurrences of the term in the document, at least 1
  std::vector<std::uint32_t> doc_lengths;  ///< [N]: analysed terms of the document, unknown ones included
};

/// Counts the terms of each document. Unknown terms make a document longer and have no postings.
///
/// Two passes, no sort: O(T + V) time, no memory beyond the result and 8 bytes a term.
/// THROWS InvalidInput for more than 2^32 - 1 documents, or for a document with as many terms; Interrupted.
InvertedArrays build_inverted_arrays(const TermLists& documents);

/// The postings of one term: docs[i] holds the term tfs[i] times. Some indexes keep another number above 0 there, which
/// their scorer alone can read: the bits of a weight (weighted_postings.h), or of tfs by field (fields.h).
struct Postings {
  std::span<const DocId> docs;
  std::span<const std::uint32_t> tfs;
  std::size_t size() const noexcept { return docs.size(); }
  Postings slice(std::size_t first, std::size_t count) const noexcept {
    return {docs.subspan(first, count), tfs.subspan(first, count)};
  }
};

/// A read-only view over the arrays of an inverted index, fresh or mapped from a file.
///
/// REQUIRES that the arrays outlive the view. Immutable after construction, so safe on every thread.
class InvertedIndex {
 public:
  /// Checks the structure, because the arrays may come from an untrusted file: offsets rise from 0 to P, DocIds are
  /// below N and strictly ascending within a term, tfs are at least 1, and no document is shorter than its postings.
  /// O(P + V + N) time and 8 N bytes while it runs. THROWS CorruptFile that names the first term or document at fault.
  InvertedIndex(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                std::span<const std::uint32_t> tfs, std::span<const std::uint32_t> doc_lengths);
  /// An index whose `tfs` are other numbers than occurrences, so that documents have no lengths. The same checks but
  /// that of lengths. O(P + V).
  InvertedIndex(std::span<const std::int64_t> term_offsets, std::span<const DocId> docs,
                std::span<const std::uint32_t> numbers, std::size_t n_docs);

  std::size_t n_docs() const noexcept { return n_docs_; }
  std::size_t n_terms() const noexcept { return term_offsets_.size() - 1; }
  std::size_t n_postings() const noexcept { return docs_.size(); }
  /// Empty where documents have no lengths.
  std::span<const std::uint32_t> doc_lengths() const noexcept { return doc_lengths_; }
  /// Mean document length; 0 without documents.
  double average_length() const noexcept { return average_length_; }

  /// O(1). REQUIRES 0 <= term < n_terms().
  Postings postings(TermId term) const noexcept {
    const auto first = static_cast<std::size_t>(term_offsets_[static_cast<std::size_t>(term)]);
    const auto last = static_cast<std::size_t>(term_offsets_[static_cast<std::size_t>(term) + 1]);
    return {docs_.subspan(first, last - first), tfs_.subspan(first, last - first)};
  }
  /// Number of documents that contain the term. O(1). REQUIRES 0 <= term < n_terms().
  std::size_t df(TermId term) const noexcept { return postings(term).size(); }
  /// Occurrences of the term in the document, 0 if there is none. O(log df). REQUIRES 0 <= term < n_terms().
  std::uint32_t tf(TermId term, DocId doc) const noexcept;

 private:
  std::span<const std::int64_t> term_offsets_;
  std::span<const DocId> docs_;
  std::span<const std::uint32_t> tfs_;
  std::span<const std::uint32_t> doc_lengths_;
  std::size_t n_docs_;
  double average_length_ = 0.0;
};

}  // namespace twotower
