// From sums of codes to intervals of scores and back: one query's side of docs/math.md, section 3.
//
// Knows nothing of rows, blocks and threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "dense/codes/rotation.h"
#include "kernels/codes.h"

namespace twotower {

/// A query rounded to a step of 1/127 of its greatest dimension; its error counts up to this share of its norm as part
/// of each row's radius, and makes the factor greater where it is above.
inline constexpr double kQueryError = 0x1p-7;

/// Spare part of every threshold, in units of the scaled query: covers underflow in the kernels.
inline constexpr double kUnderflow = 0x1p-118;

/// One query's numbers beside its codes. Scores are (score - centre) * 2^-exponent here.
struct CodedQuery {
  kernels::CodeLine coarse;  // for sums of upper halves
  kernels::CodeLine fine;    // for sums of whole bytes
  double centre;             // the inner product of the query and the mean
  int exponent;
  bool zero;  // every score is 0

  /// A row whose upper end is below this scores below `score`, in float32. -infinity for -infinity.
  float threshold(float score) const noexcept;

  /// A float32 score that a row whose lower end is `lower` reaches.
  float floor(double lower) const noexcept;
};

/// The middle of a row's interval.
inline double middle(kernels::CodeLine line, std::int32_t sum, float scale) noexcept {
  return static_cast<double>(sum - line.offset) * static_cast<double>(scale) * static_cast<double>(line.unit);
}

/// No sum is below this one.
inline constexpr std::int32_t kLeastSum = std::numeric_limits<std::int32_t>::min();

/// A sum below which no row with at most this scale and this radius has an upper end of `threshold`.
std::int32_t least_sum(kernels::CodeLine line, float threshold, float scale, float radius) noexcept;

/// Writes the codes of `query` [dim], whose sum is even, to `codes` [8 * n_groups] and returns its numbers.
CodedQuery code_query(const Rotation& rotation, const float* query, const float* mean, std::size_t dim,
                      std::int8_t* codes);

}  // namespace twotower
