// Documents in batches that a kernel takes at once: their numbers, rows and limits. Knows the filter; knows no query.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"
#include "twotower/dense.h"

namespace twotower {

/// Documents [begin, end) that the filter allows, in ascending order, `most` at a time.
class RowBatches {
 public:
  RowBatches(const DenseView& view, const std::uint64_t* where, std::size_t begin, std::size_t end, std::size_t most)
      : view_(view), where_(where), next_(begin), end_(end), most_(most) {}

  /// Takes the next batch; false where none is left.
  bool advance() {
    if (where_ == nullptr) return take_all();
    size_ = 0;
    while (size_ < most_ && next_ < end_) take_allowed();
    for (std::size_t i = 0; i < size_; ++i) {
      rows_[i] = view_.vectors.row(docs_[i]);
      scale_[i] = view_.limits.scale[docs_[i]];
      norm_[i] = view_.limits.norm[docs_[i]];
      offset_[i] = view_.limits.offset[docs_[i]];
      if (view_.limits.start != nullptr) start_[i] = view_.limits.start[docs_[i]];
    }
    limits_ = {scale_.data(), norm_.data(), offset_.data(), start_.data()};
    return size_ > 0;
  }

  std::size_t size() const noexcept { return size_; }
  std::uint32_t doc(std::size_t i) const noexcept {
    return where_ == nullptr ? static_cast<std::uint32_t>(next_ - size_ + i) : docs_[i];
  }
  const void* const* rows() const noexcept { return rows_.data(); }
  const kernels::RowLimits& limits() const noexcept { return limits_; }

  /// Whether the rows lie one after another.
  bool contiguous() const noexcept { return doc(size_ - 1) - doc(0) + 1 == size_; }

  /// Where the rows of the next batch lie, unless the filter leaves some out.
  const char* ahead() const noexcept { return static_cast<const char*>(view_.vectors.row(next_)); }

 private:
  // Without a filter the limits are read where they lie.
  bool take_all() {
    size_ = next_ < end_ ? std::min(most_, end_ - next_) : 0;
    const char* row = static_cast<const char*>(view_.vectors.row(next_));
    const std::size_t bytes = view_.vectors.row_bytes();
    for (std::size_t i = 0; i < size_; ++i, row += bytes) rows_[i] = row;
    const DocLimits& all = view_.limits;
    limits_ = {all.scale + next_, all.norm + next_, all.offset + next_, all.start ? all.start + next_ : nullptr};
    next_ += size_;
    return size_ > 0;
  }

  // Takes the next allowed document of the current word, or goes to the next word.
  void take_allowed() {
    const std::uint64_t left = where_[next_ / 64] >> (next_ % 64);
    if (left == 0) {
      next_ = (next_ / 64 + 1) * 64;
      return;
    }
    next_ += static_cast<std::size_t>(std::countr_zero(left));
    if (next_ < end_) docs_[size_++] = static_cast<std::uint32_t>(next_++);
  }

  static constexpr std::size_t kRoom = kernels::kMaxScanRows;

  const DenseView& view_;
  const std::uint64_t* where_;
  std::size_t next_, end_, most_;
  std::size_t size_ = 0;
  std::array<std::uint32_t, kRoom> docs_{};
  std::array<const void*, kRoom> rows_{};
  std::array<float, kRoom> scale_{}, norm_{}, offset_{};
  std::array<std::int32_t, kRoom> start_{};
  kernels::RowLimits limits_{};
};

}  // namespace twotower
