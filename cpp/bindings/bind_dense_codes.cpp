// Exact dense search from codes, for twotower/index alone, which has checked values and k.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "twotower/dense_codes.h"
#include "twotower/error.h"

namespace twotower::bindings {
namespace {

using Bytes = Array<std::uint8_t>;
using Words = Array<std::uint64_t>;
using Floats = Array<float>;

VectorsView coded_vectors(const Floats& vectors) {
  if (vectors.ndim() != 2 || vectors.shape(1) == 0) throw InvalidInput("vectors must be [N, D] with D above 0");
  if (static_cast<std::uint64_t>(vectors.shape(0)) > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidInput("an index holds at most 2^32 - 1 vectors: split the corpus");
  }
  if (static_cast<std::size_t>(vectors.shape(1)) > kMaxCodedDim) {
    throw InvalidInput("vectors have " + std::to_string(vectors.shape(1)) + " dimensions; codes hold at most " +
                       std::to_string(kMaxCodedDim) + ": use FlatIndex");
  }
  return {vectors.data(), static_cast<std::size_t>(vectors.shape(0)), static_cast<std::size_t>(vectors.shape(1))};
}

void check_size(const py::array& array, std::size_t size, const char* name) {
  if (static_cast<std::size_t>(array.size()) != size) {
    throw InvalidInput(std::string(name) + " has " + std::to_string(array.size()) + " elements instead of " +
                       std::to_string(size));
  }
}

py::tuple make(const Floats& vectors, const Floats& mean, unsigned threads) {
  const VectorsView view = coded_vectors(vectors);
  check_size(mean, view.dim, "mean");
  const auto bytes = static_cast<py::ssize_t>(plane_bytes(view.n_docs, view.dim));
  const auto n = static_cast<py::ssize_t>(view.n_docs);
  Bytes high(bytes), low(bytes);
  Floats scales(n), coarse(n), fine(n);
  std::uint8_t *to_high = high.mutable_data(), *to_low = low.mutable_data();
  float *to_scales = scales.mutable_data(), *to_coarse = coarse.mutable_data(), *to_fine = fine.mutable_data();
  {
    const GilRelease release;
    make_codes(view, mean.data(), threads, to_high, to_low, to_scales, to_coarse, to_fine);
  }
  return py::make_tuple(high, low, scales, coarse, fine);
}

/// The arrays of one index: checked once, kept alive while it lives.
class DenseCodes {
 public:
  DenseCodes(Floats vectors, Bytes high, Bytes low, Floats scales, Floats coarse, Floats fine, Floats mean)
      : view_(coded_vectors(vectors)), arrays_(py::make_tuple(vectors, high, low, scales, coarse, fine, mean)) {
    check_size(high, plane_bytes(view_.n_docs, view_.dim), "high");
    check_size(low, plane_bytes(view_.n_docs, view_.dim), "low");
    check_size(scales, view_.n_docs, "scales");
    check_size(coarse, view_.n_docs, "coarse_radii");
    check_size(fine, view_.n_docs, "fine_radii");
    check_size(mean, view_.dim, "mean");
    codes_ = {high.data(), low.data(), scales.data(), coarse.data(), fine.data(), mean.data()};
  }

  py::tuple search(const Floats& queries, std::size_t k, unsigned threads, const std::optional<Words>& allowed) const {
    const std::size_t n_queries = count(queries);
    if (allowed) check_size(*allowed, (view_.n_docs + 63) / 64, "allowed");
    const std::uint64_t* mask = allowed ? allowed->data() : nullptr;
    const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(n_queries), static_cast<py::ssize_t>(k)};
    Floats scores(shape);
    Array<std::int64_t> docs(shape);
    float* to_scores = scores.mutable_data();
    std::int64_t* to_docs = docs.mutable_data();
    CodesReport report;
    {
      const GilRelease release;
      report = coded_top_k(view_, codes_, mask, queries.data(), n_queries, k, threads, to_scores, to_docs);
    }
    return py::make_tuple(scores, docs, py::make_tuple(report.scanned, report.refined, report.rescored));
  }

  py::tuple intervals(const Floats& queries, bool coarse) const {
    const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(count(queries)),
                                         static_cast<py::ssize_t>(view_.n_docs)};
    Array<double> lower(shape), upper(shape);
    score_intervals(view_, codes_, queries.data(), count(queries), coarse, lower.mutable_data(), upper.mutable_data());
    return py::make_tuple(lower, upper);
  }

 private:
  std::size_t count(const Floats& queries) const {
    if (queries.ndim() != 2 || static_cast<std::size_t>(queries.shape(1)) != view_.dim) {
      throw InvalidInput("queries must be [Q, " + std::to_string(view_.dim) + "]");
    }
    return static_cast<std::size_t>(queries.shape(0));
  }

  VectorsView view_;
  CodesView codes_;
  py::tuple arrays_;
};

}  // namespace

void bind_dense_codes(py::module_& m) {
  m.def("dense_codes_make", &make, py::arg("vectors").noconvert(), py::arg("mean").noconvert(), py::arg("threads"),
        "(high uint8 [B], low uint8 [B], scales, coarse_radii and fine_radii float32 [N])");
  py::class_<DenseCodes>(m, "DenseCodes", "Codes of vectors and the vectors, for exact search.")
      .def(py::init<Floats, Bytes, Bytes, Floats, Floats, Floats, Floats>(), py::arg("vectors").noconvert(),
           py::arg("high").noconvert(), py::arg("low").noconvert(), py::arg("scales").noconvert(),
           py::arg("coarse_radii").noconvert(), py::arg("fine_radii").noconvert(), py::arg("mean").noconvert())
      .def("search", &DenseCodes::search, py::arg("queries").noconvert(), py::arg("k"), py::arg("threads"),
           py::arg("allowed").noconvert(),
           "(scores float32 [Q, k], docs int64 [Q, k], (rows scanned, refined, scored by the definition))")
      .def("intervals", &DenseCodes::intervals, py::arg("queries").noconvert(), py::arg("coarse"),
           "(lower, upper): float64 [Q, N], between which every score lies.");
}

}  // namespace twotower::bindings
