// The lexical room: NumPy arrays in, NumPy arrays out. An InvertedIndex keeps its arrays alive, a scorer its index.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "twotower/error.h"
#include "twotower/fields.h"
#include "twotower/inverted_index.h"
#include "twotower/lexical_search.h"
#include "twotower/scoring.h"
#include "twotower/weighted_postings.h"

namespace twotower::bindings {
namespace {

template <class T>
std::span<T> room(Array<T>& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

// An inverted index together with the arrays that it looks at.
struct OwnedIndex {
  Array<std::int64_t> term_offsets;
  Array<DocId> docs;
  Array<std::uint32_t> tfs;
  Array<std::uint32_t> doc_lengths;
  std::unique_ptr<InvertedIndex> index;
};

OwnedIndex own_index(Array<std::int64_t> term_offsets, Array<DocId> docs, Array<std::uint32_t> tfs,
                     Array<std::uint32_t> doc_lengths) {
  OwnedIndex owned{std::move(term_offsets), std::move(docs), std::move(tfs), std::move(doc_lengths), nullptr};
  const auto offsets = flat(owned.term_offsets);
  const auto docs_view = flat(owned.docs);
  const auto tfs_view = flat(owned.tfs);
  const auto lengths = flat(owned.doc_lengths);
  const GilRelease release;
  owned.index = std::make_unique<InvertedIndex>(offsets, docs_view, tfs_view, lengths);
  return owned;
}

OwnedIndex own_numbers(Array<std::int64_t> term_offsets, Array<DocId> docs, Array<std::uint32_t> numbers,
                       std::size_t n_docs) {
  OwnedIndex owned{std::move(term_offsets), std::move(docs), std::move(numbers), {}, nullptr};
  const auto offsets = flat(owned.term_offsets);
  const auto docs_view = flat(owned.docs);
  const auto numbers_view = flat(owned.tfs);
  const GilRelease release;
  owned.index = std::make_unique<InvertedIndex>(offsets, docs_view, numbers_view, n_docs);
  return owned;
}

// A scorer and the searchers over it: one that scores exhaustively, and one with quantised postings, once made.
class OwnedScorer {
 public:
  explicit OwnedScorer(std::unique_ptr<Scorer> owned)
      : scorer_(std::move(owned)), bare_(*scorer_, Searcher::WithoutImpacts{}) {}

  const Scorer& scorer() const noexcept { return *scorer_; }
  const Searcher& bare() const noexcept { return bare_; }
  // Null before quantise().
  const Searcher* made() const noexcept { return ready_.load(std::memory_order_acquire); }
  // REQUIRES that the GIL is released: another thread may be at it, and asks for the GIL to look for Ctrl-C.
  const Searcher& quantise() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!quantised_) {
      quantised_ = std::make_unique<Searcher>(*scorer_);
      ready_.store(quantised_.get(), std::memory_order_release);
    }
    return *quantised_;
  }

 private:
  std::unique_ptr<Scorer> scorer_;
  Searcher bare_;
  std::mutex mutex_;
  std::unique_ptr<Searcher> quantised_;
  std::atomic<const Searcher*> ready_{nullptr};
};

// field_lengths is [F, N].
std::unique_ptr<OwnedScorer> bm25f(const OwnedIndex& owned, const Array<std::uint32_t>& combinations,
                                   const Array<std::uint32_t>& field_lengths, const std::vector<double>& weights,
                                   const std::vector<double>& bs, double k1) {
  const auto rows = flat(combinations);
  const auto lengths = flat(field_lengths);
  const GilRelease release;
  std::vector<Field> fields;
  const std::size_t n_docs = owned.index->n_docs();
  if (bs.size() != weights.size() || lengths.size() != weights.size() * n_docs) {
    throw InvalidInput("weights, b and lengths must be of as many fields");
  }
  for (std::size_t f = 0; f < weights.size(); ++f) {
    fields.push_back({weights[f], bs[f], lengths.subspan(f * n_docs, n_docs)});
  }
  return std::make_unique<OwnedScorer>(make_bm25f_scorer(*owned.index, rows, fields, k1));
}

py::dict to_dict(const SearchCounts& counts) {
  py::dict algorithms;
  const std::vector<std::string> names = query_algorithms();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (counts.queries[i] != 0) algorithms[py::str(names[i])] = counts.queries[i];
  }
  py::dict result;
  result["algorithms"] = algorithms;
  result["postings"] = counts.postings;
  result["postings_scored"] = counts.postings_scored;
  result["lookups"] = counts.lookups;
  result["candidates"] = counts.candidates;
  result["rescored"] = counts.rescored;
  result["windows"] = counts.windows;
  result["windows_pruned"] = counts.windows_pruned;
  return result;
}

using Weights = std::optional<Array<float>>;  // one for each id of a batch of queries

