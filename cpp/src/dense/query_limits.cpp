#include "dense/query_limits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dense/error_bound.h"

namespace twotower {
namespace {

using kernels::QueryForm;

constexpr double kUp = 1.0 + 0x1p-30;  // covers the roundings of a sum of up to 2^22 squares and of its root

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// To the nearest, ties to even; denormals and what would become infinite to zero.
std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = bits_of(value), exponent = bits >> 23 & 0xFF;
  const std::uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return exponent == 0 || (rounded & 0x7F80) == 0x7F80 ? std::uint16_t{0} : static_cast<std::uint16_t>(rounded);
}

double round_to_bfloat16(const float* query, std::size_t dim, std::uint16_t* out) {
  double lost = 0.0;
  for (std::size_t d = 0; d < dim; ++d) {
    out[d] = to_bfloat16(query[d]);
    const std::uint32_t wide = static_cast<std::uint32_t>(out[d]) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    const double difference = static_cast<double>(query[d]) - static_cast<double>(value);
    lost += difference * difference;
  }
  return std::sqrt(lost) * kUp;
}

double round_to_int8(const float* query, std::size_t dim, std::uint8_t* out, float& unit_of) {
  float largest = 0.0f;
  for (std::size_t d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(query[d]));
  unit_of = largest / 127.0f;
  const double unit = static_cast<double>(unit_of);
  double lost = 0.0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double code =
        unit == 0.0 ? 0.0 : std::clamp(std::nearbyint(static_cast<double>(query[d]) / unit), -127.0, 127.0);
    out[d] = static_cast<std::uint8_t>(code + 128.0);
    const double difference = static_cast<double>(query[d]) - unit * code;
    lost += difference * difference;
  }
  return std::sqrt(lost) * kUp;
}

float round_down(double value) { return -round_up(-value); }

}  // namespace

double round_query(const float* query, std::size_t dim, QueryForm form, void* out, float& unit) {
  unit = 1.0f;
  if (form == QueryForm::kBfloat16) return round_to_bfloat16(query, dim, static_cast<std::uint16_t*>(out));
  if (form == QueryForm::kInt8) return round_to_int8(query, dim, static_cast<std::uint8_t*>(out), unit);
  std::memcpy(out, query, dim * sizeof(float));
  return 0.0;
}

float coded_radius(const kernels::CodedRow& coded, std::size_t dim, float scale, float norm) noexcept {
  const double width = std::sqrt(static_cast<double>(dim)) * (0.5 + 0x1p-13);
  const double error = width * static_cast<double>(coded.step) * static_cast<double>(scale);
  const double length = static_cast<double>(norm) + error;
  return static_cast<float>((error + kQueryShare * length) * (1.0 + 0x1p-22) + 0x1p-19 * length);  // rounded up
}

QueryBound::QueryBound(const float* query, std::size_t dim, QueryForm form, double lost, Metric metric, RowForm rows)
    : metric_(metric), dim_(static_cast<double>(dim)) {
  for (std::size_t d = 0; d < dim; ++d) squares_ += static_cast<double>(query[d]) * static_cast<double>(query[d]);
  norm_ = std::sqrt(squares_);
  if (norm_ == 0.0) return;  // every product is zero, in every form
  // Roundings of the fast sum, of the exact one, and of the few operations on limits.
  double relative = dim_ * 0x1p-51 + 0x1p-20;
  if (form == QueryForm::kFloat32) relative += gamma32(dim) * (1.0 + 0x1p-20);
  if (form == QueryForm::kBfloat16) relative += gamma32(2 * dim) * (1.0 + 0x1p-20);
  factor_ = round_up((relative * (norm_ + lost) + lost) * kUp);
  if (rows == RowForm::kCoded) factor_ = round_up(std::max(norm_, lost / kQueryShare) * kUp);
  absolute_ = (dim_ + 4.0) * 0x1p-148;
  if (form == QueryForm::kBfloat16) absolute_ = (dim_ + 4.0) * 0x1p-123 + std::sqrt(dim_) * norm_ * 0x1p-125;
  if (metric == Metric::kCosine) absolute_ /= static_cast<double>(kMinCosineNorm);
  const bool odd = form == QueryForm::kInt8 && (norm_ < 0x1p-90 || dim > kMaxInt8Dim);  // the unit could underflow
  if (norm_ >= static_cast<double>(kMaxFastNorm) || odd) factor_ = std::numeric_limits<float>::quiet_NaN();
}

float QueryBound::threshold(float score) const noexcept {
  if (score == -std::numeric_limits<float>::infinity()) return score;
  double value = static_cast<double>(score);
  if (metric_ == Metric::kInnerProduct && absolute_ == 0.0) return score;
  if (metric_ == Metric::kL2) {
    // -score is a distance; (squares - distance) / 2 is the inner product minus half the row's squares.
    const double distance = -value * (1.0 + (dim_ + 4.0) * 0x1p-52);
    value = 0.5 * (squares_ * (1.0 - (dim_ + 4.0) * 0x1p-52) - distance);
    value -= (squares_ + distance) * 0x1p-50;
  } else if (metric_ == Metric::kCosine) {
    value *= value > 0.0 ? norm_ * (1.0 - 0x1p-30) : norm_ * kUp;
  }
  return round_down(std::nextafter(value - absolute_, -std::numeric_limits<double>::infinity()));
}

Interval QueryBound::interval(double product, float norm, float offset) const noexcept {
  if (norm_ == 0.0 && metric_ != Metric::kL2) return {0.0, 0.0};
  const double error = static_cast<double>(factor_) * static_cast<double>(norm) + absolute_;
  const double rounded = (std::fabs(product) + std::fabs(static_cast<double>(offset)) + error) * 0x1p-50;
  double lower = product - error - rounded, upper = product + error + rounded;
  if (metric_ == Metric::kL2) {
    const double low = 1.0 - (dim_ + 4.0) * 0x1p-51, high = 1.0 + (dim_ + 4.0) * 0x1p-51;
    // The offset was rounded up, perhaps to the next denormal number.
    const double least = static_cast<double>(offset) * (1.0 + 2.0 * kOffsetSlack) - 0x1p-147;
    const double nearest = squares_ * low - 2.0 * (upper + static_cast<double>(offset));
    lower = -(squares_ * high - 2.0 * (lower + least)) * high;
    upper = -std::max(nearest, 0.0) * low;
  } else if (metric_ == Metric::kCosine) {
    lower = lower / norm_ - std::fabs(lower / norm_) * 0x1p-30;
    upper = upper / norm_ + std::fabs(upper / norm_) * 0x1p-30;
  }
  if (!(lower <= upper)) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  return {lower, upper};
}

}  // namespace twotower
