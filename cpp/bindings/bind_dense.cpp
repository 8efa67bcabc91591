// Exact dense search, for twotower/index alone, which has checked values and k.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "dense_names.h"
#include "twotower/dense.h"
#include "twotower/error.h"

namespace twotower::bindings {
namespace {

// Stored rows with what a search needs to know of them. Holds the arrays; immutable.
class DenseIndex {
 public:
  DenseIndex(const py::array& vectors, const std::optional<Array<float>>& scales, const std::string& storage,
             const std::string& metric, unsigned threads)
      : vectors_(vectors), scales_(scales.value_or(Array<float>(0))), metric_(metric_of(metric)) {
    StoredVectors stored(vectors.data(), 0, 0, storage_of(storage), scales ? scales->data() : nullptr);
    check(vectors, stored.storage);
    stored.n_docs = static_cast<std::size_t>(vectors.shape(0));
    stored.dim = static_cast<std::size_t>(vectors.shape(1));
    const auto n = static_cast<py::ssize_t>(stored.n_docs);
    if (stored.storage == Storage::kInt8 && scales_.size() != n) throw InvalidInput("one scale a vector is needed");
    limits_ = Array<float>({py::ssize_t{3}, n});
    squares_ = Array<double>(n);
    float* room = limits_.mutable_data();
    if (stored.storage == Storage::kInt8) start_ = Array<std::int32_t>(n);
    std::int32_t* start = stored.storage == Storage::kInt8 ? start_.mutable_data() : nullptr;
    view_ = {stored, metric_, {room, room + n, room + 2 * n, squares_.mutable_data(), start}};
    const GilRelease release;
    doc_limits(stored, metric_, threads, view_.limits);
  }

  // The first row that is not finite, or -1.
  std::int64_t odd_row() const {
    for (std::size_t n = 0; n < view_.vectors.n_docs; ++n) {
      if (view_.limits.norm[n] != view_.limits.norm[n]) return static_cast<std::int64_t>(n);
    }
    return -1;
  }

  py::tuple search(const Array<float>& queries, std::size_t k, unsigned threads,
                   const std::optional<Array<std::uint64_t>>& where) const {
    const std::size_t n_queries = n_queries_of(queries);
    if (where && static_cast<std::size_t>(where->size()) != (view_.vectors.n_docs + 63) / 64) {
      throw InvalidInput("where must have one bit a document");
    }
    const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(n_queries), static_cast<py::ssize_t>(k)};
    Array<float> scores(shape);
    Array<std::int64_t> docs(shape);
    float* out_scores = scores.mutable_data();
    std::int64_t* out_docs = docs.mutable_data();
    {
      const GilRelease release;
      exact_top_k(view_, queries.data(), n_queries, k, threads, where ? where->data() : nullptr, out_scores, out_docs);
    }
    return py::make_tuple(scores, docs);
  }

  Array<float> score(const Array<float>& queries, const Array<std::int64_t>& docs, unsigned threads) const {
    const std::size_t n_queries = n_queries_of(queries);
    if (docs.ndim() != 2 || static_cast<std::size_t>(docs.shape(0)) != n_queries) {
      throw InvalidInput("docs must be [Q, C], one row a query");
    }
    for (const std::int64_t doc : flat(docs)) {
      if (doc < -1 || doc >= static_cast<std::int64_t>(view_.vectors.n_docs)) {
        throw InvalidInput("docs has a DocId out of range");
      }
    }
    Array<float> scores({docs.shape(0), docs.shape(1)});
    float* out = scores.mutable_data();
    const GilRelease release;
    exact_scores(view_, queries.data(), n_queries, docs.data(), static_cast<std::size_t>(docs.shape(1)), threads, out);
    return scores;
  }

 private:
  static void check(const py::array& vectors, Storage storage) {
    const py::dtype wanted = storage == Storage::kFloat32 ? py::dtype::of<float>()
                             : storage == Storage::kInt8  ? py::dtype::of<std::int8_t>()
                                                          : py::dtype::of<std::uint16_t>();
    if (!vectors.dtype().is(wanted) || (vectors.flags() & py::array::c_style) == 0) {
      throw InvalidInput("vectors are not C-contiguous elements of their storage");
    }
    if (vectors.ndim() != 2 || vectors.shape(1) == 0) throw InvalidInput("vectors must be [N, D] with D above 0");
    if (static_cast<std::uint64_t>(vectors.shape(0)) > std::numeric_limits<std::uint32_t>::max()) {
      throw InvalidInput("an index holds at most 2^32 - 1 vectors: split the corpus");
    }
  }

  std::size_t n_queries_of(const Array<float>& queries) const {
    if (queries.ndim() != 2 || static_cast<std::size_t>(queries.shape(1)) != view_.vectors.dim) {
      throw InvalidInput("queries must be [Q, " + std::to_string(view_.vectors.dim) + "]");
    }
    return static_cast<std::size_t>(queries.shape(0));
  }

  py::array vectors_;
  Array<float> scales_;
  Metric metric_;
  Array<float> limits_;
  Array<double> squares_;
  Array<std::int32_t> start_;
  DenseView view_;
};

}  // namespace

void bind_dense(py::module_& m) {
  py::class_<DenseIndex>(m, "DenseIndex", "Stored vectors, ready to be searched exactly.")
      .def(py::init<const py::array&, const std::optional<Array<float>>&, const std::string&, const std::string&,
                    unsigned>(),
           py::arg("vectors"), py::arg("scales").noconvert() = py::none(), py::arg("storage") = "float32",
           py::arg("metric") = "inner_product", py::arg("threads") = 0)
      .def("odd_row", &DenseIndex::odd_row, "The first row that is not finite, or -1.")
      .def("search", &DenseIndex::search, py::arg("queries").noconvert(), py::arg("k"), py::arg("threads"),
           py::arg("where").noconvert() = py::none(), "(scores float32 [Q, k], docs int64 [Q, k])")
      .def("score", &DenseIndex::score, py::arg("queries").noconvert(), py::arg("docs").noconvert(), py::arg("threads"),
           "Exact scores float32 [Q, C] of DocIds; -1 gives -inf.");
}

}  // namespace twotower::bindings
