// Exact inner-product search over quantised vectors: the same documents, scores and order as twotower/dense.h.
//
// Each vector is centred, rotated and rounded to a scale and one byte a dimension. The upper halves of the bytes lie in
// one plane, the lower halves in another. A code gives an interval that surely contains the score (docs/math.md,
// section 3): rows whose upper end reaches the k-th best score by the upper halves alone are refined by the lower
// halves, and those that still reach it are scored by the definition. So the float32 vectors are read for few rows
// only, and may lie on disk while the codes are in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "twotower/dense.h"

namespace twotower {

/// Dimensions that codes can have: sums of a row stay below 2^31.
inline constexpr std::size_t kMaxCodedDim = 65536;

/// Bytes of one plane: rows padded to a multiple of 16, dimensions to a multiple of 8, half a byte each.
std::size_t plane_bytes(std::size_t n_docs, std::size_t dim) noexcept;

/// The codes of N vectors that someone else owns, as make_codes() made them.
struct CodesView {
  const std::uint8_t* high = nullptr;   // plane of the upper halves; its layout is in kernels/codes.h
  const std::uint8_t* low = nullptr;    // plane of the lower halves
  const float* scales = nullptr;        // [N]
  const float* coarse_radii = nullptr;  // [N]: of the interval by upper halves, for a query of norm 1
  const float* fine_radii = nullptr;    // [N]: of the interval by whole bytes
  const float* mean = nullptr;          // [D]: what was subtracted before the rotation
};

/// Fills planes (plane_bytes() each), scales and radii [N]. REQUIRES finite vectors and mean, dim <= kMaxCodedDim.
/// Cost: about 10 N D log D operations in float64. THROWS Interrupted.
void make_codes(const VectorsView& vectors, const float* mean, unsigned threads, std::uint8_t* high, std::uint8_t* low,
                float* scales, float* coarse_radii, float* fine_radii);

/// How many rows each stage saw, summed over queries.
struct CodesReport {
  std::uint64_t scanned = 0;   // rows scanned by codes
  std::uint64_t refined = 0;   // rows whose upper half did not decide (single queries; batches read whole bytes)
  std::uint64_t rescored = 0;  // rows scored by the definition
};

/// As exact_top_k() of twotower/dense.h, bit for bit, among the documents whose bit is set in `allowed`: bit n % 64 of
/// word n / 64 is document n (nullptr: all).
///
/// REQUIRES codes that make_codes() made of `vectors`, finite queries [n_queries, dim]. Thread-safe. The report depends
/// on threads and on the instruction set; the answer never does. Cost: N * D / 2 bytes for a single query, and N * D
/// integer multiplications for each query of a batch; memory 4 N bytes for each thread. THROWS Interrupted.
CodesReport coded_top_k(const VectorsView& vectors, const CodesView& codes, const std::uint64_t* allowed,
                        const float* queries, std::size_t n_queries, std::size_t k, unsigned threads, float* scores,
                        std::int64_t* docs);

/// Fills lower and upper [n_queries, N] with the ends of the interval of each score: by upper halves if `coarse`, else
/// by whole bytes. For tests and reports; the search itself uses the same numbers. REQUIRES as coded_top_k().
void score_intervals(const VectorsView& vectors, const CodesView& codes, const float* queries, std::size_t n_queries,
                     bool coarse, double* lower, double* upper);

}  // namespace twotower
