// How far a fast product can be off, and from where on a document may be a hit. docs/math.md, section 1; what tensor
// cores add is in docs/decisions/cuda.md.
//
// A document has a scale m, a norm b and an offset o; a query a unit g, a factor f and a threshold. With the fast
// product t, mid = t g m + o and reach = f b, the score lies (in the fast scale) between mid - reach and mid + reach.
#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/numbers.h"

namespace twotower::cuda {

inline constexpr double kUp = 1.0 + 0x1p-30;  ///< covers the roundings of a sum of up to 2^22 squares and of its root
inline constexpr float kMaxFastNorm = 0x1p+62f;
inline constexpr float kMinCosineNorm = 0x1p-64f;
inline constexpr std::uint32_t kMaxInt8Dim = 1u << 15;

/// What the test needs of a query.
struct QueryLimits {
  float unit;
  float factor;  ///< NaN where fast products say nothing, so that every document may be a hit
  double norm;
  double squares;
  double absolute;
};

struct RowLimits {
  float scale;
  float norm;  ///< NaN for a row that is not finite
  float offset;
};

/// The relative error of n roundings by at most 2^-24 each; infinity where that is no bound.
TWOTOWER_BOTH double gamma32(double n) {
  const double nu = n * 0x1p-24;
  return nu < 0.5 ? nu / (1.0 - nu) : static_cast<double>(infinity());
}

/// `squares` in any order of summation; `lost` is the norm of what rounding the query to `form` lost.
TWOTOWER_BOTH QueryLimits query_limits(Storage form, Metric metric, std::uint32_t dim, double squares, double lost,
                                       float unit) {
  QueryLimits limits{unit, 0.0f, ::sqrt(squares), squares, 0.0};
  if (squares == 0.0) return limits;  // every product is zero, in every form
  const double d = static_cast<double>(dim), norm = limits.norm;
  const bool tensor = form == Storage::kBfloat16 || form == Storage::kFloat16;
  double relative = d * 0x1p-51 + 0x1p-20;
  if (form == Storage::kFloat32) relative += gamma32(d) * (1.0 + 0x1p-20);
  if (tensor) relative += gamma32(8.0 * d) * (1.0 + 0x1p-20);
  limits.factor = round_up((relative * (norm * kUp + lost) + lost) * kUp);
  limits.absolute = tensor ? (d + 4.0) * 0x1p-123 + ::sqrt(d) * norm * 0x1p-125 : (d + 4.0) * 0x1p-148;
  if (metric == Metric::kCosine) limits.absolute /= static_cast<double>(kMinCosineNorm);
  const bool odd = form == Storage::kInt8 && (norm < 0x1p-90 || dim > kMaxInt8Dim);
  if (norm >= static_cast<double>(kMaxFastNorm) || odd) limits.factor = not_a_number();
  return limits;
}

TWOTOWER_BOTH RowLimits row_limits(Metric metric, double squares, float stored_scale) {
  if (!(squares - squares == 0.0)) return {stored_scale, not_a_number(), 0.0f};
  const float bound = round_up(::sqrt(squares) * kUp);
  RowLimits limits{stored_scale, bound < kMaxFastNorm ? bound : infinity(), 0.0f};
  if (metric == Metric::kL2 && bound < kMaxFastNorm) {
    limits.offset = round_up(-0.5 * squares * (1.0 - 0x1p-21));
  } else if (metric == Metric::kCosine && squares == 0.0) {
    limits.scale = 0.0f;
  } else if (metric == Metric::kCosine && bound < kMaxFastNorm) {
    limits.scale = static_cast<float>(static_cast<double>(stored_scale) / ::sqrt(squares));
    limits.norm = bound > kMinCosineNorm ? 1.0f : infinity();
  }
  return limits;
}

/// No document whose mid + reach is at or below this scores above `score`.
TWOTOWER_BOTH float fast_threshold(const QueryLimits& query, Metric metric, std::uint32_t dim, float score) {
  if (!is_finite(score)) return -infinity();
  double value = static_cast<double>(score);
  if (metric == Metric::kInnerProduct && query.absolute == 0.0) return score;
  const double slack = (static_cast<double>(dim) + 4.0) * 0x1p-52;
  if (metric == Metric::kL2) {  // -score is a distance
    const double distance = -value * (1.0 + slack);
    value = 0.5 * (query.squares * (1.0 - 2.0 * slack) - distance) - (query.squares + distance) * 0x1p-50;
  } else if (metric == Metric::kCosine) {
    value *= value > 0.0 ? query.norm * (1.0 - 0x1p-30) : query.norm * kUp;
  }
  value -= query.absolute;
  return round_down(value - magnitude(static_cast<float>(value)) * 0x1p-50);
}

/// Where k documents have mid - reach >= `low`, none whose mid + reach is at or below the result is among the best k,
/// whatever the DocIds: their scores stay apart when rounded to float32.
TWOTOWER_BOTH float below_all(const QueryLimits& query, Metric metric, float low) {
  if (!is_finite(low)) return -infinity();
  const double half = metric == Metric::kL2 ? 0.5 * query.squares : 0.0;
  const double apart = 0x1p-21 * (static_cast<double>(magnitude(low)) + half) + 2.0 * query.absolute + 0x1p-140;
  return round_down(static_cast<double>(low) - apart);
}

/// A lower end of the score in the fast scale: offsets are rounded up, so a part of them is taken back.
TWOTOWER_BOTH float lower_end(float mid, float reach, float offset) {
  return mid - reach - 0x1p-20f * magnitude(offset);
}

}  // namespace twotower::cuda
