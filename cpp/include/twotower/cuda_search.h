// Exact search on a CUDA device: the documents, scores and order of exact_top_k (twotower/dense.h), bit for bit but for
// the sign of a zero.
//
// cuda/cuda_search.cu implements make_searcher() where nvcc was found, cuda/no_cuda.cpp elsewhere. The emulated
// searcher is always there: it runs the source of the same kernels on the host, to check them where there is no device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "twotower/dense.h"

namespace twotower::cuda {

/// Queries [Q, D], row after row, in memory of the host or of the searcher's device.
struct QueryArray {
  const void* data = nullptr;
  std::size_t n = 0;
  Storage storage = Storage::kFloat32;  ///< not kInt8
  bool on_device = false;
};

/// Where scores and docs [Q, k] go: memory of the host or of the searcher's device.
struct ResultArrays {
  float* scores = nullptr;
  std::int64_t* docs = nullptr;
  bool on_device = false;
};

/// What a search may use; zeros choose.
struct SearchLimits {
  std::uint32_t capacity = 0;      ///< slots for survivors of a query
  std::uint64_t window_docs = 0;   ///< documents on the device at once
  std::uint64_t memory_bytes = 0;  ///< of the device, in all
};

/// Stored vectors, ready to be searched on one device. Immutable; searches may run at the same time.
class FlatSearcher {
 public:
  FlatSearcher() = default;
  FlatSearcher(const FlatSearcher&) = delete;
  FlatSearcher& operator=(const FlatSearcher&) = delete;
  virtual ~FlatSearcher() = default;

  /// The first row that is not finite, or -1; -1 for rows that are not resident.
  virtual std::int64_t odd_row() const = 0;

  /// Whether all rows are on the device; else they are streamed from the host in each search.
  virtual bool resident() const noexcept = 0;

  /// Memory of the device, for results of a search on `stream`. Whoever lets it go waits for the device. THROWS
  /// BackendUnavailable.
  virtual std::shared_ptr<void> allocate(std::size_t bytes, std::uintptr_t stream) const = 0;

  /// THROWS BackendUnavailable unless the device can read there.
  virtual void check_array(const void* pointer) const = 0;

  /// Fills `results` with the best k documents of each query, padded with -infinity and -1. Work is put on `stream` (a
  /// cudaStream_t; 0: one of the searcher's own) and finished when the call returns.
  ///
  /// `where` is in host memory, one bit a document, or nullptr. THROWS InvalidInput for a query that is not finite,
  /// BackendUnavailable where memory does not suffice or the device fails, Interrupted.
  virtual void search(const QueryArray& queries, std::size_t k, const std::uint64_t* where, std::uintptr_t stream,
                      const ResultArrays& results) const = 0;
};

/// A searcher of `vectors` on a device. Rows of the host that do not fit are not copied: they must stay where they are.
/// Rows `on_device` are copied when what was put on `stream` is done. THROWS BackendUnavailable where there is no CUDA
/// in this build, no driver, no such device, or too little memory.
std::unique_ptr<FlatSearcher> make_searcher(const StoredVectors& vectors, Metric metric, bool on_device,
                                            std::uintptr_t stream, int device, const SearchLimits& limits);

/// The same on the host. `groups`: with the kernels of compute capability 9.0; `backward`: threads and blocks in the
/// opposite order. Slow: for checks.
std::unique_ptr<FlatSearcher> make_emulated_searcher(const StoredVectors& vectors, Metric metric, bool groups,
                                                     bool backward, const SearchLimits& limits);

}  // namespace twotower::cuda
