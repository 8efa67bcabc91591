// A batch of rows, coded as 8-bit integers on the way to a panel, with the limits that this gives them. Knows no query.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/row_batches.h"
#include "kernels/kernels.h"
#include "twotower/dense.h"

namespace twotower {

/// What codes the rows of this storage; nullptr where products of the stored elements are to be used.
using CodeRow = kernels::CodedRow (*)(const void* row, std::size_t dim, std::int8_t* codes) noexcept;
CodeRow code_row_of(const kernels::Kernels& kernels, const StoredVectors& vectors) noexcept;

class CodedBatch {
 public:
  /// REQUIRES that code_row_of() is not nullptr.
  CodedBatch(const kernels::Kernels& kernels, const StoredVectors& vectors);

  void code(const RowBatches& batch);

  const void* rows() const noexcept { return codes_.data(); }
  std::size_t stride() const noexcept { return stride_; }
  const kernels::RowLimits& limits() const noexcept { return limits_; }

 private:
  static constexpr std::size_t kRoom = kernels::kMaxScanRows;

  CodeRow code_row_;
  std::size_t dim_;
  std::size_t stride_;
  std::vector<std::int8_t> codes_;
  std::array<float, kRoom> scale_{}, radius_{};
  std::array<std::int32_t, kRoom> start_{};
  kernels::RowLimits limits_{};
};

}  // namespace twotower
