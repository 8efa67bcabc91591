// How much an occurrence of a query term in a document is worth: the BM25 family and tf-idf.
//
// A score is the sum of contributions in float64, in the order in which weigh() gives the query's terms, rounded once
// to float32. Scorers know the index, and neither top-k nor threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower {

/// One term of a query that has postings, and what the query side brings to its contributions.
struct QueryTerm {
  TermId term;
  double idf;
  double weight;  ///< BM25: the idf; tf-idf: what the term weighs in the query, divided by the query's norm; weighted
                  ///< postings: the query's weight
};

/// Gives each posting its contribution. Immutable after construction, so safe on every thread.
///
/// REQUIRES that the index outlives the scorer.
class Scorer {
 public:
  virtual ~Scorer() = default;
  const InvertedIndex& index() const noexcept { return index_; }

  /// The terms of a query that have postings, in the query's order. Unknown terms are left out.
  /// BM25: a term that comes twice is there twice and counts twice. tf-idf: once, at its first place. O(L).
  virtual std::vector<QueryTerm> weigh(std::span<const TermId> query) const = 0;

  /// The same for a query that gives each term a weight of its own. THROWS InvalidInput where the formula takes none.
  virtual std::vector<QueryTerm> weigh_given(std::span<const TermId> query, std::span<const float> weights) const;

  /// out[i] = contribution of `term` to docs[i], in which it stands tfs[i] times. O(n), no branch on the variant
  /// inside. REQUIRES valid DocIds, tfs of at least 1, and room for postings.size() values.
  virtual void contributions(const QueryTerm& term, const Postings& postings, double* out) const noexcept = 0;

 protected:
  explicit Scorer(const InvertedIndex& index) noexcept : index_(index) {}

 private:
  const InvertedIndex& index_;
};

/// Options of a BM25 variant. What is not set takes the variant's own default.
struct Bm25Options {
  std::string variant = "lucene";
  double k1 = 0.9;                      ///< in [0, 1e6]
  double b = 0.4;                       ///< in [0, 1]
  std::optional<double> delta;          ///< in [0, 1e6]; "bm25l" (0.5) and "bm25plus" (1) only
  std::optional<std::string> log_base;  ///< "e" or "10"; "slide" only ("e")
};

/// Names of the BM25 variants, in the order of their table.
std::vector<std::string> bm25_variants();

/// Checks the options and fills in the variant's defaults; `delta` and `log_base` stay empty where they have no
/// meaning. THROWS InvalidInput that names the option, its value and what is allowed.
Bm25Options resolve_bm25_options(Bm25Options options);

/// A BM25 scorer; 8 N bytes of document norms. THROWS as resolve_bm25_options.
std::unique_ptr<Scorer> make_bm25_scorer(const InvertedIndex& index, const Bm25Options& options);

/// The switches of tf-idf in SMART's notation. What is not set takes its default where it has a meaning.
struct TfidfOptions {
  std::string smart = "ltc.ltc";  ///< letters for tf, df and norm: those of documents, a dot, those of queries
  std::string log_base = "10";    ///< "10" or "e": of every logarithm
  std::optional<double> slope;    ///< in [0, 1]; norm "u" only (0.2)
  std::optional<double> alpha;    ///< in [0, 1); norm "b" only, which needs it
  bool needs_text_bytes = false;  ///< filled in: norm "b" of the documents
};

/// Checks the options and fills in defaults. THROWS InvalidInput that names the letter or option and what is allowed.
TfidfOptions resolve_tfidf_options(TfidfOptions options);

/// tf-idf by SMART's switches (Manning, Raghavan, Schuetze, Introduction to Information Retrieval, 2008, fig. 6.15):
/// on either side a term weighs tf factor * df factor / norm, and the score is the inner product.
///
/// What counts of a text are its terms that have postings: others are in no norm, no greatest tf, no mean. Sums run in
/// TermId order for documents, in query order for queries. A cosine norm of 0 makes the contributions 0. `text_bytes`
/// [N] are the bytes of each document's text, for norm "b" alone. O(P) time; 8 to 16 N bytes. THROWS as
/// resolve_tfidf_options; InvalidInput for text_bytes of another length; Interrupted.
std::unique_ptr<Scorer> make_tfidf_scorer(const InvertedIndex& index, const TfidfOptions& options = {},
                                          std::span<const std::uint32_t> text_bytes = {});

/// The weights of DrQA's retriever (Chen et al., ACL 2017, section 3.1, and its code): ln(tf + 1) * idf on both sides,
/// idf = ln((N - df + 0.5) / (df + 0.5)) or 0 where that is negative; the inner product, without norms. O(1).
std::unique_ptr<Scorer> make_log_count_scorer(const InvertedIndex& index);

}  // namespace twotower
