// How far fast products of one query can be off, and from where on a row may be a hit. The proof is docs/math.md,
// section 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"
#include "twotower/dense.h"

namespace twotower {

/// Rows and queries of at least this norm have no fast products, for these could overflow.
inline constexpr float kMaxFastNorm = 0x1p+62f;
/// Rows below this norm have no fast cosines: the reciprocal of the norm would magnify underflows.
inline constexpr float kMinCosineNorm = 0x1p-64f;
/// Vectors with more dimensions have no fast products of 8-bit integers: these could overflow their 32 bits.
inline constexpr std::size_t kMaxInt8Dim = 1 << 15;
/// Of an L2 offset: covers the roundings of the sums that it enters.
inline constexpr double kOffsetSlack = 0x1p-21;

/// Writes `query` [dim] in a kernel's form to `out`, which begins as zeros, and what its products are to be multiplied
/// with to `unit`. Returns the Euclidean norm of what was lost by rounding, rounded up.
double round_query(const float* query, std::size_t dim, kernels::QueryForm form, void* out, float& unit);

/// What a query is multiplied with: rows as they are stored, or coded on the way (kernels::CodeRowKernels).
enum class RowForm : std::uint8_t { kStored, kCoded };

/// Of a query's norm: its own rounding counts up to this share of it as a part of each coded row's radius, and makes
/// the factor greater where it is above.
inline constexpr double kQueryShare = 0x1p-7;

/// RowLimits::norm of a coded row whose stored row has this scale and norm.
float coded_radius(const kernels::CodedRow& coded, std::size_t dim, float scale, float norm) noexcept;

/// What surely contains a score before its last rounding to float32.
struct Interval {
  double lower;
  double upper;
};

/// One query's error bound, and the thresholds that follow from it.
class QueryBound {
 public:
  QueryBound() = default;

  /// `lost` is what round_query() returned.
  QueryBound(const float* query, std::size_t dim, kernels::QueryForm form, double lost, Metric metric,
             RowForm rows = RowForm::kStored);

  /// The error factor; NaN where fast products say nothing, so that every row may be a hit.
  float factor() const noexcept { return factor_; }

  /// The fast threshold for a score that is known to be the k-th best.
  float threshold(float score) const noexcept;

  /// Where the score of a row is whose product times unit and scale is `product`.
  Interval interval(double product, float norm, float offset) const noexcept;

 private:
  Metric metric_ = Metric::kInnerProduct;
  double squares_ = 0.0;
  double norm_ = 0.0;
  double dim_ = 0.0;
  double absolute_ = 0.0;
  float factor_ = 0.0f;
};

}  // namespace twotower
