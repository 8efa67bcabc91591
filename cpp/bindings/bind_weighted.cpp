// Building postings of weighted terms, and of several fields, for python/twotower/index alone.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <tuple>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "twotower/fields.h"
#include "twotower/weighted_postings.h"

namespace twotower::bindings {
namespace {

py::tuple build_weighted(const Array<TermId>& ids, const Array<std::int64_t>& offsets, std::size_t n_terms,
                         const Array<float>& weights) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  const auto weights_view = flat(weights);
  WeightedArrays arrays;
  {
    const GilRelease release;
    arrays = build_weighted_arrays(TermLists(ids_view, offsets_view, n_terms, weights_view));
  }
  return py::make_tuple(to_numpy(std::move(arrays.term_offsets)), to_numpy(std::move(arrays.docs)),
                        to_numpy(std::move(arrays.weights)));
}

using FieldArrays = std::tuple<Array<std::int64_t>, Array<DocId>, Array<std::uint32_t>>;

py::tuple merge(const std::vector<FieldArrays>& fields) {
  std::vector<FieldPostings> views;
  for (const auto& [term_offsets, docs, tfs] : fields) views.push_back({flat(term_offsets), flat(docs), flat(tfs)});
  FieldedArrays arrays;
  {
    const GilRelease release;
    arrays = merge_fields(views);
  }
  return py::make_tuple(to_numpy(std::move(arrays.term_offsets)), to_numpy(std::move(arrays.docs)),
                        to_numpy(std::move(arrays.numbers)), to_numpy(std::move(arrays.combinations)));
}

}  // namespace

void bind_weighted(py::module_& m) {
  m.attr("most_weight") = static_cast<double>(kMostWeight);
  m.def("build_weighted_arrays", &build_weighted, py::arg("ids").noconvert(), py::arg("offsets").noconvert(),
        py::arg("n_terms"), py::arg("weights").noconvert(), "Return (term_offsets, docs, weights) of sparse vectors.");
  m.def("merge_fields", &merge, py::arg("fields").noconvert(),
        "Return (term_offsets, docs, numbers, combinations) of the fields' (term_offsets, docs, tfs).");
}

}  // namespace twotower::bindings