TermLists queries_of(std::span<const TermId> ids, std::span<const std::int64_t> offsets, std::size_t n_terms,
                     const std::optional<std::span<const float>>& weights) {
  return weights ? TermLists(ids, offsets, n_terms, *weights) : TermLists(ids, offsets, n_terms);
}

std::optional<std::span<const float>> flat_weights(const Weights& weights) {
  return weights ? std::optional(flat(*weights)) : std::nullopt;
}

py::tuple build(const Array<TermId>& ids, const Array<std::int64_t>& offsets, std::size_t n_terms) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  InvertedArrays arrays;
  {
    const GilRelease release;
    arrays = build_inverted_arrays(TermLists(ids_view, offsets_view, n_terms));
  }
  return py::make_tuple(to_numpy(std::move(arrays.term_offsets)), to_numpy(std::move(arrays.docs)),
                        to_numpy(std::move(arrays.tfs)), to_numpy(std::move(arrays.doc_lengths)));
}

// (scores, docs, counts); `where` holds one bit a document, the first in the least bit, or is None.
py::tuple search_batch(OwnedScorer& owned, const Array<TermId>& ids, const Array<std::int64_t>& offsets, std::size_t k,
                       unsigned threads, const std::string& algorithm, const std::optional<Array<std::uint64_t>>& where,
                       const Weights& weights) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  const auto n_queries = static_cast<py::ssize_t>(offsets_view.size()) - 1;
  Array<float> scores({std::max<py::ssize_t>(n_queries, 0), static_cast<py::ssize_t>(k)});
  Array<std::int64_t> docs({std::max<py::ssize_t>(n_queries, 0), static_cast<py::ssize_t>(k)});
  const auto scores_room = room(scores);
  const auto docs_room = room(docs);
  const auto weights_view = flat_weights(weights);
  const DocFilter filter(where ? flat(*where) : std::span<const std::uint64_t>());
  SearchCounts counts;
  {
    const GilRelease release;
    const TermLists queries = queries_of(ids_view, offsets_view, owned.scorer().index().n_terms(), weights_view);
    const Searcher& searcher = algorithm == "exhaustive" ? owned.bare() : owned.quantise();
    search(searcher, queries, k, threads, algorithm, where ? &filter : nullptr, scores_room, docs_room, &counts);
  }
  return py::make_tuple(scores, docs, to_dict(counts));
}

Array<float> score_batch(const OwnedScorer& owned, const Array<TermId>& ids, const Array<std::int64_t>& offsets,
                         const Array<std::int64_t>& docs, unsigned threads, const Weights& weights) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  const auto docs_view = flat(docs);
  const auto weights_view = flat_weights(weights);
  Array<float> scores(std::vector<py::ssize_t>(docs.shape(), docs.shape() + docs.ndim()));
  const auto scores_room = room(scores);
  {
    const GilRelease release;
    const TermLists queries = queries_of(ids_view, offsets_view, owned.scorer().index().n_terms(), weights_view);
    score(owned.scorer(), queries, docs_view, threads, scores_room);
  }
  return scores;
}

// Rows (term, tf, df, idf, weight, part) for a query of known or unknown terms.
py::list explain_one(const OwnedScorer& owned, const Array<TermId>& ids, std::int64_t doc, const Weights& weights) {
  const std::array<std::int64_t, 2> offsets{0, static_cast<std::int64_t>(ids.size())};
  const TermLists query = queries_of(flat(ids), offsets, owned.scorer().index().n_terms(), flat_weights(weights));
  py::list rows;
  for (const TermPart& part : explain(owned.scorer(), query, 0, doc)) {
    rows.append(py::make_tuple(part.term, part.tf, part.df, part.idf, part.weight, part.part));
  }
  return rows;
}

}  // namespace

