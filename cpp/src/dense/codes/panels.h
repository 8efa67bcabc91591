// The queries of a tile as CodesHits takes them: codes in panels, and the numbers of each query side by side.
//
// Knows no row and no candidate. Legend: W queries of a panel.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense/codes/scan.h"
#include "dense/error_bound.h"

namespace twotower {

/// Bytes that begin at a cache line.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size) : room_(size + kLine) {}
  std::uint8_t* get() noexcept {
    return room_.data() + (kLine - reinterpret_cast<std::uintptr_t>(room_.data()) % kLine) % kLine;
  }

 private:
  static constexpr std::size_t kLine = 64;
  std::vector<std::uint8_t> room_;
};

class Panels {
 public:
  /// Panels of the queries [first, first + n).
  Panels(const CodedSearch& search, std::size_t first, std::size_t n);

  /// Of the panel that begins with query `q`, a multiple of kMaxHitWidth.
  std::size_t width(std::size_t q) const noexcept { return std::min(kernels::kMaxHitWidth, width_ - q); }
  const std::uint8_t* codes(std::size_t q) noexcept { return codes_.get() + q * pitch_; }
  kernels::CodeLines whole(std::size_t q) const noexcept { return lines(whole_, q); }
  kernels::CodeLines prefix(std::size_t q) const noexcept { return lines(prefix_, q); }

  /// Queries of the panel that are there and not zero (those are answered without a scan).
  std::uint64_t asked(std::size_t q) const noexcept { return asked_[q / kernels::kMaxHitWidth]; }

  bool is_asked(std::size_t q) const noexcept { return (asked(q) >> q % kernels::kMaxHitWidth & 1) != 0; }
  void set_threshold(std::size_t q, float threshold) noexcept {
    threshold_[q] = below(static_cast<double>(threshold) * per_unit_[q]);
  }

 private:
  struct Lines {
    std::vector<std::int32_t> offset;
    std::vector<float> factor, tail;
    explicit Lines(std::size_t n) : offset(n), factor(n), tail(n) {}
    void set(std::size_t q, const kernels::CodeLine& line, float of_tail, double per_unit) {
      offset[q] = line.offset;
      factor[q] = round_up(static_cast<double>(line.factor) * per_unit);
      tail[q] = round_up(static_cast<double>(of_tail) * per_unit);
    }
  };

  kernels::CodeLines lines(const Lines& lines, std::size_t q) const noexcept {
    return {&prefix_.offset[q], &tail_offset_[q], &whole_.factor[q], &prefix_.factor[q], &prefix_.tail[q], &threshold_[q]};
    (void)lines;
  }
  void lay_out(const std::int8_t* codes, std::size_t q);

  std::size_t pitch_;  // bytes of a query
  std::size_t width_;  // of all panels together
  AlignedBytes codes_;
  std::vector<double> per_unit_;
  std::vector<float> threshold_;
  Lines whole_, prefix_;
  std::vector<std::int32_t> tail_offset_;
  std::vector<std::uint64_t> asked_;
};

}  // namespace twotower
