// Queries in the form that the kernels of a storage read, with their error bounds. Shared by all threads of a search.
//
// Legend: Q queries, U 32-bit units of a query, W queries of a panel.
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

/// Queries first .. first + n - 1, laid out [U, width]; the rest of the width is zeros.
struct QueryPanel {
  std::size_t first;
  std::size_t n;
  std::size_t width;
  std::uint32_t* units;  ///< aligned to 64 bytes
};

class PreparedQueries {
 public:
  /// `with_panels`: also lay the queries out for ScanKernels::scan_panel.
  PreparedQueries(const kernels::ScanKernels& scan, const DenseView& view, const float* queries, std::size_t n_queries,
                  bool with_panels, unsigned threads, RowForm rows = RowForm::kStored);
  PreparedQueries(const PreparedQueries&) = delete;
  PreparedQueries& operator=(const PreparedQueries&) = delete;

  std::size_t size() const noexcept { return bounds_.size(); }

  /// Query q, filled up with zeros to kQueryAlign bytes.
  const void* row(std::size_t q) const noexcept { return rows_.data() + q * row_units_; }

  const std::vector<QueryPanel>& panels() const noexcept { return panels_; }

  const QueryBound& bound(std::size_t q) const noexcept { return bounds_[q]; }

  /// By query, and zeros for the rest of the last panel.
  const std::vector<float>& units() const noexcept { return units_; }
  const std::vector<float>& factors() const noexcept { return factors_; }

 private:
  void lay_out_panels(const kernels::ScanKernels& scan, unsigned threads);

  std::size_t row_units_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> room_;  // of the panels
  std::vector<QueryPanel> panels_;
  std::vector<QueryBound> bounds_;
  std::vector<float> units_;
  std::vector<float> factors_;
};

}  // namespace twotower
