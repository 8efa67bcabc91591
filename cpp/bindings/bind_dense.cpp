// Exact dense search, for twotower/index alone, which has checked values and k.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <limits>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "twotower/dense.h"
#include "twotower/error.h"

namespace twotower::bindings {
namespace {

VectorsView view_of(const Array<float>& vectors) {
  if (vectors.ndim() != 2 || vectors.shape(1) == 0) throw InvalidInput("vectors must be [N, D] with D above 0");
  if (static_cast<std::uint64_t>(vectors.shape(0)) > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidInput("an index holds at most 2^32 - 1 vectors: split the corpus");
  }
  return {vectors.data(), static_cast<std::size_t>(vectors.shape(0)), static_cast<std::size_t>(vectors.shape(1))};
}

std::size_t n_queries_of(const Array<float>& queries, const VectorsView& vectors) {
  if (queries.ndim() != 2 || static_cast<std::size_t>(queries.shape(1)) != vectors.dim) {
    throw InvalidInput("queries must be [Q, " + std::to_string(vectors.dim) + "]");
  }
  return static_cast<std::size_t>(queries.shape(0));
}

Array<float> bounds(const Array<float>& vectors, unsigned threads) {
  const VectorsView view = view_of(vectors);
  Array<float> result(static_cast<py::ssize_t>(view.n_docs));
  float* out = result.mutable_data();
  const GilRelease release;
  norm_bounds(view, threads, out);
  return result;
}

py::tuple search(const Array<float>& vectors, const Array<float>& norms, const Array<float>& queries, std::size_t k,
                 unsigned threads) {
  const VectorsView view = view_of(vectors);
  const std::size_t n_queries = n_queries_of(queries, view);
  if (static_cast<std::size_t>(norms.size()) != view.n_docs) throw InvalidInput("one norm bound a vector is needed");
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(n_queries), static_cast<py::ssize_t>(k)};
  Array<float> scores(shape);
  Array<std::int64_t> docs(shape);
  float* out_scores = scores.mutable_data();
  std::int64_t* out_docs = docs.mutable_data();
  {
    const GilRelease release;
    exact_top_k(view, norms.data(), queries.data(), n_queries, k, threads, out_scores, out_docs);
  }
  return py::make_tuple(scores, docs);
}

Array<float> score(const Array<float>& vectors, const Array<float>& queries, const Array<std::int64_t>& docs,
                   unsigned threads) {
  const VectorsView view = view_of(vectors);
  const std::size_t n_queries = n_queries_of(queries, view);
  if (docs.ndim() != 2 || static_cast<std::size_t>(docs.shape(0)) != n_queries) {
    throw InvalidInput("docs must be [Q, C], one row a query");
  }
  for (const std::int64_t doc : flat(docs)) {
    if (doc < -1 || doc >= static_cast<std::int64_t>(view.n_docs)) throw InvalidInput("docs has a DocId out of range");
  }
  Array<float> scores({docs.shape(0), docs.shape(1)});
  float* out = scores.mutable_data();
  const GilRelease release;
  exact_scores(view, queries.data(), n_queries, docs.data(), static_cast<std::size_t>(docs.shape(1)), threads, out);
  return scores;
}

}  // namespace

void bind_dense(py::module_& m) {
  m.def("dense_norm_bounds", &bounds, py::arg("vectors").noconvert(), py::arg("threads"),
        "Upper bounds of the norms of the rows, float32 [N]; NaN where a row is not finite.");
  m.def("dense_search", &search, py::arg("vectors").noconvert(), py::arg("bounds").noconvert(),
        py::arg("queries").noconvert(), py::arg("k"), py::arg("threads"), "(scores float32 [Q, k], docs int64 [Q, k])");
  m.def("dense_scores", &score, py::arg("vectors").noconvert(), py::arg("queries").noconvert(),
        py::arg("docs").noconvert(), py::arg("threads"), "Exact scores float32 [Q, C] of DocIds; -1 gives -inf.");
}

}  // namespace twotower::bindings
