// Exact search over vectors that are stored as float32, bfloat16, float16 or 8-bit integers.
//
// Whatever the storage, a stored element stands for a float32 number x, and scores are those of these numbers: sums
// over dimensions, from 0 up, in float64, each operation rounded; at last rounded once to float32.
//
//   inner product   sum of q[d] * x[d]
//   cosine          (sum of q[d] * x[d]) / (sqrt(sum of q[d]^2) * sqrt(sum of x[d]^2)); 0 if either root is 0
//   L2              minus the sum of (q[d] - x[d])^2: the nearest scores best
//
// The order is (score descending, DocId ascending). Fast products with a proven error bound (docs/math.md, section 1)
// leave few candidates, and those are scored by the definition: so every instruction set, number of threads and tiling
// gives the same documents, scores and order, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower {

/// N vectors of D float32 that someone else owns: row-major, finite. DocId n is row n. N < 2^32 and D >= 1.
struct VectorsView {
  const float* data = nullptr;
  std::size_t n_docs = 0;
  std::size_t dim = 0;

  const float* row(std::size_t doc) const noexcept { return data + doc * dim; }
};

enum class Storage : std::uint8_t {
  kFloat32,
  kBfloat16,  ///< the upper 16 bits of a float32
  kFloat16,   ///< IEEE 754 binary16
  kInt8,      ///< an integer times the row's scale, which has at most 16 significant bits: the product is a float32
};

enum class Metric : std::uint8_t { kInnerProduct, kCosine, kL2 };

/// N vectors of D stored elements that someone else owns: row-major, finite. N < 2^32 and D >= 1.
struct StoredVectors {
  const void* data = nullptr;
  std::size_t n_docs = 0;
  std::size_t dim = 0;
  Storage storage = Storage::kFloat32;
  const float* scales = nullptr;  ///< [N], of kInt8 only

  StoredVectors() = default;
  StoredVectors(const VectorsView& view) : data(view.data), n_docs(view.n_docs), dim(view.dim) {}  // NOLINT: the same
  StoredVectors(const void* rows, std::size_t n, std::size_t d, Storage kind, const float* row_scales)
      : data(rows), n_docs(n), dim(d), storage(kind), scales(row_scales) {}

  std::size_t row_bytes() const noexcept {
    return dim * (storage == Storage::kFloat32 ? 4 : storage == Storage::kInt8 ? 1 : 2);
  }
  const void* row(std::size_t doc) const noexcept { return static_cast<const char*>(data) + doc * row_bytes(); }
};

/// What a search knows of each document besides its row; made by doc_limits().
struct DocLimits {
  float* scale;     ///< [N] times a fast product: what the metric compares
  float* norm;      ///< [N] times a query's error factor: how far that can be off; NaN for a row that is not finite
  float* offset;    ///< [N] added to it
  double* squares;  ///< [N] sum of x[d]^2 by the definition
  std::int32_t* start = nullptr;  ///< [N], of Storage::kInt8 alone: -128 times the sum of the row's integers
};

/// Vectors with their limits, ready to be searched; owns nothing.
struct DenseView {
  StoredVectors vectors;
  Metric metric = Metric::kInnerProduct;
  DocLimits limits{};

  DenseView() = default;
  DenseView(const VectorsView& view) : vectors(view) {}  // NOLINT: inner products of float32, for exact scores alone
  DenseView(const StoredVectors& stored, Metric m, const DocLimits& l) : vectors(stored), metric(m), limits(l) {}
};

/// Fills `limits` for vectors. Cost: one pass over them in float64. THROWS Interrupted.
void doc_limits(const StoredVectors& vectors, Metric metric, unsigned threads, const DocLimits& limits);

/// Fills bounds[n] with a float32 that is not below the Euclidean norm of row n (it may be infinity), and is NaN if and
/// only if the row has an element that is not finite. Cost: one pass over the vectors. THROWS Interrupted.
void norm_bounds(const VectorsView& vectors, unsigned threads, float* bounds);

/// Fills scores and docs [n_queries, k] with the best k documents of each query, padded with -infinity and -1.
///
/// `where` has one bit a document, the first in the least bit of the first word: only documents whose bit is set are
/// found, and the others cost no products. nullptr: all documents. REQUIRES finite queries [n_queries, D] and rows, and
/// limits as doc_limits() made them. Thread-safe. Cost: n_queries * N * D fast products, about k * log(N / k) * D more
/// for each query, and little more than k * D in float64; memory O(n_queries * k * threads), never N * n_queries. Many
/// equal or almost equal scores at the k-th place cost more float64, never a different answer. THROWS Interrupted.
void exact_top_k(const DenseView& view, const float* queries, std::size_t n_queries, std::size_t k, unsigned threads,
                 const std::uint64_t* where, float* scores, std::int64_t* docs);

/// Fills scores [n_queries, n_docs] with the scores of the given DocIds [n_queries, n_docs]; -1 gives -infinity.
///
/// REQUIRES every DocId in [-1, N). Thread-safe. THROWS Interrupted.
void exact_scores(const DenseView& view, const float* queries, std::size_t n_queries, const std::int64_t* docs,
                  std::size_t n_docs, unsigned threads, float* scores);

}  // namespace twotower
