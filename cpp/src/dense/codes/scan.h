// What one task of a search does: a range of rows against one query, or against a tile of queries.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "dense/codes/interval.h"
#include "dense/shared_floor.h"
#include "dense/top_k.h"
#include "kernels/kernels.h"
#include "twotower/dense_codes.h"

namespace twotower {

struct RowRange {
  std::size_t begin = 0;  // a multiple of kCodeRows
  std::size_t end = 0;
  std::size_t size() const noexcept { return end - begin; }
};

/// A batch of queries and all that they are searched in. Read by every task; the floors and counts are shared.
struct CodedSearch {
  const kernels::Kernels& kernels;
  VectorsView vectors;
  CodesView codes;
  const std::uint64_t* allowed;
  std::size_t k;
  const float* queries;                  // [Q, D]
  std::vector<std::int8_t> query_codes;  // [Q, 8 * n_groups]
  std::vector<CodedQuery> coded;         // [Q]
  std::vector<SharedFloor> floors;       // [Q]
  std::atomic<std::uint64_t> n_scanned{0};
  std::atomic<std::uint64_t> n_refined{0};
  std::atomic<std::uint64_t> n_rescored{0};

  std::size_t n_groups() const noexcept { return (vectors.dim + kernels::kCodeGroup - 1) / kernels::kCodeGroup; }
  std::size_t block_bytes() const noexcept { return n_groups() * kernels::kGroupBytes; }
  std::size_t byte_of(std::size_t row) const noexcept { return row / kernels::kCodeRows * block_bytes(); }
  const std::int8_t* codes_of(std::size_t q) const noexcept {
    return query_codes.data() + q * n_groups() * kernels::kCodeGroup;
  }
  bool is_allowed(std::size_t doc) const noexcept {
    return allowed == nullptr || (allowed[doc / 64] >> (doc % 64) & 1) != 0;
  }
};

/// The best k documents of a range for query q: upper halves for all rows, then lower halves, then the definition.
std::vector<ScoredDoc> scan_one(CodedSearch& search, std::size_t q, RowRange rows);

/// The same for the queries [first, first + n): whole bytes for all rows, then the definition.
std::vector<std::vector<ScoredDoc>> scan_many(CodedSearch& search, std::size_t first, std::size_t n, RowRange rows);

/// scan_many() by kernels that compare in registers. REQUIRES CodesKernels::panels.
std::vector<std::vector<ScoredDoc>> scan_panels(CodedSearch& search, std::size_t first, std::size_t n, RowRange rows);

}  // namespace twotower
