#include "dense/prepared_queries.h"

#include <limits>

namespace twotower {
namespace {

std::size_t row_units(kernels::QueryForm form, std::size_t dim) {
  const std::size_t element = form == kernels::QueryForm::kFloat32 ? 4 : form == kernels::QueryForm::kBfloat16 ? 2 : 1;
  constexpr std::size_t kAlign = kernels::kQueryAlign;
  return (dim * element + kAlign - 1) / kAlign * (kAlign / sizeof(std::uint32_t));
}

}  // namespace

const kernels::ScanKernels& scan_kernels(const kernels::Kernels& kernels, const StoredVectors& vectors) {
  const kernels::DenseKernels& dense = kernels.dense;
  switch (vectors.storage) {
    case Storage::kBfloat16:
      return dense.bfloat16;
    case Storage::kFloat16:
      return dense.float16;
    case Storage::kInt8:
      return dense.int8;
    case Storage::kFloat32:
      break;
  }
  return dense.float32;
}

PreparedQueries::PreparedQueries(const kernels::ScanKernels& scan, const DenseView& view, const float* queries,
                                 std::size_t n_queries, bool with_blocks)
    : row_units_(row_units(scan.form, view.vectors.dim)), block_queries_(scan.block_queries) {
  const std::size_t dim = view.vectors.dim;
  rows_.assign(n_queries * row_units_, 0);
  for (std::size_t q = 0; q < n_queries; ++q) {
    kernels::QueryLimit limit{};
    const float* query = queries + q * dim;
    const double lost = round_query(query, dim, scan.form, rows_.data() + q * row_units_, limit);
    bounds_.emplace_back(query, dim, scan.form, lost, view.metric);
    limit.factor = bounds_.back().factor();
    limit.threshold = -std::numeric_limits<float>::infinity();
    limits_.push_back(limit);
  }
  if (with_blocks) lay_out_blocks();
}

void PreparedQueries::lay_out_blocks() {
  const std::size_t n_blocks = (size() + block_queries_ - 1) / block_queries_;
  blocks_.assign(n_blocks * row_units_ * block_queries_, 0);
  for (std::size_t q = 0; q < size(); ++q) {
    std::uint32_t* out = blocks_.data() + q / block_queries_ * row_units_ * block_queries_ + q % block_queries_;
    for (std::size_t u = 0; u < row_units_; ++u) out[u * block_queries_] = rows_[q * row_units_ + u];
  }
}

}  // namespace twotower
