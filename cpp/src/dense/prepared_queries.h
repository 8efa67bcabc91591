// Queries in the form that the kernels of a storage read, with their error bounds. Shared by all threads of a search.
//
// Legend: Q queries, U 32-bit units of a query, B queries of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/query_limits.h"
#include "kernels/kernels.h"
#include "twotower/dense.h"

namespace twotower {

/// The kernels for rows that are stored as `vectors` are.
const kernels::ScanKernels& scan_kernels(const kernels::Kernels& kernels, const StoredVectors& vectors);

class PreparedQueries {
 public:
  /// `with_blocks`: also lay the queries out for panels.
  PreparedQueries(const kernels::ScanKernels& scan, const DenseView& view, const float* queries, std::size_t n_queries,
                  bool with_blocks);

  std::size_t size() const noexcept { return bounds_.size(); }

  /// Query q, filled up with zeros to kQueryAlign bytes.
  const void* row(std::size_t q) const noexcept { return rows_.data() + q * row_units_; }

  /// Block b of queries b * B to b * B + B - 1: [U, B], zeros where there are none.
  const void* block(std::size_t b) const noexcept { return blocks_.data() + b * row_units_ * block_queries_; }

  const QueryBound& bound(std::size_t q) const noexcept { return bounds_[q]; }

  /// Unit, factor and start of query q; its threshold is -infinity.
  const kernels::QueryLimit& limit(std::size_t q) const noexcept { return limits_[q]; }

 private:
  void lay_out_blocks();

  std::size_t row_units_;
  std::size_t block_queries_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> blocks_;
  std::vector<QueryBound> bounds_;
  std::vector<kernels::QueryLimit> limits_;
};

}  // namespace twotower
