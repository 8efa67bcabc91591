// Exact inner-product search over float32 vectors.
//
// The score of a document is the sum over dimensions, from 0 up, of float64(query[d]) * float64(vector[d]) in float64,
// rounded once to float32. The order is (score descending, DocId ascending). A fast float32 pass with a proven error
// bound (docs/math.md, section 1) finds candidates, and those are scored by the definition: so every instruction set
// and every number of threads gives the same documents, scores and order, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower {

/// N vectors of D dimensions that someone else owns: row-major, finite. DocId n is row n. N < 2^32 and D >= 1.
struct VectorsView {
  const float* data = nullptr;
  std::size_t n_docs = 0;
  std::size_t dim = 0;

  const float* row(std::size_t doc) const noexcept { return data + doc * dim; }
};

/// Fills bounds[n] with a float32 that is not below the Euclidean norm of row n (it may be infinity), and is NaN if and
/// only if the row has an element that is not finite. Cost: one pass over the vectors. THROWS Interrupted.
void norm_bounds(const VectorsView& vectors, unsigned threads, float* bounds);

/// Fills scores and docs [n_queries, k] with the best k documents of each query, padded with -infinity and -1.
///
/// REQUIRES finite queries [n_queries, vectors.dim] and `bounds` as norm_bounds() made them, without NaN. Thread-safe.
/// Cost: n_queries * N * D multiplications in float32, and a few times k * log(N / k) * D in float64 for each query;
/// memory O(n_queries * k) for each block of rows, never N * n_queries. Many exactly equal or almost equal vectors at
/// the k-th place cost more float64, never a different answer. THROWS Interrupted.
void exact_top_k(const VectorsView& vectors, const float* bounds, const float* queries, std::size_t n_queries,
                 std::size_t k, unsigned threads, float* scores, std::int64_t* docs);

/// Fills scores [n_queries, n_docs] with the scores of the given DocIds [n_queries, n_docs]; -1 gives -infinity.
///
/// REQUIRES every DocId in [-1, N). Thread-safe. THROWS Interrupted.
void exact_scores(const VectorsView& vectors, const float* queries, std::size_t n_queries, const std::int64_t* docs,
                  std::size_t n_docs, unsigned threads, float* scores);

}  // namespace twotower
