#include "dense/codes/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dense/error_bound.h"

namespace twotower {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float below(double value) { return std::nextafter(static_cast<float>(value), -kInfinity); }

// Rounds z / step; then moves the one number that was nearest to a tie, if the sum is odd.
void round_codes(const std::vector<double>& z, double step, std::int8_t* codes) {
  int sum = 0;
  std::size_t widest = 0;
  double width = -1.0;
  for (std::size_t d = 0; d < z.size(); ++d) {
    const double value = z[d] / step;
    const double code = std::clamp(std::nearbyint(value), -127.0, 127.0);
    codes[d] = static_cast<std::int8_t>(code);
    sum += codes[d];
    if (std::fabs(value - code) > width) {
      width = std::fabs(value - code);
      widest = d;
    }
  }
  if (sum % 2 == 0) return;
  const bool up = codes[widest] != 127 && (codes[widest] == -127 || z[widest] / step >= codes[widest]);
  codes[widest] = static_cast<std::int8_t>(codes[widest] + (up ? 1 : -1));
}

}  // namespace

float CodedQuery::threshold(float score) const noexcept {
  const double before = static_cast<double>(std::nextafter(score, -kInfinity));
  if (!(before > -std::numeric_limits<double>::infinity())) return -kInfinity;
  const double spare = (std::fabs(before) + std::fabs(centre)) * 0x1p-50;
  return below(std::ldexp(before - centre - spare, -exponent) - kUnderflow);
}

float CodedQuery::floor(double lower) const noexcept {
  if (!(lower > -std::numeric_limits<double>::infinity())) return -kInfinity;
  const double value = std::ldexp(lower - kUnderflow, exponent);
  return below(value + centre - (std::fabs(value) + std::fabs(centre)) * 0x1p-50);
}

std::int32_t least_sum(kernels::CodeLine line, float threshold, float scale, float radius) noexcept {
  const double rest = static_cast<double>(threshold) - static_cast<double>(line.factor) * static_cast<double>(radius);
  const double step = static_cast<double>(scale) * static_cast<double>(line.unit);
  if (!(rest > 0.0) || !(step > 0.0)) return kLeastSum;
  // Row by row, (sum - offset) * scale * unit + factor * radius would round to a float32 below the threshold.
  const double least = static_cast<double>(line.offset) + rest / step * (1.0 - 0x1p-20) - 1.0;
  return static_cast<std::int32_t>(std::min(least, static_cast<double>(std::numeric_limits<std::int32_t>::max())));
}

CodedQuery code_query(const Rotation& rotation, const float* query, const float* mean, std::size_t dim,
                      std::int8_t* codes) {
  std::vector<double> z(query, query + dim);
  CodedQuery coded{};
  for (std::size_t d = 0; d < dim; ++d) coded.centre += z[d] * static_cast<double>(mean[d]);
  rotation.apply(z.data());
  double greatest = 0.0;
  for (const double value : z) greatest = std::max(greatest, std::fabs(value));
  std::fill(codes, codes + (dim + 7) / 8 * 8, std::int8_t{0});
  coded.zero = greatest == 0.0;
  if (coded.zero) return coded;
  std::frexp(greatest, &coded.exponent);
  for (double& value : z) value = std::ldexp(value, -coded.exponent);
  const float step = round_up(std::ldexp(greatest, -coded.exponent) / 127.0);
  round_codes(z, static_cast<double>(step), codes);
  double norm2 = 0.0, error2 = 0.0;
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double error = z[d] - static_cast<double>(step) * codes[d];
    norm2 += z[d] * z[d];
    error2 += error * error;
    sum += codes[d];
  }
  const double factor = std::max(std::sqrt(norm2), std::sqrt(error2) / kQueryError) * (1.0 + 0x1p-20);
  coded.coarse = {16.0f * step, 15 * (sum / 2), round_up(factor), kLeastSum};
  coded.fine = {step, 128 * sum, round_up(factor), kLeastSum};
  return coded;
}

}  // namespace twotower
