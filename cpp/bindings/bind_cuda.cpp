// Exact search on CUDA devices, for twotower/index alone, which has checked values, k and what arrays are.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "dense_names.h"
#include "device_array.h"
#include "twotower/cuda_search.h"
#include "twotower/error.h"

namespace twotower::bindings {
namespace {

// A searcher, and what it reads from while it lives.
class CudaSearcher {
 public:
  CudaSearcher(std::unique_ptr<cuda::FlatSearcher> searcher, int device, std::size_t dim, std::size_t n_docs,
               py::object kept)
      : searcher_(std::move(searcher)), device_(device), dim_(dim), n_docs_(n_docs), kept_(std::move(kept)) {}

  std::int64_t odd_row() const { return searcher_->odd_row(); }
  bool resident() const { return searcher_->resident(); }

  py::tuple search(const Array<float>& queries, std::size_t k, const std::optional<Array<std::uint64_t>>& where) const {
    if (queries.ndim() != 2 || static_cast<std::size_t>(queries.shape(1)) != dim_) {
      throw InvalidInput("queries must be [Q, " + std::to_string(dim_) + "]");
    }
    const auto n_queries = static_cast<std::size_t>(queries.shape(0));
    const std::vector<py::ssize_t> shape{queries.shape(0), static_cast<py::ssize_t>(k)};
    Array<float> scores(shape);
    Array<std::int64_t> docs(shape);
    run({queries.data(), n_queries, Storage::kFloat32, false}, k, where, 0,
        {scores.mutable_data(), docs.mutable_data(), false});
    return py::make_tuple(scores, docs);
  }

  py::tuple search_on_device(std::uintptr_t queries, std::size_t n_queries, const std::string& storage, std::size_t k,
                             const std::optional<Array<std::uint64_t>>& where, std::uintptr_t stream) const {
    const auto* data = reinterpret_cast<const void*>(queries);
    if (n_queries != 0) searcher_->check_array(data);
    const std::size_t cells = n_queries * k;
    const std::shared_ptr<void> memory = searcher_->allocate(cells * (sizeof(std::int64_t) + sizeof(float)), stream);
    const std::shared_ptr<void> behind(memory, static_cast<std::int64_t*>(memory.get()) + cells);
    DeviceArray scores(behind, device_, n_queries, k, kDlFloat, 32);
    DeviceArray docs(memory, device_, n_queries, k, kDlInt, 64);
    run({data, n_queries, storage_of(storage), true}, k, where, stream,
        {static_cast<float*>(scores.data()), static_cast<std::int64_t*>(docs.data()), true});
    return py::make_tuple(scores, docs);
  }

 private:
  void run(const cuda::QueryArray& queries, std::size_t k, const std::optional<Array<std::uint64_t>>& where,
           std::uintptr_t stream, const cuda::ResultArrays& results) const {
    if (where && static_cast<std::size_t>(where->size()) != (n_docs_ + 63) / 64) {
      throw InvalidInput("where must have one bit a document");
    }
    const std::uint64_t* words = where ? where->data() : nullptr;
    const GilRelease release;
    searcher_->search(queries, k, words, stream, results);
  }

