#include "dense/prepared_queries.h"

#include <algorithm>

#include "dense/default_float_environment.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kFewQueries = 64;  // are rounded before another thread wakes
constexpr std::size_t kLine = kernels::kQueryAlign;

std::size_t row_units(kernels::QueryForm form, std::size_t dim) {
  const std::size_t element = form == kernels::QueryForm::kFloat32 ? 4 : form == kernels::QueryForm::kBfloat16 ? 2 : 1;
  return (dim * element + kLine - 1) / kLine * (kLine / sizeof(std::uint32_t));
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
                                 std::size_t n_queries, bool with_panels, unsigned threads, RowForm rows)
    : row_units_(row_units(scan.form, view.vectors.dim)) {
  const std::size_t dim = view.vectors.dim;
  rows_.assign(n_queries * row_units_, 0);
  units_.assign(n_queries + kernels::kMaxPanelWidth, 0.0f);
  factors_ = units_;
  bounds_.resize(n_queries);
  if (n_queries < kFewQueries) threads = 1;
  parallel_for(n_queries, threads, [&](std::size_t q) {
    const DefaultFloatEnvironment environment;
    const float* query = queries + q * dim;
    const double lost = round_query(query, dim, scan.form, rows_.data() + q * row_units_, units_[q]);
    bounds_[q] = QueryBound(query, dim, scan.form, lost, view.metric, rows);
    factors_[q] = bounds_[q].factor();
  });
  if (with_panels) lay_out_panels(scan, threads);
}

void PreparedQueries::lay_out_panels(const kernels::ScanKernels& scan, unsigned threads) {
  const std::size_t lanes = (size() + scan.lanes - 1) / scan.lanes * scan.lanes;
  room_.assign(lanes * row_units_ + kLine / sizeof(std::uint32_t), 0);
  const auto address = reinterpret_cast<std::uintptr_t>(room_.data());
  std::uint32_t* out = room_.data() + (kLine - address % kLine) % kLine / sizeof(std::uint32_t);
  for (std::size_t first = 0; first < size();) {
    const std::size_t width = std::min(scan.max_width, lanes - first);
    panels_.push_back({first, std::min(width, size() - first), width, out});
    out += width * row_units_;
    first += width;
  }
  parallel_for(panels_.size(), threads, [&](std::size_t p) {
    const QueryPanel& panel = panels_[p];
    for (std::size_t q = 0; q < panel.n; ++q) {
      const std::uint32_t* row = rows_.data() + (panel.first + q) * row_units_;
      for (std::size_t u = 0; u < row_units_; ++u) panel.units[u * panel.width + q] = row[u];
    }
  });
}

}  // namespace twotower