void bind_lexical(py::module_& m) {
  m.def("bm25_variants", &bm25_variants, "Names of the BM25 variants.");
  m.def("query_algorithms", &query_algorithms, "Names of the query algorithms; all give the same answer.");
  m.def("build_inverted_arrays", &build, py::arg("ids").noconvert(), py::arg("offsets").noconvert(), py::arg("n_terms"),
        "Return (term_offsets, docs, tfs, doc_lengths) of documents given as term ids.");

  py::class_<Bm25Options>(m, "Bm25Options", "A BM25 variant with every option checked and filled in.")
      .def(py::init([](std::string variant, double k1, double b, std::optional<double> delta,
                       std::optional<std::string> log_base) {
             return resolve_bm25_options({std::move(variant), k1, b, delta, std::move(log_base)});
           }),
           py::arg("variant"), py::arg("k1"), py::arg("b"), py::arg("delta"), py::arg("log_base"))
      .def_readonly("variant", &Bm25Options::variant)
      .def_readonly("k1", &Bm25Options::k1)
      .def_readonly("b", &Bm25Options::b)
      .def_readonly("delta", &Bm25Options::delta)
      .def_readonly("log_base", &Bm25Options::log_base);

  py::class_<TfidfOptions>(m, "TfidfOptions", "The SMART switches of tf-idf with every option checked and filled in.")
      .def(py::init(
               [](std::string smart, std::string log_base, std::optional<double> slope, std::optional<double> alpha) {
                 return resolve_tfidf_options({std::move(smart), std::move(log_base), slope, alpha});
               }),
           py::arg("smart"), py::arg("log_base"), py::arg("slope"), py::arg("alpha"))
      .def_readonly("smart", &TfidfOptions::smart)
      .def_readonly("log_base", &TfidfOptions::log_base)
      .def_readonly("slope", &TfidfOptions::slope)
      .def_readonly("alpha", &TfidfOptions::alpha)
      .def_readonly("needs_text_bytes", &TfidfOptions::needs_text_bytes);

  py::class_<OwnedIndex>(m, "InvertedIndex", "A checked, read-only view over the arrays of an inverted index.")
      .def(py::init(&own_index), py::arg("term_offsets").noconvert(), py::arg("docs").noconvert(),
           py::arg("tfs").noconvert(), py::arg("doc_lengths").noconvert())
      .def_static("numbered", &own_numbers, py::arg("term_offsets").noconvert(), py::arg("docs").noconvert(),
                  py::arg("numbers").noconvert(), py::arg("n_docs"),
                  "An index whose postings hold other numbers than occurrences.")
      .def_property_readonly("n_terms", [](const OwnedIndex& self) { return self.index->n_terms(); });

  py::class_<OwnedScorer>(m, "LexicalScorer", "Ranks the documents of an inverted index by one scoring formula.")
      .def_static(
          "bm25",
          [](const OwnedIndex& owned, const Bm25Options& options) {
            const GilRelease release;
            return std::make_unique<OwnedScorer>(make_bm25_scorer(*owned.index, options));
          },
          py::arg("index"), py::arg("options"), py::keep_alive<0, 1>())
      .def_static(
          "tfidf",
          [](const OwnedIndex& owned, const TfidfOptions& options,
             const std::optional<Array<std::uint32_t>>& text_bytes) {
            const auto bytes = text_bytes ? flat(*text_bytes) : std::span<const std::uint32_t>();
            const GilRelease release;
            return std::make_unique<OwnedScorer>(make_tfidf_scorer(*owned.index, options, bytes));
          },
          py::arg("index"), py::arg("options"), py::arg("text_bytes").noconvert() = py::none(), py::keep_alive<0, 1>())
      .def_static(
          "log_count",
          [](const OwnedIndex& owned) {
            const GilRelease release;
            return std::make_unique<OwnedScorer>(make_log_count_scorer(*owned.index));
          },
          py::arg("index"), py::keep_alive<0, 1>())
      .def_static(
          "weights",
          [](const OwnedIndex& owned) {
            const GilRelease release;
            return std::make_unique<OwnedScorer>(make_weight_scorer(*owned.index));
          },
          py::arg("index"), py::keep_alive<0, 1>())
      .def_static("bm25f", &bm25f, py::arg("index"), py::arg("combinations").noconvert(),
                  py::arg("field_lengths").noconvert(), py::arg("weights"), py::arg("bs"), py::arg("k1"),
                  py::keep_alive<0, 1>())
      .def(
          "quantise",
          [](OwnedScorer& self) {
            const GilRelease release;
            self.quantise();
          },
          "Make the quantised postings, once; search does so where its algorithm needs them.")
      .def_property_readonly(
          "is_quantised", [](const OwnedScorer& self) { return self.made() != nullptr; },
          "Whether the quantised postings are made.")
      .def_property_readonly(
          "fast_bytes", [](const OwnedScorer& owned) { return owned.made() ? owned.made()->n_bytes() : 0; },
          "Memory of the quantised postings; 0 before they are made.")
      .def("search", &search_batch, py::arg("ids").noconvert(), py::arg("offsets").noconvert(), py::arg("k"),
           py::arg("threads"), py::arg("algorithm") = "auto", py::arg("where").noconvert() = py::none(),
           py::arg("weights").noconvert() = py::none(),
           "Return (scores float32 [Q, k], docs int64 [Q, k], counts), padded with -inf and -1.")
      .def("score", &score_batch, py::arg("ids").noconvert(), py::arg("offsets").noconvert(),
           py::arg("docs").noconvert(), py::arg("threads"), py::arg("weights").noconvert() = py::none(),
           "Return float32 scores in the shape of docs.")
      .def("explain", &explain_one, py::arg("ids").noconvert(), py::arg("doc"),
           py::arg("weights").noconvert() = py::none(), "Return rows (term, tf, df, idf, weight, part).");
}

}  // namespace twotower::bindings