  std::unique_ptr<cuda::FlatSearcher> searcher_;
  int device_;
  std::size_t dim_, n_docs_;
  py::object kept_;
};

StoredVectors host_rows(const py::array& vectors, const std::optional<Array<float>>& scales,
                        const std::string& storage) {
  if (vectors.ndim() != 2 || (vectors.flags() & py::array::c_style) == 0) {
    throw InvalidInput("vectors must be C-contiguous [N, D]");
  }
  StoredVectors rows(vectors.data(), static_cast<std::size_t>(vectors.shape(0)),
                     static_cast<std::size_t>(vectors.shape(1)), storage_of(storage),
                     scales ? scales->data() : nullptr);
  if (static_cast<std::size_t>(vectors.nbytes()) != rows.n_docs * rows.row_bytes()) {
    throw InvalidInput("vectors are not elements of their storage");
  }
  if (rows.storage == Storage::kInt8 && (!scales || static_cast<std::size_t>(scales->size()) != rows.n_docs)) {
    throw InvalidInput("one scale a vector is needed");
  }
  return rows;
}

cuda::SearchLimits limits_of(std::uint32_t capacity, std::uint64_t window_docs) { return {capacity, window_docs, 0}; }

CudaSearcher of_host_rows(const py::array& vectors, const std::optional<Array<float>>& scales,
                          const std::string& storage, const std::string& metric, int device, std::uint32_t capacity,
                          std::uint64_t window_docs) {
  const StoredVectors rows = host_rows(vectors, scales, storage);
  const Metric measure = metric_of(metric);
  std::unique_ptr<cuda::FlatSearcher> searcher;
  {
    const GilRelease release;
    searcher = cuda::make_searcher(rows, measure, false, 0, device, limits_of(capacity, window_docs));
  }
  return {std::move(searcher), device, rows.dim, rows.n_docs, py::make_tuple(vectors, scales)};
}

CudaSearcher of_device_rows(std::uintptr_t vectors, std::size_t n_docs, std::size_t dim, const std::string& storage,
                            const std::string& metric, int device, std::uintptr_t stream) {
  const StoredVectors rows(reinterpret_cast<const void*>(vectors), n_docs, dim, storage_of(storage), nullptr);
  if (rows.storage == Storage::kInt8) throw InvalidInput("int8 rows need scales: build the index on the host");
  const Metric measure = metric_of(metric);
  std::unique_ptr<cuda::FlatSearcher> searcher;
  {
    const GilRelease release;
    searcher = cuda::make_searcher(rows, measure, true, stream, device, {});
  }
  return {std::move(searcher), device, dim, n_docs, py::none()};
}

CudaSearcher emulated(const py::array& vectors, const std::optional<Array<float>>& scales, const std::string& storage,
                      const std::string& metric, std::uint32_t capacity, std::uint64_t window_docs, bool groups,
                      bool backward) {
  const StoredVectors rows = host_rows(vectors, scales, storage);
  auto searcher =
      cuda::make_emulated_searcher(rows, metric_of(metric), groups, backward, limits_of(capacity, window_docs));
  return {std::move(searcher), 0, rows.dim, rows.n_docs, py::make_tuple(vectors, scales)};
}

}  // namespace

void bind_cuda(py::module_& m) {
  bind_device_array(m);
  py::class_<CudaSearcher>(m, "CudaSearcher", "Stored vectors on a CUDA device, ready to be searched exactly.")
      .def_static("of_host_rows", &of_host_rows, py::arg("vectors"), py::arg("scales").noconvert() = py::none(),
                  py::arg("storage") = "float32", py::arg("metric") = "inner_product", py::arg("device") = 0,
                  py::arg("capacity") = 0, py::arg("window_docs") = 0)
      .def_static("of_device_rows", &of_device_rows, py::arg("vectors"), py::arg("n_docs"), py::arg("dim"),
                  py::arg("storage"), py::arg("metric"), py::arg("device"), py::arg("stream"))
      .def_static("emulated", &emulated, py::arg("vectors"), py::arg("scales").noconvert() = py::none(),
                  py::arg("storage") = "float32", py::arg("metric") = "inner_product", py::arg("capacity") = 0,
                  py::arg("window_docs") = 0, py::arg("groups") = false, py::arg("backward") = false,
                  "The same kernels on the host, slowly: for checks.")
      .def("odd_row", &CudaSearcher::odd_row, "The first row that is not finite, or -1.")
      .def("resident", &CudaSearcher::resident, "Whether all rows are on the device.")
      .def("search", &CudaSearcher::search, py::arg("queries").noconvert(), py::arg("k"),
           py::arg("where").noconvert() = py::none(), "(scores float32 [Q, k], docs int64 [Q, k])")
      .def("search_on_device", &CudaSearcher::search_on_device, py::arg("queries"), py::arg("n_queries"),
           py::arg("storage"), py::arg("k"), py::arg("where").noconvert() = py::none(), py::arg("stream") = 0,
           "The same for queries on the device; results stay there.");
}

}  // namespace twotower::bindings
